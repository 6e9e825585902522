"""What a score rests on: items, a stated number, or neither. Expected values: hand calculation."""

from __future__ import annotations

import polars as pl
import pytest

from etl.scoring import wide
from etl.scoring.bands import add_bands, band_table
from etl.scoring.score import SCORE_SCHEMA, score
from schemas.errors import DefinitionError


def responses(rows, instrument="irls", version=None) -> pl.DataFrame:
    """Build responses from (administration, item, value)."""
    frame = pl.DataFrame(
        rows, schema={"administration_id": pl.String, "item": pl.String, "value": pl.Float64}, orient="row"
    )
    return frame.with_columns(
        subject_id="s" + pl.col("administration_id"),
        instrument=pl.lit(instrument),
        version=pl.lit(version, pl.String),
        absent_reason=pl.lit(None, pl.String),
    )


def irls(administration: str, value: float = 2, skip: str = ""):
    return [(administration, str(n), value) for n in range(1, 11) if str(n) != skip]


def row(scores: pl.DataFrame, administration="a", scale="total"):
    found = scores.filter(pl.col("administration_id") == administration, pl.col("scale") == scale)
    return found.select("value", "value_reported", "basis", "score_status").row(0)


def test_the_columns_are_those_of_the_contract_table():
    assert score(responses(irls("a"))).schema == SCORE_SCHEMA
    assert score(responses([])).schema == SCORE_SCHEMA


def test_a_stated_total_stands_beside_the_items_and_never_replaces_them():
    assert row(score(responses([*irls("a"), ("a", "total", 33)]))) == (20, 33, "items", "complete")


def test_a_stated_total_without_items_is_marked_as_such():
    scores = score(responses([("a", "total", 33), *irls("b")]))
    assert row(scores) == (33, 33, "reported_only", "complete")
    assert scores.filter(pl.col("administration_id") == "a")["scale"].to_list() == ["total"]


def test_a_stated_total_does_not_fill_in_for_missing_items():
    assert row(score(responses([*irls("a", skip="4"), ("a", "total", 33)]))) == (
        None,
        33,
        "items",
        "incomplete",
    )


def test_a_stated_total_outside_the_scale_is_invalid():
    assert row(score(responses([("a", "total", 41)]))) == (None, 41, "reported_only", "invalid")


def test_two_different_stated_totals_are_not_chosen_between():
    assert row(score(responses([*irls("a"), ("a", "total", 20), ("a", "total", 21)]))) == (
        20,
        None,
        "items",
        "complete",
    )


def test_a_stated_component_stands_beside_its_own_scale():
    rows = [("a", str(n), 1.0) for n in range(1, 15)] + [("a", "anxiety", 9.0)]
    scores = score(responses(rows, "hads"))
    assert row(scores, scale="anxiety") == (7, 9, "items", "complete")
    assert row(scores, scale="depression") == (7, None, "items", "complete")


def test_one_item_answered_twice_alike_counts_once_and_differently_is_invalid():
    alike = score(responses([*irls("a"), ("a", "1", 2)]))
    differently = score(responses([*irls("a"), ("a", "1", 3), *irls("b")]))
    assert row(alike) == (20, None, "items", "complete")
    assert row(differently) == (None, None, "items", "invalid")
    assert row(differently, "b") == (20, None, "items", "complete")
    assert row(differently, scale="impact")[0] == 6  # items 5, 9, 10 are not touched


@pytest.mark.parametrize("value", [5, -1, 1.5, float("inf"), float("nan")])
def test_an_impossible_answer_makes_the_score_invalid_not_large(value):
    assert row(score(responses([*irls("a", skip="1"), ("a", "1", value)]))) == (
        None,
        None,
        "items",
        "invalid",
    )


def test_an_absent_answer_is_no_zero():
    assert row(score(responses([*irls("a", skip="1"), ("a", "1", None)]))) == (
        None,
        None,
        "items",
        "incomplete",
    )


def _psqi(order=None, **changed):
    given = {
        "1": 23,
        "2": 10,
        "3": 7,
        "4": 7,
        **{f"5{c}": 0 for c in "abcdefghij"},
        "6": 1,
        "7": 2,
        "8": 1,
        "9": 3,
    }
    return responses([("a", i, v) for i, v in (given | changed).items()], "psqi", order)


