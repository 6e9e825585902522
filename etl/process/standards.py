"""Results that the sender has standardised himself, compared with what the original gives here.

The original is what is loaded; the sender's number only bears witness: where the two disagree, one of the conversions,
or one of the units, is wrong.
"""

from __future__ import annotations

import polars as pl

from etl.harmonize.numbers import parse_results
from etl.harmonize.spelling import unit_readings
from etl.process.roles import text
from schemas.analytes import registry

STANDARD_ROLES = ("standard_value", "standard_unit")
DISAGREES = "standard_disagrees"
TOLERANCE = 0.001  # of the value; more is another factor, not another rounding of one
NUMBER, UNIT, FLAG = text("standard_value"), text("standard_unit"), "standard_flag"


def with_standard_flag(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `standard_flag`: set where the sender's own number differs by more than 0.1 % and its last digit's half.

    frame: analyte, value and unit as settled here, and the texts of STANDARD_ROLES; without them nothing is flagged.
    """
    if not {NUMBER, UNIT} <= set(frame.columns):
        return frame.with_columns(pl.lit(None, pl.String).alias(FLAG))
    stated = frame.select("analyte", UNIT, NUMBER).unique()
    compared = stated.join(_numbers(stated[NUMBER]), on=NUMBER, how="left").join(
        _conversions(stated.select("analyte", UNIT).unique()), on=["analyte", UNIT], how="left"
    )
    known = compared.select(
        "analyte",
        UNIT,
        NUMBER,
        (pl.col("number") * pl.col("factor_there") + pl.col("offset_there")).alias("there"),
        (pl.col("half") * pl.col("factor_there").abs()).alias("rounded"),
    ).drop_nulls()
    joined = frame.join(known, on=["analyte", UNIT, NUMBER], how="left", maintain_order="left")
    apart = (pl.col("value") - pl.col("there")).abs()
    tolerated = pl.max_horizontal(pl.col("there").abs() * TOLERANCE, pl.col("rounded")) * (1 + 1e-9)
    is_apart = pl.col("comparator").is_null() & (apart > tolerated)
    return joined.with_columns(pl.when(is_apart).then(pl.lit(DISAGREES)).alias(FLAG)).drop("there", "rounded")


def _numbers(texts: pl.Series) -> pl.DataFrame:
    """Return the number of each text and half a unit of its last printed digit; what is no plain number has none."""
    parsed = parse_results(texts.drop_nulls(), ".", ()).filter(pl.col("comparator").is_null())
    decimals = pl.col("source").str.strip_chars().str.extract(r"\.(\d+)$").str.len_chars().fill_null(0)
    return parsed.select(
        pl.col("source").alias(NUMBER),
        pl.col("value").alias("number"),
        (0.5 * pl.lit(10.0).pow(-decimals.cast(pl.Float64))).alias("half"),
    ).drop_nulls()


def _conversions(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the conversion of each analyte's stated unit, where exactly one reading of its spelling has one."""
    rows = []
    for analyte, unit in pairs.iter_rows():
        known = registry().get(analyte or "")
        found = [known.conversion(each) for each in unit_readings(unit)] if known else []
        fitting = [each for each in found if each is not None]
        if len(fitting) == 1:
            rows.append((analyte, unit, fitting[0].factor, fitting[0].offset))
    schema = {"analyte": pl.String, UNIT: pl.String, "factor_there": pl.Float64, "offset_there": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")
