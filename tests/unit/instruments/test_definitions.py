"""Definitions check themselves. Item maxima and totals: published forms (see each TOML's sources)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schemas.errors import DefinitionError
from schemas.instruments import INSTRUMENTS, load_instrument, load_instruments

FOLDER = Path(__file__).parents[3] / "schemas" / "instruments"
GOOD = """
id = "demo"
title = "Demo scale"
direction = "higher is worse"
sources = ["made up"]
names = ["demo"]
[form]
items = ["1-3"]
range = [0, 4]
[[form.scales]]
id = "total"
terms = ["1-3"]
low = 0
high = 12
verified = true
[versions.demo_3]
title = "Demo"
"""


def _load(folder: Path, text: str):
    path = folder / "demo.toml"
    path.write_text(text, encoding="utf-8")
    return load_instrument(path)


def test_a_new_instrument_needs_a_file_and_no_code(tmp_path):
    found = _load(tmp_path, GOOD)
    assert list(found.versions["demo_3"].items) == ["1", "2", "3"]
    assert list(load_instruments(tmp_path)) == ["demo"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("high = 12", "high = 13", "its terms give 0-12"),
        ('terms = ["1-3"]', 'terms = ["1-4"]', "uses '4' before it is defined"),
        ("verified = true", "", "verified"),
        ("range = [0, 4]", "range = [0, 4]\nrnge = [0, 3]", "rnge"),
        ("range = [0, 4]", "range = [4, 4]", "empty range"),
        ("range = [0, 4]", 'range = [0, 4]\nreversed = ["9"]', "no such items: 9"),
        ('id = "total"', 'id = "2"', "is an item and a scale"),
        ("[versions.demo_3]", "[versionz.demo_3]", "versions"),
        ('direction = "higher is worse"', 'direction = "up"', "direction"),
        ("[form]", "[form", ""),
    ],
)
def test_a_wrong_definition_is_refused_and_says_why(tmp_path, old, new, told):
    with pytest.raises(DefinitionError) as problem:
        _load(tmp_path, GOOD.replace(old, new, 1))
    assert "demo.toml" in problem.value.what
    assert told in problem.value.why


@pytest.mark.parametrize(
    ("bands", "told"),
    [
        ('[[0, 4, "a"], [6, 12, "b"]]', "do not meet"),
        ('[[0, 5, "a"], [5, 12, "b"]]', "do not meet"),
        ('[[0, 4, "a"], [5, 11, "b"]]', "do not cover 0.0-12.0"),
    ],
)
def test_bands_with_a_gap_an_overlap_or_a_missing_end_are_refused(tmp_path, bands, told):
    text = GOOD.replace(
        "[versions.demo_3]",
        f'[[form.bands]]\nprofile = "p"\nscale = "total"\nverified = true\nsource = "s"\nbands = {bands}\n[versions.demo_3]',
    )
    with pytest.raises(DefinitionError, match="demo") as problem:
        _load(tmp_path, text)
    assert told in problem.value.why


def test_a_version_that_extends_an_unknown_one_is_refused(tmp_path):
    with pytest.raises(DefinitionError) as problem:
        _load(tmp_path, GOOD + 'extends = "nothing"\n')
    assert "nothing" in problem.value.why


def test_every_named_scale_of_the_study_is_defined():
    asked = {
        "irls", "psqi", "hama", "hamd", "hads", "phq9", "gad7", "isi", "ess", "bdi", "sas", "sds", "gds", "rls6",
        "rlsqol", "irlssg_2012",
    }  # fmt: skip
    assert asked == set(INSTRUMENTS)


# Totals by version: the Chinese 24-item form, CamCOPS, and the forms named in each definition.
@pytest.mark.parametrize(
    ("instrument", "version", "high"),
    [
        ("hamd", "hamd_17", 52), ("hamd", "hamd_21", 64), ("hamd", "hamd_21_item20_max3", 63),
        ("hamd", "hamd_24", 76), ("hamd", "hamd_24_item20_max3", 75), ("hamd", "hamd_24_item7_max2", 74),
        ("hamd", "hamd_24_18ab_sum", 78), ("hama", "hama_14", 56), ("irls", "irls_10", 40),
        ("psqi", "order_a", 21), ("phq9", "phq_9", 27), ("gad7", "gad_7", 21), ("isi", "isi_7", 28),
        ("ess", "ess_8", 24), ("bdi", "bdi_ii", 63), ("sds", "sds_20", 80), ("sas", "sas_20", 80),
    ],
)  # fmt: skip
def test_totals_end_where_the_published_forms_end(instrument, version, high):
    definition = INSTRUMENTS[instrument].versions[version]
    assert definition.scales["total"].high == high
    assert (
        sum(definition.items[i].high for i in definition.items_of("total") if i in definition.items) >= high
    )


def test_the_two_psqi_orders_differ_only_in_which_item_asks_what():
    first, second = (INSTRUMENTS["psqi"].versions[v] for v in ("order_a", "order_b"))
    assert set(first.items) == set(second.items)
    assert {k: v.terms for k, v in first.scales.items() if v != second.scales[k]} == {
        "c1": ("6",), "c6": ("7",), "c7": ("8", "9"),
    }  # fmt: skip
    assert (second.scales["c1"].terms, second.scales["c6"].terms, second.scales["c7"].terms) == (
        ("9",),
        ("6",),
        ("7", "8"),
    )


def test_only_quality_of_life_counts_upwards():
    assert [i.id for i in INSTRUMENTS.values() if i.direction == "higher is better"] == ["rlsqol"]


def test_reversed_items_are_those_of_the_sources():
    assert " ".join(INSTRUMENTS["sds"].versions["sds_20"].reversed_items) == "2 5 6 11 12 14 16 17 18 20"
    assert " ".join(INSTRUMENTS["sas"].versions["sas_20"].reversed_items) == "5 9 13 17 19"
    assert " ".join(INSTRUMENTS["gds"].versions["gds_15"].reversed_items) == "1 5 7 11 13"
    assert " ".join(INSTRUMENTS["gds"].versions["gds_30"].reversed_items) == "1 5 7 9 15 19 21 27 29 30"


def test_what_was_not_read_in_a_source_is_marked():
    unverified = {
        (v.id, s.id)
        for i in INSTRUMENTS.values()
        for v in i.versions.values()
        for s in v.scales.values()
        if not (s.is_verified and s.is_missing_verified)
    }
    assert unverified == {
        ("irls_10", "symptoms"),
        ("irls_10", "impact"),
        ("gad_7", "total"),
        ("rlsqol_18", "total"),
        ("bdi_ii", "total"),
        ("ess_8", "total"),
        ("hamd_21", "total"),
        ("hamd_21_item20_max3", "total"),
        ("irlssg_2012_5", "total"),
        ("isi_1abc", "total"),
        ("isi_7", "total"),
        ("rls_6", "total"),
        ("sas_20", "index"),
        ("sas_20", "total"),
    }


def test_definitions_load_from_any_folder(tmp_path):
    for path in FOLDER.glob("*.toml"):
        shutil.copy(path, tmp_path)
    assert load_instruments(tmp_path) == dict(INSTRUMENTS)