def test_without_an_order_the_components_that_need_it_and_the_total_stay_open():
    scores = score(_psqi())
    statuses = dict(scores.select("scale", "score_status").rows())
    assert {k for k, v in statuses.items() if v == "unverified"} == {"c1", "c6", "c7", "total"}
    assert {k for k, v in statuses.items() if v == "complete"} == {"c2", "c3", "c4", "c5"}
    assert row(scores)[0] is None


def test_the_order_changes_the_total():
    assert (row(score(_psqi("order_a")))[0], row(score(_psqi("order_b")))[0]) == (5, 6)


def test_item_5j_counts_nothing_without_its_text():
    # 5b-5i: 9 points -> c5 1; with 5j 1: 10 -> 2
    changed = {"5b": 2, **{f"5{c}": 1 for c in "cdefghij"}}
    assert row(score(_psqi("order_a", **changed)), scale="c5")[0] == 2
    assert row(score(_psqi("order_a", **changed, **{"5j_text": 1})), scale="c5")[0] == 2
    assert row(score(_psqi("order_a", **changed, **{"5j_text": None})), scale="c5")[0] == 1


def test_no_time_in_bed_is_invalid():
    assert row(score(_psqi("order_a", **{"1": 7})), scale="c4") == (None, None, "items", "invalid")


def test_an_unresolved_hamd_has_no_total_and_a_stated_one_is_unverified():
    items = [("a", str(n), 1.0) for n in range(1, 18)]
    assert row(score(responses([*items, ("a", "total", 17.0)], "hamd"))) == (None, 17, "items", "unverified")
    assert row(score(responses([("a", "total", 17.0)], "hamd"))) == (17, 17, "reported_only", "unverified")


def test_several_instruments_and_versions_in_one_frame():
    frame = pl.concat(
        [
            responses(irls("a")),
            responses([("a", str(n), 1.0) for n in range(1, 18)], "hamd", "hamd_17"),
            responses([("b", str(n), 1.0) for n in range(1, 25)], "hamd", "hamd_24"),
        ]
    )
    totals = score(frame).filter(pl.col("scale") == "total").sort("administration_id", "instrument")
    assert totals.select("administration_id", "instrument", "version", "value").rows() == [
        ("a", "hamd", "hamd_17", 17), ("a", "irls", "irls_10", 20), ("b", "hamd", "hamd_24", 24),
    ]  # fmt: skip


def test_an_undefined_instrument_is_an_error_and_not_silence():
    with pytest.raises(DefinitionError, match="nothing"):
        score(responses(irls("a"), "nothing"))


def test_a_hash_collision_of_two_administrations_is_seen_and_redone(monkeypatch):
    real, calls = pl.Expr.hash, []

    def collide(self, seed=0, *rest):
        calls.append(seed)
        return pl.lit(1, pl.UInt64) if seed == 0 else real(self, seed, *rest)

    monkeypatch.setattr(wide.pl.Expr, "hash", collide)
    scores = score(responses([*irls("a", 1), *irls("b", 3)]))
    assert (row(scores, "a")[0], row(scores, "b")[0]) == (10, 30)
    assert max(calls) > 1


def test_bands_are_by_profile_and_null_without_a_value():
    scores = score(pl.concat([_psqi("order_b"), responses(irls("b", skip="1"))]))
    western, chinese = (
        dict(add_bands(scores, p).filter(pl.col("scale") == "total").select("instrument", "band").rows())
        for p in ("western", "chinese")
    )
    assert western == {"psqi": "poor sleeper", "irls": None}  # 6 > 5
    assert chinese == {"psqi": "good sleeper", "irls": None}  # 6 <= 7
    assert add_bands(scores, "western").drop("band").equals(scores)


def test_the_band_table_labels_hamd_24_from_8_to_20_without_calling_it_mild():
    table = band_table().filter(pl.col("version") == "hamd_24").select("low", "high", "band").rows()
    assert table == [(0, 7, "none"), (8, 20, "possible"), (21, 35, "mild to moderate"), (36, 76, "severe")]
