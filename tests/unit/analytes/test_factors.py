"""Factors of the registry: molar-mass arithmetic written out, published tables, known wrong constants, round trips."""

from __future__ import annotations

from fractions import Fraction

import pytest

from schemas.analytes import registry

# From molar masses (g/mol) by hand: mass per volume -> amount per volume divides by the molar mass.
BY_HAND = [
    ("vitamin_b12", None, "pmol/L", Fraction("1355.37") / 1000),  # pmol/L x g/mol = pg/L; /1000 = pg/mL
    ("vitamin_b12", None, "nmol/L", Fraction("1355.37")),
    ("vitamin_b12", None, "ng/dL", Fraction(10)),
    ("holotranscobalamin", None, "pg/mL", 1000 / Fraction("1355.37")),
    ("mma", None, "ng/mL", 1000 / Fraction("118.09")),
    ("homocysteine", None, "mg/L", 1000 / Fraction("135.18")),
    ("folate", None, "nmol/L", Fraction("441.40") / 1000),
    ("ferritin", None, "pmol/L", Fraction(445000) / 10**6),
    ("iron", None, "ug/dL", 10 / Fraction("55.845")),
    ("transferrin", None, "umol/L", Fraction(79570) / 10**6),
    ("haemoglobin", "monomer", "mmol/L", Fraction("16114.5") / 1000),
    ("haemoglobin", "tetramer", "mmol/L", Fraction("64458") / 1000),
    ("creatinine", None, "mg/dL", 10000 / Fraction("113.12")),
    ("urea", "urea", "mg/dL", 10 / Fraction("60.055")),
    ("urea", "urea_nitrogen", "mg/dL", 10 / Fraction("28.0134")),
    ("urea", "urea_nitrogen", "mmol/L", Fraction(1)),
    ("uric_acid", None, "mg/dL", 10000 / Fraction("168.11")),
    ("vitamin_d_25oh", None, "ng/mL", 1000 / Fraction("400.64")),
    ("glucose", None, "mg/dL", 10 / Fraction("180.156")),
    ("ft3", None, "pg/mL", 1000 / Fraction("650.97")),
    ("ft4", None, "ng/dL", 10000 / Fraction("776.87")),
    ("total_cholesterol", None, "mg/dL", 10 / Fraction("386.65")),
    ("triglycerides", None, "mg/dL", 10 / Fraction("885.4")),
    ("crp", None, "nmol/L", Fraction(105000) / 10**6),
    ("alt", None, "ukat/L", Fraction(60)),
    ("height", None, "[in_i]", Fraction("2.54")),
    ("weight", None, "[lb_av]", Fraction("0.45359237")),
    ("weight", None, "500.g", Fraction(1, 2)),
    ("egfr", None, "mL/s/{1.73_m2}", Fraction(60)),
    ("tsh", None, "u[IU]/mL", Fraction(1)),
    ("tsh", None, "mU/L", Fraction(1)),
    ("ast", None, "[IU]/L", Fraction(1)),
    ("transferrin_saturation", None, "1", Fraction(100)),
]


@pytest.mark.parametrize(("analyte", "measured_as", "unit", "factor"), BY_HAND)
def test_factor_is_the_molar_mass_arithmetic(analyte, measured_as, unit, factor):
    conversion = registry()[analyte].conversion(unit, measured_as)
    assert conversion.exact_factor == factor
    assert conversion.factor == float(factor)
    assert conversion.offset == 0


# Printed in tables of conversion factors, five digits; recomputed with ucum-lhc.
PUBLISHED = [
    ("homocysteine", None, "mg/dL", 73.98),
    ("iron", None, "ug/dL", 0.17907),
    ("creatinine", None, "mg/dL", 88.402),
    ("urea", "urea", "mg/dL", 0.16651),
    ("urea", "urea_nitrogen", "mg/dL", 0.35697),
    ("uric_acid", None, "mg/dL", 59.485),
    ("vitamin_d_25oh", None, "ng/mL", 2.4960),
    ("glucose", None, "mg/dL", 0.055507),
    ("ft3", None, "pg/mL", 1.53617),
    ("ft4", None, "ng/dL", 12.8722),
    ("total_cholesterol", None, "mg/dL", 0.025863),
    ("triglycerides", None, "mg/dL", 0.011294),
    ("haemoglobin", None, "mmol/L", 16.114),
    ("mma", None, "ug/L", 8.468),
    ("folate", None, "nmol/L", 0.44140),
]


