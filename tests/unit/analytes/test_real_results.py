"""Results of real trials, as first reported, through names, numbers, units and bounds."""

from __future__ import annotations

import polars as pl
import pytest

from etl.harmonize.analytes import recognise
from etl.harmonize.numbers import decide_decimal, decimal_evidence, parse_results
from etl.harmonize.units import settle_units
from schemas.analytes import registry

# Counted in the file itself, by test code.
ACCEPTED = {
    "alt": 1814,
    "ast": 1814,
    "urea": 1828,
    "total_cholesterol": 1828,
    "creatinine": 1828,
    "glucose": 1810,
    "hba1c": 8,
    "haemoglobin": 1809,
    "mcv": 1790,
    "tsh": 271,
    "uric_acid": 1828,
    "vitamin_b12": 272,
}


def _read(path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False).with_columns(
        analyte_source="LBTEST",
        code_source="LBTESTCD",
        code_system=pl.lit("sdtm"),
        category="LBCAT",
        specimen_source=pl.lit(None, pl.String),
        unit_source="LBORRESU",
        ref_low=pl.col("LBORNRLO").cast(pl.Float64, strict=False),
        ref_high=pl.col("LBORNRHI").cast(pl.Float64, strict=False),
        unit_declared=pl.lit(None, pl.String),
        override=pl.lit(value=False),
    )


def _joined(rows: pl.DataFrame, found: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return rows.join(found, on=keys, how="left", nulls_equal=True, validate="m:1")


def _harmonized(rows: pl.DataFrame) -> pl.DataFrame:
    names = ["analyte_source", "code_source", "code_system", "category", "specimen_source", "unit_source"]
    rows = _joined(rows, recognise(rows.select(names).unique(), {}).rename({"reason": "name_reason"}), names)
    units = ["analyte", "measured_as", "unit_source", "ref_low", "ref_high", "code_source", "code_system"]
    units += ["unit_declared", "override"]
    rows = _joined(rows, settle_units(rows.select(units).unique()).rename({"reason": "unit_reason"}), units)
    decimal = decide_decimal(decimal_evidence(rows["LBORRES"]), None).value
    parsed = parse_results(rows["LBORRES"], decimal, []).rename(
        {"source": "LBORRES", "reason": "number_reason"}
    )
    rows = _joined(rows, parsed, ["LBORRES"])
    return rows.with_columns(canonical=pl.col("value") * pl.col("factor") + pl.col("offset"))


def _bounds() -> pl.DataFrame:
    return pl.DataFrame(
        [(a.id, *a.hard) for a in registry().values()], schema=["analyte", "low", "high"], orient="row"
    )


def test_pilot_study(shared):
    rows = _harmonized(_read(shared / "cdisc/pilot/lb_original.csv.gz")).join(
        _bounds(), on="analyte", how="left"
    )
    assert rows.height == 59580
    assert rows.filter(pl.col("bucket") == "out_of_scope").height == 42680
    studied = rows.filter(pl.col("analyte").is_not_null())
    held = studied.filter(
        pl.any_horizontal(pl.col("name_reason", "unit_reason", "number_reason").is_not_null())
        | ~pl.col("canonical").is_between("low", "high")
        | pl.col("canonical").is_null()
    )
    assert held.height == 0
    assert dict(studied.group_by("analyte").len().iter_rows()) == ACCEPTED
    assert sum(ACCEPTED.values()) == 16900


def test_pilot_study_converts(shared):
    """By hand: 14 mg/dL of urea nitrogen is 4.998 mmol/L, 1.0 mg/dL creatinine 88.40 umol/L, `<40` mg/dL glucose 2.22."""
    rows = _harmonized(_read(shared / "cdisc/pilot/lb_original.csv.gz"))
    for test, text, value in [
        ("BUN", "14", 4.9976),
        ("CREAT", "1.0", 88.40),
        ("GLUC", "<40", 2.2203),
        ("TSH", "0", 0.0),
    ]:
        found = rows.filter((pl.col("LBTESTCD") == test) & (pl.col("LBORRES") == text))
        assert found.height > 0
        assert found["canonical"].to_list() == pytest.approx([value] * found.height, rel=1e-4)
    assert rows.filter(pl.col("LBORRES") == "<40")["comparator"].unique().to_list() == ["<"]


def test_reported_si_results_agree(shared):
    """The sponsor reported original and SI results; both, made canonical, agree within 0.1 %."""
    rows = _harmonized(_read(shared / "cdisc/pharmaversesdtm/lb_metabolic.csv"))
    rows = rows.filter(pl.col("analyte").is_not_null(), pl.col("LBSTRESN").is_not_null())
    si = settle_units(
        rows.select(
            "analyte", "measured_as", "code_source", "code_system", "unit_declared", "override"
        ).with_columns(
            unit_source=rows["LBSTRESU"], ref_low=pl.lit(None, pl.Float64), ref_high=pl.lit(None, pl.Float64)
        )
    )
    reported = rows["LBSTRESN"].cast(pl.Float64) * si["factor"] + si["offset"]
    ratio = (rows["canonical"] / reported - 1).abs()
    assert set(rows["analyte"]) == {"ast", "total_cholesterol", "glucose", "hba1c", "triglycerides"}
    assert rows.height > 150
    assert ratio.null_count() == 0
    assert ratio.max() < 0.001
