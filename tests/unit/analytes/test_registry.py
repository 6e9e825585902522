"""The registry as data: what it must hold, and that its checks refuse a wrong one."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from schemas.analytes import is_loinc, others, read_analyte, registry, study_analytes
from schemas.analytes.checks import check_registry
from schemas.errors import DefinitionError

STUDIED = [
    "vitamin_b12",
    "holotranscobalamin",
    "mma",
    "homocysteine",
    "folate",
    "ferritin",
    "iron",
    "tibc",
    "transferrin",
    "transferrin_saturation",
    "haemoglobin",
    "mcv",
    "creatinine",
    "egfr",
    "urea",
    "uric_acid",
    "vitamin_d_25oh",
    "glucose",
    "hba1c",
    "tsh",
    "ft3",
    "ft4",
    "total_cholesterol",
    "ldl_cholesterol",
    "hdl_cholesterol",
    "triglycerides",
    "crp",
    "alt",
    "ast",
    "height",
    "weight",
    "bmi",
]


def test_every_analyte_of_the_study_is_there():
    assert sorted(study_analytes()) == sorted(STUDIED)
    assert set(registry()) - set(STUDIED) == {"rbc_folate"}


def test_every_number_has_a_source():
    for analyte in registry().values():
        assert all(mass.source for mass in analyte.molar_masses.values())
        assert all(mark.source for mark in analyte.fingerprints)
        assert all(assay.source for assay in analyte.assays)


# Hard bounds of the domain table, canonical units.
@pytest.mark.parametrize(
    ("analyte", "hard"),
    [
        ("vitamin_b12", (1, 100000)),
        ("homocysteine", (1, 500)),
        ("ferritin", (0.3, 200000)),
        ("haemoglobin", (15, 280)),
        ("tsh", (0, 2000)),  # analysers print 0 below their limit
        ("hba1c", (2, 25)),
        ("crp", (0, 1000)),
    ],
)
def test_hard_bounds(analyte, hard):
    assert registry()[analyte].hard == hard


# Codes as published by LOINC; the check digit is a mod 10 of the number.
@pytest.mark.parametrize("code", ["2132-9", "14685-2", "2276-4", "718-7", "98979-8"])
def test_loinc_check_digit(code):
    assert is_loinc(code)
    assert not is_loinc(code[:-1] + str((int(code[-1]) + 1) % 10))


@pytest.mark.parametrize("text", ["", "2132", "2132-", "-9", "a-1", "Sep-32", "299-12"])
def test_what_is_no_loinc_code(text):
    assert not is_loinc(text)


def _table(name):
    return tomllib.loads((files("schemas.analytes") / f"{name}.toml").read_text("utf-8"))


def _refused(changes, name="vitamin_b12"):
    return {name: read_analyte(name, _table(name) | changes)}


def test_the_shipped_tables_pass():
    check_registry(
        {"vitamin_b12": read_analyte("vitamin_b12", _table("vitamin_b12")), "folate": registry()["folate"]}
        | dict(registry())
    )


@pytest.mark.parametrize(
    "changes",
    [
        {
            "fingerprints": [
                {"unit": unit, "pairs": [["187", "883"]], "verified": True, "source": "test"}
                for unit in ("pg/mL", "pmol/L")
            ]
        },
        {"fingerprints": [{"unit": "mmHg", "pairs": [["1", "2"]], "verified": True, "source": "test"}]},
        {"units": ["pg/mL", "furlong"]},
        {"loinc": {"mass": ["2132-8"]}},
        {"bounds": {"hard": [50, 2000], "soft": [1, 3000]}},
        {"names": {"en": ["Sodium"]}},
        {"names": {"en": ["TG"]}},
        {"sdtm": {"codes": ["ALB"]}},
    ],
    ids=[
        "pair for two units",
        "unit of a pair",
        "unit",
        "check digit",
        "bounds",
        "name of another",
        "collision",
        "test code",
    ],
)
def test_a_table_that_contradicts_itself_is_refused(changes):
    with pytest.raises(DefinitionError):
        check_registry(dict(registry()) | _refused(changes))


def test_the_same_pair_may_stand_for_units_of_one_size():
    same = [
        {"unit": u, "pairs": [["187", "883"]], "verified": True, "source": "test"} for u in ("pg/mL", "ng/L")
    ]
    check_registry(dict(registry()) | _refused({"fingerprints": same}))


def test_a_code_for_two_analytes_is_refused():
    with pytest.raises(DefinitionError, match="LOINC 2132-9"):
        check_registry(dict(registry()) | _refused({"loinc": {"mass": ["2132-9"]}}, "folate"))


def test_the_list_of_others_is_long_and_names_the_variants():
    assert len(others()) > 1000
    assert {o.variant_of for o in others()} >= {"", "creatinine", "haemoglobin", "vitamin_d_25oh", "ft3"}