@pytest.mark.parametrize(("analyte", "measured_as", "unit", "factor"), PUBLISHED)
def test_factor_agrees_with_the_published_one(analyte, measured_as, unit, factor):
    assert registry()[analyte].conversion(unit, measured_as).factor == pytest.approx(factor, rel=1e-4)


# Constants that widely used tools ship, and what they make of an ordinary result.
# analyte, measured as, unit, result, what the wrong constant gives, what is right
WRONG = [
    ("urea", "urea_nitrogen", "mg/dL", 14, 1.14, 5.00),  # 123.07 g/mol
    ("triglycerides", None, "mg/dL", 150, 8.52, 1.69),  # 176.12 g/mol
    ("vitamin_d_25oh", None, "ng/mL", 20, 24.6, 49.9),  # 813.2 g/mol
    ("vitamin_b12", None, "pmol/L", 148, 196.7, 200.6),  # 1.329 pg/mL per pmol/L
    ("crp", None, "nmol/L", 100, 10.0, 10.5),  # 0.1 mg/L per nmol/L
]


@pytest.mark.parametrize(("analyte", "measured_as", "unit", "value", "wrong", "right"), WRONG)
def test_no_wrong_constant_of_other_tools_is_ours(analyte, measured_as, unit, value, wrong, right):
    converted = value * registry()[analyte].conversion(unit, measured_as).factor
    assert converted == pytest.approx(right, rel=5e-3)
    assert abs(converted - wrong) > abs(converted - right) * 5


# The same in the other direction: duplicate rows of one table, of which the last one wins.
# analyte, unit, canonical result, what the wrong constant gives in that unit, what is right
WRONG_BACK = [
    ("creatinine", "mg/dL", 100, 1.1, 1.131),  # 0.011 beside 0.01131
    ("vitamin_d_25oh", "ng/mL", 50, 19.25, 20.03),  # 0.385 beside 0.4006: on the wrong side of 20
    ("ft3", "pg/mL", 5, 324.7, 3.255),  # 64.94 beside 0.651
    ("ldl_cholesterol", "mg/dL", 3.0, 0.078, 116.0),  # 0.02586, inverted
]


@pytest.mark.parametrize(("analyte", "unit", "value", "wrong", "right"), WRONG_BACK)
def test_no_wrong_constant_of_other_tools_is_ours_backwards(analyte, unit, value, wrong, right):
    converted = value / registry()[analyte].conversion(unit).factor
    assert converted == pytest.approx(right, rel=1e-3)
    assert abs(converted - wrong) > abs(converted - right) * 5


def test_mass_and_molar_codes_of_b12_are_paired_and_a_truncated_code_is_none():
    assert {registry()["vitamin_b12"].loinc[code].property for code in ("2132-9", "14685-2")} == {
        "mass",
        "molar",
    }
    assert not any("299-1" in analyte.loinc for analyte in registry().values())


def test_urea_nitrogen_back_to_mass_is_14_not_30():
    # 5.0 mmol/L is 14.0 mg/dL of urea nitrogen; the factor of urea (6.006) makes it 30.0.
    conversion = registry()["urea"].conversion("mg/dL", "urea_nitrogen")
    assert 5.0 / conversion.factor == pytest.approx(14.0, rel=1e-3)


def test_148_pmol_stays_on_its_side_of_200_pg():
    assert 148 * registry()["vitamin_b12"].conversion("pmol/L").factor > 200


def test_hba1c_is_affine():
    # IFCC-NGSP master equation: 6.5 % = 47.5 and 7.0 % = 53.0 mmol/mol.
    conversion = registry()["hba1c"].conversion("mmol/mol")
    for ifcc, ngsp in [(47.5, 6.5), (53.0, 7.0)]:
        assert ifcc * conversion.factor + conversion.offset == pytest.approx(ngsp, abs=0.005)


