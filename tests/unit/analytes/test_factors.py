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


def test_urea_nitrogen_back_to_mass_is_14_not_30():
    # 5.0 mmol/L is 14.0 mg/dL of urea nitrogen; the factor of urea (6.006) makes it 30.0.
    conversion = registry()["urea"].conversion("mg/dL", "urea_nitrogen")
    assert 5.0 / conversion.factor == pytest.approx(14.0, rel=1e-3)


def test_ldl_is_not_inverted():
    # 3.0 mmol/L is 116 mg/dL, not 0.078.
    assert 3.0 / registry()["ldl_cholesterol"].conversion("mg/dL").factor == pytest.approx(116.0, rel=1e-3)


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
]


@pytest.mark.parametrize(("analyte", "measured_as", "one", "other"), SAME_RANGE)
def test_reference_range_maps_onto_reference_range(analyte, measured_as, one, other):
    low, high = _canonical(analyte, measured_as, one)
    assert _canonical(analyte, measured_as, other) == (
        pytest.approx(low, rel=0.025),
        pytest.approx(high, rel=0.025),
    )


def _canonical(analyte, measured_as, printed):
    unit, low, high = printed
    factor = registry()[analyte].conversion(unit, measured_as).factor
    return low * factor, high * factor


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
