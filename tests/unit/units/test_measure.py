"""The part of UCUM that we claim, against UCUM's own functional tests and against pint."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import pytest

from schemas.units import measure

CASES = Path(__file__).parents[4] / "shared/data/units/ucum-java/UcumFunctionalTests.xml"
needs_cases = pytest.mark.skipif(not CASES.exists(), reason="the UCUM functional tests are not here")


def _cases(kind: str) -> list[dict[str, str]]:
    root = ElementTree.parse(CASES).getroot()
    return [case.attrib for case in root.find(kind)]


@needs_cases
def test_no_invalid_unit_of_the_functional_tests_is_accepted():
    invalid = [case["unit"] for case in _cases("validation") if case["valid"] == "false"]
    assert len(invalid) == 39
    assert [unit for unit in invalid if measure(unit) is not None] == []


@needs_cases
def test_coverage_of_the_valid_units(capsys):
    valid = {case["unit"] for case in _cases("validation") if case["valid"] == "true"}
    claimed = {unit for unit in valid if measure(unit) is not None}
    with capsys.disabled():
        sys.stdout.write(f"\nUCUM functional tests: {len(claimed)} of {len(valid)} valid units are claimed\n")
    assert len(claimed) >= 200


@needs_cases
def test_conversions_of_the_functional_tests(capsys):
    """Each outcome agrees to its last printed digit; what is not claimed needs electricity, light years or pi."""
    compared = 0
    cases = _cases("conversion")
    for case in cases:
        source, target = measure(case["srcUnit"]), measure(case["dstUnit"])
        if source is None or target is None:
            continue
        assert source.kind == target.kind, case
        ours = Fraction(case["value"]) * source.factor / target.factor
        assert abs(ours - Fraction(case["outcome"])) <= _half_a_digit(case["outcome"]), case
        compared += 1
    with capsys.disabled():
        sys.stdout.write(
            f"\nUCUM functional tests: {compared} of {len(cases)} conversions are claimed, all agree\n"
        )
    assert compared >= 23


def _half_a_digit(printed: str) -> Fraction:
    decimals = len(printed.partition("e")[0].partition(".")[2])
    return Fraction(1, 2) / 10**decimals if "e" not in printed else Fraction(0)


@needs_cases
def test_claimed_units_of_the_functional_tests_have_the_sizes_that_pint_gives_them():
    from ucumvert import PintUcumRegistry

    registry = PintUcumRegistry()
    by_kind: dict[object, list[str]] = {}
    for unit in sorted({case["unit"] for case in _cases("validation") if case["valid"] == "true"} - {"Cel"}):
        if (found := measure(unit)) is not None:
            by_kind.setdefault(found.kind, []).append(unit)
    pairs = [(units[0], unit) for units in by_kind.values() for unit in units[1:]]
    assert len(pairs) > 200
    for one, other in pairs:
        theirs = (1 * registry.from_ucum(other) / registry.from_ucum(one)).to_base_units()
        assert theirs.dimensionless, (one, other)
        # pint's millimetre of mercury has more digits than UCUM's 133.322 Pa
        assert float(measure(other).factor / measure(one).factor) == pytest.approx(
            theirs.magnitude, rel=5e-6
        ), other


PAIRS = [
    ("pg/mL", "ng/L"),
    ("ng/dL", "pg/mL"),
    ("ug/dL", "mg/L"),
    ("g/dL", "g/L"),
    ("pmol/L", "nmol/L"),
    ("umol/L", "mmol/L"),
    ("nmol/mL", "umol/L"),
    ("ukat/L", "nkat/L"),
    ("U/L", "ukat/L"),
    ("mL/s", "mL/min"),
    ("fL", "um3"),
    ("[in_i]", "cm"),
    ("[ft_i]", "m"),
    ("[lb_av]", "kg"),
    ("500.g", "kg"),
    ("kg/m2", "g/m2"),
    ("10*9/L", "10*3/uL"),
    ("mm[Hg]", "kPa"),
    ("%", "mmol/mol"),
]


def test_factors_agree_with_pint():
    from ucumvert import PintUcumRegistry

    registry = PintUcumRegistry()
    for one, other in PAIRS:
        ours = measure(one).factor / measure(other).factor
        assert float(ours) == pytest.approx(
            registry.from_ucum(one).to(registry.from_ucum(other)).magnitude, rel=1e-5
        ), one


def test_an_annotation_is_a_kind_of_its_own():
    assert measure("mL/min/{1.73_m2}").kind != measure("mL/min").kind
    assert measure("ng/mL{RBCs}").kind != measure("ng/mL").kind


def test_parentheses_and_powers():
    assert measure("mmol/(8.h)").factor == Fraction(1, 1000) / (8 * 3600)
    assert measure("10*-3.g").factor == Fraction(1, 1000)


@pytest.mark.parametrize(
    "unit", ["PG/ML", "G/L", "T/l", "", "m/", "g//L", "(g", "g)", "µmol/L", "mcg/L", "IU/L", "pM"]
)
def test_what_we_do_not_claim_is_no_measure(unit):
    assert measure(unit) is None