def test_a_reported_result_converts_cleanly():
    conversion = registry()["vitamin_b12"].conversion("pmol/L")
    assert 145 * conversion.factor + conversion.offset == 196.52865


EVERY = [(a.id, m, u) for a in registry().values() for m in (a.molar_masses or {None: None}) for u in a.units]


@pytest.mark.parametrize(("analyte", "measured_as", "unit"), EVERY)
def test_round_trip(analyte, measured_as, unit):
    conversion = registry()[analyte].conversion(unit, measured_as)
    for value in (0.07, 1.0, 145.0, 1999.9):
        canonical = value * conversion.factor + conversion.offset
        assert (canonical - conversion.offset) / conversion.factor == pytest.approx(value, rel=1e-14)


# One healthy range as two laboratories print it; sources: Abbott, Siemens, Roche (printed pairs), SI conversion tables
# of the textbooks for the rest. Rounding of the printed limits is below 2 %.
SAME_RANGE = [
    ("vitamin_b12", None, ("pg/mL", 187, 883), ("pmol/L", 138, 652)),
    ("vitamin_b12", None, ("pg/mL", 211, 911), ("pmol/L", 156, 672)),
    ("vitamin_b12", None, ("pg/mL", 232, 1245), ("pmol/L", 171, 919)),
    ("vitamin_b12", None, ("pg/mL", 200, 900), ("pmol/L", 148, 664)),
    ("folate", None, ("ng/mL", 3.1, 20.5), ("nmol/L", 7.0, 46.4)),
    ("iron", None, ("ug/dL", 60, 180), ("umol/L", 10.7, 32.2)),
    ("tibc", None, ("ug/dL", 250, 400), ("umol/L", 44.8, 71.6)),
    ("haemoglobin", None, ("g/dL", 13.5, 17.5), ("mmol/L", 8.4, 10.9)),
    ("creatinine", None, ("mg/dL", 0.7, 1.3), ("umol/L", 62, 115)),
    ("urea", "urea_nitrogen", ("mg/dL", 7, 20), ("mmol/L", 2.5, 7.1)),
    ("urea", "urea", ("mg/dL", 15, 43), ("mmol/L", 2.5, 7.2)),
    ("uric_acid", None, ("mg/dL", 3.5, 7.2), ("umol/L", 208, 428)),
    ("vitamin_d_25oh", None, ("ng/mL", 30, 100), ("nmol/L", 75, 250)),
    ("glucose", None, ("mg/dL", 70, 99), ("mmol/L", 3.9, 5.5)),
    ("ft4", None, ("ng/dL", 0.8, 1.8), ("pmol/L", 10.3, 23.2)),
    ("ft3", None, ("pg/mL", 2.0, 4.4), ("pmol/L", 3.1, 6.8)),
    ("total_cholesterol", None, ("mg/dL", 150, 200), ("mmol/L", 3.88, 5.17)),
    ("triglycerides", None, ("mg/dL", 50, 150), ("mmol/L", 0.56, 1.69)),
    ("hdl_cholesterol", None, ("mg/dL", 40, 60), ("mmol/L", 1.03, 1.55)),
    ("ldl_cholesterol", None, ("mg/dL", 60, 130), ("mmol/L", 1.55, 3.37)),
    ("holotranscobalamin", None, ("pmol/L", 37, 188), ("pg/mL", 50, 255)),
    ("mma", None, ("nmol/L", 70, 270), ("umol/L", 0.07, 0.27)),
    ("homocysteine", None, ("mg/L", 0.54, 1.62), ("umol/L", 4, 12)),
    ("ferritin", None, ("ng/mL", 15, 200), ("pmol/L", 33, 450)),
    ("transferrin", None, ("mg/dL", 200, 380), ("g/L", 2.0, 3.8)),
    ("transferrin_saturation", None, ("%", 20, 50), ("1", 0.2, 0.5)),
    ("mcv", None, ("um3", 80, 100), ("fL", 80, 100)),
    ("egfr", None, ("mL/min/{1.73_m2}", 90, 120), ("mL/s/{1.73_m2}", 1.5, 2.0)),
    ("hba1c", None, ("%", 4.0, 6.0), ("mmol/mol", 20, 42)),  # NGSP's table
    ("tsh", None, ("u[IU]/mL", 0.4, 4.2), ("mU/L", 0.4, 4.2)),
    ("crp", None, ("mg/dL", 0.1, 0.8), ("mg/L", 1, 8)),
    ("alt", None, ("U/L", 10, 40), ("ukat/L", 0.17, 0.67)),
    ("ast", None, ("U/L", 20, 48), ("ukat/L", 0.33, 0.8)),
    ("height", None, ("[in_i]", 60, 75), ("m", 1.524, 1.905)),
    ("weight", None, ("[lb_av]", 110, 220), ("kg", 49.9, 99.8)),
    ("bmi", None, ("kg/m2", 18.5, 24.9), ("kg/m2", 18.5, 24.9)),  # stated in no other unit
    ("rbc_folate", None, ("ng/mL", 166, 640), ("nmol/L", 376, 1450)),
]


