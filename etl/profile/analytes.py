"""The results of a long table by name and unit, as far as enough subjects share both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from etl.disclosure import SMALLEST
from etl.harmonize.numbers import parse_results
from etl.harmonize.spelling import unit_readings
from etl.profile.columns import reading_of
from etl.profile.model import AnalyteProfile
from etl.profile.plots import number_plot
from etl.suggest.tables import Looked

LISTED = 80


def analyte_profiles(
    looked: Looked, fields: Mapping[str, str], subjects: Sequence[str]
) -> tuple[AnalyteProfile, ...]:
    """Return the results of each name and unit, the commonest first. fields: column by field."""
    name, value = fields.get("analyte") or fields.get("code"), fields.get("value")
    if not subjects or name is None or value is None:
        return ()
    unit = pl.col(fields["unit"]) if "unit" in fields else pl.lit("")
    numbers = parse_results(looked.contents[value].distinct, looked.contents[value].decimal, ())
    frame = looked.frame.select(
        pl.col(name).str.strip_chars().alias("name"),
        unit.str.strip_chars().fill_null("").alias("unit"),
        pl.col(value).str.strip_chars().alias("source"),
        pl.col(subjects[0]).alias("subject"),
    ).join(numbers.select("source", "value"), on="source", how="left")
    groups = (
        frame.drop_nulls(["name", "subject"])
        .group_by("name", "unit")
        .agg(pl.len().alias("records"), pl.col("subject").n_unique().alias("subjects"))
        .filter(pl.col("subjects") >= SMALLEST)
        .sort("records", "name", "unit", descending=[True, False, False])
        .head(LISTED)
    )
    return tuple(_one(frame, row, looked.step) for row in groups.iter_rows(named=True))


def _one(frame: pl.DataFrame, row: dict[str, str | int], step: int) -> AnalyteProfile:
    unit = str(row["unit"])
    own = frame.filter((pl.col("name") == row["name"]) & (pl.col("unit") == unit))
    return AnalyteProfile(
        name=str(row["name"]),
        says=reading_of(str(row["name"])),
        unit=unit,
        reads="" if not unit else " or ".join(unit_readings(unit)) or "no known unit",
        records=int(row["records"]) * step,
        numbers=own["value"].len() - own["value"].null_count(),
        plot=number_plot(own.select("value", "subject").drop_nulls()),
    )
