"""Row rules of the core tables, as pandera schemas over eager polars frames.

A rule is named `<column>|<rule>` and belongs to one reason of the catalogue. Rules look at their own row only; what
needs other rows is an expectation on the warehouse. check_rows() is the boundary behind which pandera's messages,
which quote cells, stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from schemas.lean_pandera import lean_pandera

if TYPE_CHECKING:
    import pandera.polars as pa

COMPARATORS = ("<", "<=", ">", ">=", "~")
EARLIEST = datetime(1900, 1, 1)

# rule -> reason for which a row that breaks it is held
REASONS = {
    "value|finite": "bad_number",
    "value|within_hard_bounds": "out_of_bounds",
    "value|present_or_absent_reason": "bad_number",
    "comparator|known": "bad_number",
    "unit|canonical": "unit_not_commensurable",
    "unit_basis|evidence": "unit_missing",
    "collected_at|possible": "bad_date",
    "resulted_at|possible": "bad_date",
    "subject_id|pseudonym": "no_subject",
}


@dataclass(frozen=True)
class RowRules:
    """The rules of a table: all together, which is quick, and each by itself, which tells what a row breaks."""

    together: pa.DataFrameSchema
    each: pa.DataFrameSchema


@cache
def lab_result_rules(latest: datetime) -> RowRules:
    """Return the rules of a harmonized laboratory result.

    Needs the columns of core.lab_result that they name, and beside them hard_low, hard_high and unit_canonical of
    the row's analyte. latest: no result can be later than this (local time).
    """
    value, unit, unit_basis = pl.col("value"), pl.col("unit"), pl.col("unit_basis")
    is_absent, is_settled = pl.col("absent_reason").is_not_null(), unit_basis.is_not_null()
    return _rules(
        {
            "value|finite": value.is_finite(),
            "value|within_hard_bounds": value.is_between(pl.col("hard_low"), pl.col("hard_high")),
            "value|present_or_absent_reason": ~is_settled | (value.is_null() == is_absent),
            "comparator|known": pl.col("comparator").is_in(COMPARATORS),
            "unit|canonical": unit == pl.col("unit_canonical"),
            "unit_basis|evidence": value.is_null() | is_settled,
            "collected_at|possible": pl.col("collected_at").is_between(EARLIEST, latest),
            "resulted_at|possible": pl.col("resulted_at").is_between(EARLIEST, latest),
        }
    )


@cache
def subject_rules() -> RowRules:
    """Return the rule of a subject's id: nothing but a pseudonym, whose length no number of a hospital has."""
    return _rules({"subject_id|pseudonym": pl.col("subject_id").str.len_bytes() == 26})


def _rules(rules: dict[str, pl.Expr]) -> RowRules:
    """Make the schemas of some rules; a null is for other rules to judge."""
    kept = {name: keep.fill_null(value=True) for name, keep in rules.items()}
    columns: dict[str, dict[str, pl.Expr]] = {}
    for name, keep in kept.items():
        columns.setdefault(name.partition("|")[0], {})[name] = keep
    first = next(iter(columns))
    together = {first: {f"{first}|together": pl.all_horizontal(kept.values())}}
    return RowRules(_schema(together), _schema(columns))


def _schema(columns: dict[str, dict[str, pl.Expr]]) -> pa.DataFrameSchema:
    pandera = lean_pandera()
    schema: pa.DataFrameSchema = pandera.DataFrameSchema(
        {
            column: pandera.Column(
                checks=[pandera.Check(_check(keep), name=name) for name, keep in rules.items()], nullable=True
            )
            for column, rules in columns.items()
        }
    )
    return schema


def _check(keep: pl.Expr) -> Callable[..., pl.LazyFrame]:
    """Wrap a polars expression as a pandera check."""

    def check(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(keep.alias(data.key))

    return check


def check_rows(rules: RowRules, rows: pl.DataFrame) -> pl.DataFrame:
    """Return one line a broken rule: index (row of the frame), reason. Never a cell, never an exception."""
    empty = pl.DataFrame(schema={"index": pl.UInt32, "reason": pl.String})
    if rows.is_empty() or _failures(rules.together, rows) is None:
        return empty
    cases = _failures(rules.each, rows)
    if cases is None:
        raise RuntimeError("rows break the rules together, but none by itself")
    unknown = cases.filter(~pl.col("check").is_in(list(REASONS)))["check"].unique().to_list()
    if unknown:
        raise RuntimeError(f"rules without a reason failed: {len(unknown)}")
    return cases.select(
        pl.col("index").cast(pl.UInt32), pl.col("check").replace_strict(REASONS).alias("reason")
    ).unique(maintain_order=True)


def _failures(schema: pa.DataFrameSchema, rows: pl.DataFrame) -> pl.DataFrame | None:
    try:
        schema.validate(rows, lazy=True)
    except lean_pandera().errors.SchemaErrors as broken:
        cases: pl.DataFrame = broken.failure_cases
        return cases
    return None