def test_no_analyte_lacks_a_pair_of_ranges():
    assert {analyte for analyte, *_ in SAME_RANGE} == set(registry())


@pytest.mark.parametrize(("analyte", "measured_as", "one", "other"), SAME_RANGE)
def test_reference_range_maps_onto_reference_range(analyte, measured_as, one, other):
    low, high = _canonical(analyte, measured_as, one)
    assert _canonical(analyte, measured_as, other) == (
        pytest.approx(low, rel=0.025),
        pytest.approx(high, rel=0.025),
    )


def _canonical(analyte, measured_as, printed):
    unit, low, high = printed
    conversion = registry()[analyte].conversion(unit, measured_as)
    return low * conversion.factor + conversion.offset, high * conversion.factor + conversion.offset


@pytest.fixture(scope="module")
def pint_units():
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()


AFFINE = {(analyte.id, each.unit) for analyte in registry().values() for each in analyte.affine}


@pytest.mark.parametrize(
    ("analyte", "measured_as", "unit"), [row for row in EVERY if (row[0], row[2]) not in AFFINE]
)
def test_every_factor_agrees_with_an_independent_library(pint_units, analyte, measured_as, unit):
    """Pint through ucumvert, with the molar mass as a quantity of its own; there and back."""
    known = registry()[analyte]
    stated, canonical = pint_units.from_ucum(unit), pint_units.from_ucum(known.unit)
    mass = known.molar_masses.get(measured_as)
    bridge = float(mass.value) * pint_units.from_ucum("g/mol") if mass else pint_units.from_ucum("1")
    ways = [stated, stated * bridge, stated / bridge]
    way = next(each for each in ways if each.check(canonical.dimensionality))
    factor = known.conversion(unit, measured_as).factor
    assert factor == pytest.approx(way.to(canonical).magnitude, rel=1e-9)
    back = (145.0 * factor * canonical).to(way.units).magnitude / way.magnitude
    assert back == pytest.approx(145.0, rel=1e-9)


def test_what_cannot_measure_an_analyte_has_no_factor():
    for analyte, unit in [
        ("vitamin_b12", "m[IU]/L"),
        ("vitamin_b12", "%"),
        ("egfr", "mL/min"),  # 1.73 m2 dropped
        ("creatinine", "mg/g{creat}"),
        ("creatinine", "mmol/d"),
        ("folate", "ng/mL{RBCs}"),
        ("alt", "umol/L"),
        ("tsh", "umol/L"),
        ("hba1c", "1"),
        ("transferrin_saturation", "mmol/mol"),
        ("uric_acid", "meq/L"),
        ("mcv", "pg"),
    ]:
        assert registry()[analyte].conversion(unit) is None, (analyte, unit)


def test_factors_from_unread_molar_masses_say_so():
    assert not registry()["crp"].conversion("nmol/L").is_verified
    assert not registry()["ferritin"].conversion("pmol/L").is_verified
    assert registry()["crp"].conversion("mg/dL").is_verified
    assert registry()["vitamin_b12"].conversion("pmol/L").is_verified
