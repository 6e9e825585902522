"""Which version a file holds. Column sets: the published forms; evidence: the order of PSQI items 6-9."""

from __future__ import annotations

import polars as pl
import pytest

from etl.scoring.versions import resolve_version, settle_item, version_of
from schemas.errors import DefinitionError
from schemas.instruments import match_item_codes, match_items


def _resolve(instrument, headers, declared=None, answers=None):
    choice = resolve_version(instrument, match_items(headers).values(), declared, answers)
    return choice.version, choice.basis


def _columns(name: str, last: int) -> list[str]:
    return [f"{name}_{n}" for n in range(1, last + 1)]


PSQI = ["psqi_1", "psqi_2", "psqi_3", "psqi_4", *(f"psqi_5{c}" for c in "abcdefghij")]


@pytest.mark.parametrize(
    ("instrument", "headers", "expected"),
    [
        ("hamd", _columns("hamd", 17), ("hamd_17", "items")),
        ("hamd", _columns("hamd", 21), ("hamd_21", "items")),
        ("hamd", _columns("hamd", 24), (None, None)),
        (
            "hamd",
            [c for c in _columns("hamd", 24) if c != "hamd_18"] + ["hamd_18a", "hamd_18b"],
            (None, None),
        ),
        ("hamd", [c for c in _columns("hamd", 17) if c != "hamd_14"], (None, None)),
        ("hamd", ["hamd_total"], (None, None)),
        ("hamd", ["HAMD24总分"], (None, None)),
        ("hamd", _columns("HAMD24", 24), (None, None)),
        ("hamd", ["HAMD21总分"], ("hamd_21", "name")),
        ("hamd", _columns("HAMD17", 17), ("hamd_17", "name")),
        ("gds", _columns("gds", 15), ("gds_15", "items")),
        ("gds", _columns("gds", 30), ("gds_30", "items")),
        ("bdi", _columns("bdi", 21), (None, None)),
        ("bdi", [*_columns("bdi", 21), "bdi_19b"], ("bdi_ia", "items")),
        ("isi", _columns("isi", 7), ("isi_7", "items")),
        ("isi", ["isi_1a", "isi_1b", "isi_1c", "isi_2", "isi_3", "isi_4", "isi_5"], ("isi_1abc", "items")),
        ("irls", _columns("irls", 10), ("irls_10", "only")),
        ("psqi", [*PSQI, "psqi_6", "psqi_7", "psqi_8", "psqi_9"], (None, None)),
        ("psqi", [*PSQI, "psqi_6_quality", "psqi_9_enthusiasm"], ("order_a", "label")),
        ("psqi", [*PSQI, "psqi_6_medicine", "psqi_9_quality"], ("order_b", "label")),
        ("psqi", [*PSQI, "PSQI 6 睡眠质量"], ("order_a", "label")),
        ("psqi", [*PSQI, "psqi_6_quality", "psqi_9_quality"], (None, None)),
    ],
)
def test_names_labels_and_items_tell_the_version_or_nothing_does(instrument, headers, expected):
    choice = _resolve(instrument, headers)
    assert choice == expected


def test_a_declaration_goes_before_the_items():
    assert _resolve("hamd", _columns("hamd", 24), "hamd_24_item20_max3") == (
        "hamd_24_item20_max3",
        "declared",
    )
    assert _resolve("psqi", [*PSQI, "psqi_6"], "order_b") == ("order_b", "declared")


def test_a_declared_version_that_does_not_exist_is_an_error():
    with pytest.raises(DefinitionError, match="hamd_99"):
        _resolve("hamd", _columns("hamd", 17), "hamd_99")


def test_a_declared_version_that_the_items_contradict_is_refused_with_the_reason():
    refs = match_items(_columns("hamd", 24)).values()
    choice = resolve_version("hamd", refs, "hamd_17")
    assert choice.version is None
    assert "has no item 18, 19, 20, 21, 22, 23, 24" in choice.problems[0]


def test_half_points_refuse_bdi_ii_as_a_count_without_any_answer():
    answers = pl.DataFrame({"item": ["1", "2", "3"], "value_source": ["0.5", "1", "1.5"]})
    choice = resolve_version("bdi", match_items(_columns("bdi", 21)).values(), "bdi_ii", answers)
    assert choice.version is None
    assert choice.problems == ("2 answers are not whole numbers, and BDI-II (1996) has only whole numbers",)


@pytest.mark.parametrize(("halves", "version"), [(1, "bdi_ii"), (3, None)])
def test_a_typing_error_among_a_thousand_answers_refuses_nothing(halves, version):
    answers = pl.DataFrame(
        {"item": ["1", "1"], "value_source": ["1", "1.5"], "answers": [1000 - halves, halves]}
    )
    refs = match_items(_columns("bdi", 21)).values()
    assert resolve_version("bdi", refs, "bdi_ii", answers).version == version


def test_half_points_are_no_sign_of_another_version_where_none_has_them():
    answers = pl.DataFrame({"item": ["1", "2", "3"], "value_source": ["0.5", "1.5", "2.5"]})
    choice = resolve_version("hamd", match_items(_columns("hamd", 17)).values(), None, answers)
    assert (choice.version, choice.problems) == ("hamd_17", ())


def test_rows_that_name_several_versions_have_each_their_own():
    refs = match_item_codes([(name, "3") for name in ("BDI-IA", "BDI-II", "BDI")])
    choice = resolve_version("bdi", refs.values())
    assert (choice.version, choice.basis) == (None, "each name")
    found = {named: version_of(ref, choice) for (named, _), ref in refs.items()}
    assert found == {"BDI-IA": "bdi_ia", "BDI-II": "bdi_ii", "BDI": None}


def test_the_total_of_hamd_17_beside_24_items_is_a_scale_of_hamd_24():
    refs = match_items([*_columns("hamd", 24), "HAMD17_total"])
    choice = resolve_version("hamd", refs.values(), "hamd_24")
    assert choice.version == "hamd_24"
    assert settle_item(refs["HAMD17_total"], choice) == "hamd_17"
    assert settle_item(refs["hamd_3"], choice) == "3"


def test_the_total_of_hamd_21_is_no_score_of_hamd_24():
    refs = match_items(["HAMD21_total"])
    choice = resolve_version("hamd", refs.values(), "hamd_24")
    assert settle_item(refs["HAMD21_total"], choice) is None
