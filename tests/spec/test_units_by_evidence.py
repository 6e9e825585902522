"""Units by evidence: each row of the table of rules, first match wins. Vitamin B12 unless a row says otherwise.

187-883 is printed for pg/mL, 138-652 for pmol/L; 2132-9 is the mass code, 14685-2 the molar one.
"""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from etl.harmonize.units import CONTEXT, SETTLED, settle_units

SCHEMA = dict.fromkeys(CONTEXT, pl.String) | {
    "ref_low": pl.Float64,
    "ref_high": pl.Float64,
    "override": pl.Boolean,
}
PRINTED = {
    "mass": (187.0, 883.0),
    "molar": (138.0, 652.0),
    "other": (1.0, 2.0),
    "one": (187.0, None),
    "": (None, None),
}
LOINC = {"mass": "2132-9", "molar": "14685-2", "": None}

# analyte columns: unit string | printed range | LOINC | declared | override -> basis | factor id | flag | reason
TABLE = """
pg/mL   | mass  | mass  |        |          -> stated   | pg/mL  |                 |
pg/mL   |       |       |        |          -> stated   | pg/mL  |                 |
pg/mL   | other |       |        |          -> stated   | pg/mL  |                 |
pg/mL   | one   | mass  |        |          -> stated   | pg/mL  |                 |
ng/L    | mass  | mass  |        |          -> stated   | ng/L   |                 |
pmol/L  | molar | molar |        |          -> stated   | pmol/L |                 |
pmol/L  |       | molar |        |          -> stated   | pmol/L |                 |
pmol/L  | mass  |       |        |          ->          |        |                 | unit_range_conflict
pmol/L  | mass  | mass  |        |          ->          |        |                 | unit_range_conflict
pmol/L  | mass  | molar |        |          ->          |        |                 | unit_range_conflict
pg/mL   | molar |       |        |          ->          |        |                 | unit_range_conflict
ng/mL   | mass  |       |        |          ->          |        |                 | unit_range_conflict
pmol/L  | molar | mass  |        |          -> stated   | pmol/L | loinc_disagrees |
pg/mL   | mass  | molar |        |          -> stated   | pg/mL  | loinc_disagrees |
pmol/L  |       | mass  |        |          ->          |        |                 | unit_loinc_conflict
pmol/L  | other | mass  |        |          ->          |        |                 | unit_loinc_conflict
pmol/L  | one   | mass  |        |          ->          |        |                 | unit_loinc_conflict
        | mass  |       |        |          -> range    | pg/mL  |                 |
        | molar | molar |        |          -> range    | pmol/L |                 |
        | molar | mass  |        |          -> range    | pmol/L | loinc_disagrees |
        |       |       |        |          ->          |        |                 | unit_missing
        | other | mass  |        |          ->          |        |                 | unit_missing
        | one   | mass  |        |          ->          |        |                 | unit_missing
NO UNITS|       | mass  |        |          ->          |        |                 | unit_missing
mg      | mass  | mass  |        |          ->          |        |                 | unit_not_commensurable
mIU/L   |       |       |        |          ->          |        |                 | unit_not_commensurable
xyz     | mass  | mass  |        |          ->          |        |                 | unit_unknown
        |       |       | pmol/L |          -> declared | pmol/L |                 |
        | molar |       | pmol/L |          -> declared | pmol/L |                 |
        | other | mass  | pmol/L |          -> declared | pmol/L | loinc_disagrees |
        | mass  |       | pmol/L |          ->          |        |                 | declaration_conflict
        | mass  |       | pmol/L | override -> declared | pmol/L |                 |
        | mass  |       | ng/L   |          -> declared | ng/L   |                 |
pg/mL   |       |       | pmol/L |          ->          |        |                 | declaration_conflict
pg/mL   |       |       | pmol/L | override -> declared | pmol/L |                 |
pg/mL   | mass  | mass  | pmol/L | override -> declared | pmol/L | loinc_disagrees |
mIU/L   |       |       | pmol/L |          ->          |        |                 | declaration_conflict
pg/mL   |       |       | ng/L   |          -> stated   | pg/mL  |                 |
pmol/L  | molar | molar | pmol/L |          -> stated   | pmol/L |                 |
pmol/L  | mass  |       | pmol/L |          ->          |        |                 | declaration_conflict
pmol/L  |       | mass  | pmol/L |          -> declared | pmol/L | loinc_disagrees |
xyz     |       |       | pmol/L |          ->          |        |                 | unit_unknown
xyz     |       |       | pmol/L | override ->          |        |                 | unit_unknown
pmol/L  |       |       | xyz    |          ->          |        |                 | declaration_conflict
pmol/L  |       |       | xyz    | override ->          |        |                 | declaration_conflict
"""
ROWS = [line for line in TABLE.strip().splitlines() if line]


