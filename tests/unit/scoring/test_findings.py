"""Conflicts within one administration. Expected: the cross-item rules of the forms, worked by hand."""

from __future__ import annotations

import polars as pl

from etl.scoring.findings import score_findings
from etl.scoring.score import score


def _responses(given: dict[str, float | None], instrument="irls", version=None) -> pl.DataFrame:
    return pl.DataFrame(
        {"item": list(given), "value": list(given.values())}, schema={"item": pl.String, "value": pl.Float64}
    ).with_columns(
        administration_id=pl.lit("a"),
        subject_id=pl.lit("s"),
        instrument=pl.lit(instrument),
        version=pl.lit(version, pl.String),
        absent_reason=pl.lit(None, pl.String),
    )


def _found(responses: pl.DataFrame) -> list[str]:
    return sorted(score_findings(score(responses), responses)["check_id"])


def _irls(**changed: float) -> dict[str, float | None]:
    return {str(n): 2.0 for n in range(1, 11)} | {k.lstrip("i"): v for k, v in changed.items()}


def _psqi(**changed: float) -> dict[str, float | None]:
    given = {
        "1": 23,
        "2": 10,
        "3": 7,
        "4": 7,
        **{f"5{c}": 0 for c in "abcdefghij"},
        "6": 0,
        "7": 0,
        "8": 0,
        "9": 0,
    }
    return {k: float(v) for k, v in (given | {k.lstrip("i"): v for k, v in changed.items()}).items()}


def test_a_right_administration_has_no_findings():
    assert _found(_responses(_irls() | {"total": 20.0})) == []
    assert _found(_responses(_psqi() | {"total": 0.0, "c1": 0.0}, "psqi", "order_a")) == []
    assert _found(_responses({str(n): 0.0 for n in range(1, 11)})) == []  # no symptoms, nothing to relieve


def test_relief_without_symptoms_and_symptoms_that_never_occur():
    assert _found(_responses(_irls(i3=0))) == ["irls_relief_without_symptoms"]
    assert _found(_responses(_irls(i7=0))) == ["irls_never_but_symptoms"]
    quiet = {str(n): 0.0 for n in range(1, 11)} | {"9": 1.0, "7": 1.0}
    assert _found(_responses(quiet)) == []  # items 1, 2 and 6 are 0


def test_a_missing_item_is_no_conflict():
    given = _irls()
    given["3"] = None
    assert _found(_responses(given)) == []


def test_more_sleep_than_time_in_bed():
    assert _found(_responses(_psqi(i1=1), "psqi", "order_a")) == ["psqi_efficiency_over_100"]
    assert _found(_responses(_psqi(i1=7), "psqi", "order_a")) == [
        "psqi_efficiency_over_100"
    ]  # no time in bed at all
    assert _found(_responses(_psqi(i4=8), "psqi", "order_a")) == []  # exactly 100 %


def test_long_time_in_bed_and_noon_for_midnight():
    assert _found(_responses(_psqi(i1=12), "psqi", "order_a")) == [
        "psqi_bedtime_noon",
        "psqi_time_in_bed_over_14_h",
    ]
    assert _found(_responses(_psqi(i1=17), "psqi", "order_a")) == []  # exactly 14 h
    # 16:09 to 06:09 is 14 h too; in binary fractions it comes out as 14.000000000000002
    assert _found(_responses(_psqi(i1=16 + 9 / 60, i3=6 + 9 / 60), "psqi", "order_a")) == []


def test_the_checks_that_do_not_need_the_order_run_without_it():
    assert _found(_responses(_psqi(i1=1), "psqi")) == ["psqi_efficiency_over_100"]


def test_a_stated_total_that_disagrees_is_named_with_both_numbers_and_its_place():
    responses = (
        _responses(_irls() | {"total": 21.0})
        .with_row_index("n")
        .with_columns(file_id=pl.lit("f1"), locator=pl.format("L7/C{}", pl.col("n") + 1))
    )
    found = score_findings(score(responses), responses)
    assert found.select("check_id", "administration_id", "scale", "value", "value_reported").rows() == [
        ("reported_score_disagrees", "a", "total", 20, 21)
    ]
    assert found["items"][0].to_list() == ["total", *map(str, range(1, 11))]
    assert found["origin"][0].to_list() == ["f1:L7/C11", *(f"f1:L7/C{n}" for n in range(1, 11))]


def test_a_stated_component_that_disagrees_is_named_too():
    found = _responses(_psqi() | {"c3": 2.0}, "psqi", "order_a")
    findings = score_findings(score(found), found)
    assert findings.select("check_id", "scale", "value", "value_reported").rows() == [
        ("reported_score_disagrees", "c3", 0, 2)
    ]
    assert findings["items"][0].to_list() == ["c3", "4"]


def test_an_incomplete_score_disagrees_with_nothing():
    given = _irls() | {"total": 40.0}
    given["1"] = None
    assert _found(_responses(given)) == []


def test_two_stated_totals_are_a_finding():
    responses = pl.concat([_responses(_irls() | {"total": 20.0}), _responses({"total": 21.0})])
    assert _found(responses) == ["reported_score_ambiguous"]


def test_findings_name_no_place_that_is_not_concerned():
    responses = pl.concat([_responses(_irls(i3=0)), _responses({"total": 5.0}, "gad7")]).with_row_index("n")
    responses = responses.with_columns(locator=pl.format("L{}", "n"))
    found = score_findings(score(responses), responses)
    assert found["origin"].to_list() == [["L2", "L0", "L1", "L5"]]  # items 3, 1, 2, 6