def _context(**cells: object) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(SCHEMA) | cells], schema=SCHEMA)


@pytest.mark.parametrize("row", ROWS)
def test_rule(row):
    given, expected = ([cell.strip() for cell in side.split("|")] for side in row.split("->"))
    unit, printed, loinc, declared, override = given
    basis, unit_used, flag, reason = expected
    low, high = PRINTED[printed]
    settled = settle_units(
        _context(
            analyte="vitamin_b12",
            unit_source=unit or None,
            ref_low=low,
            ref_high=high,
            code_source=LOINC[loinc],
            code_system="loinc" if loinc else None,
            unit_declared=declared or None,
            override=override == "override",
        )
    ).row(0, named=True)
    assert settled["unit_basis"] == (basis or None)
    assert settled["factor_id"] == (f"vitamin_b12:{unit_used}" if unit_used else None)
    assert settled["unit_flag"] == (flag or None)
    assert settled["reason"] == (reason or None)
    assert settled["unit"] == ("pg/mL" if basis else None)
    assert (settled["factor"] is None) == bool(reason)


def test_every_reason_of_the_table_is_in_the_catalogue():
    import tomllib
    from importlib.resources import files

    catalogue = tomllib.loads((files("schemas") / "reasons.toml").read_text("utf-8"))
    reasons = {row.split("|")[-1].strip() for row in ROWS} - {""}
    assert reasons <= set(catalogue)
    assert len(reasons) == 6


def test_the_published_sample():
    """HL7 sample: 2132-9, 145 pmol/L, range 138-652. The value is 145 x 1.35537 = 196.52865 pg/mL."""
    settled = settle_units(
        _context(
            analyte="vitamin_b12", unit_source="pmol/L", ref_low=138.0, ref_high=652.0, code_source="2132-9"
        )
    )
    value = pl.Series([145.0]) * settled["factor"] + settled["offset"]
    assert value.item() == 196.52865
    assert settled["unit_flag"].item() == "loinc_disagrees"


@pytest.mark.parametrize(
    ("analyte", "unit", "factor_id"),
    [
        ("haemoglobin", "G/L", "haemoglobin:g/L"),  # gram, not giga
        ("tsh", "µU/ml", "tsh:uU/mL"),
        ("ast", "IU/L", "ast:[IU]/L"),
        ("alt", "E/l", "alt:U/L"),
        ("weight", "斤", "weight:500.g"),
        ("hba1c", "mmol/mol", "hba1c:mmol/mol"),
        ("egfr", "ml/min/1,73m²", "egfr:mL/min/{1.73_m2}"),
    ],
)
def test_spellings_of_the_analyte(analyte, unit, factor_id):
    assert settle_units(_context(analyte=analyte, unit_source=unit))["factor_id"].item() == factor_id


@pytest.mark.parametrize(
    ("measured_as", "factor"),
    [("urea", 10 / 60.055), ("urea_nitrogen", 10 / 28.0134), (None, 10 / 60.055)],
)
def test_what_is_measured_picks_the_factor(measured_as, factor):
    settled = settle_units(_context(analyte="urea", measured_as=measured_as, unit_source="mg/dL"))
    assert settled["factor"].item() == pytest.approx(factor, rel=1e-15)


def test_an_ifcc_code_with_percent_may_mean_either_scale():
    settled = settle_units(
        _context(analyte="hba1c", unit_source="%", code_source="59261-8", code_system="loinc")
    )
    assert settled["reason"].item() == "unit_loinc_conflict"


def test_a_factor_from_memory_is_flagged():
    settled = settle_units(_context(analyte="crp", unit_source="nmol/L"))
    assert settled["unit_flag"].item() == "factor_unverified"


def test_the_mapping_may_teach_a_spelling():
    settled = settle_units(_context(analyte="vitamin_b12", unit_source="pikomol"), {"pikomol": "pmol/L"})
    assert (settled["unit_stated"].item(), settled["unit_basis"].item()) == ("pmol/L", "stated")


def test_rows_and_order_are_kept_and_no_analyte_settles_nothing():
    contexts = pl.concat([_context(unit_source="pg/mL"), _context(analyte="vitamin_b12", unit_source="ng/L")])
    settled = settle_units(contexts)
    assert_frame_equal(settled.select(CONTEXT), contexts)
    assert settled.select(list(SETTLED)).row(0) == (None,) * len(SETTLED)
    assert settle_units(contexts.clear()).schema == SCHEMA | SETTLED
