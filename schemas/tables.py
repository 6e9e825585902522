"""Row rules of the core tables, as pandera schemas over eager polars frames.

A rule is named `<column>|<rule>` and belongs to one reason of the catalogue. Rules look at their own row only; what
needs other rows is an expectation on the warehouse. check_rows() is the boundary behind which pandera's messages,
which quote cells, stay.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

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


@cache
def lab_result_rules(latest: datetime) -> pa.DataFrameSchema:
    """Return the rules of a harmonized laboratory result.

    Needs the columns of core.lab_result that they name, and beside them hard_low, hard_high and unit_canonical of
    the row's analyte. latest: no result can be later than this (local time).
    """
    import pandera.polars as pa

    value, unit = pl.col("value"), pl.col("unit")
    is_absent, is_settled = pl.col("absent_reason").is_not_null(), pl.col("unit_basis").is_not_null()
    columns = {
        "value": [
            _rule("value|finite", value.is_finite()),
            _rule("value|within_hard_bounds", value.is_between(pl.col("hard_low"), pl.col("hard_high"))),
            _rule("value|present_or_absent_reason", ~is_settled | (value.is_null() == is_absent)),
        ],
        "comparator": [_rule("comparator|known", pl.col("comparator").is_in(COMPARATORS))],
        "unit": [_rule("unit|canonical", unit == pl.col("unit_canonical"))],
        "unit_basis": [_rule("unit_basis|evidence", value.is_null() | pl.col("unit_basis").is_not_null())],
        "collected_at": [_rule("collected_at|possible", pl.col("collected_at").is_between(EARLIEST, latest))],
        "resulted_at": [_rule("resulted_at|possible", pl.col("resulted_at").is_between(EARLIEST, latest))],
    }
    return pa.DataFrameSchema(
        {name: pa.Column(checks=checks, nullable=True) for name, checks in columns.items()}
    )


@cache
def subject_rules() -> pa.DataFrameSchema:
    """Return the rule of a subject's id: nothing but a pseudonym, whose length no number of a hospital has."""
    import pandera.polars as pa

    checks = [_rule("subject_id|pseudonym", pl.col("subject_id").str.len_bytes() == 26)]
    return pa.DataFrameSchema({"subject_id": pa.Column(checks=checks, nullable=True)})


def _rule(name: str, keep: pl.Expr) -> pa.Check:
    import pandera.polars as pa

    return pa.Check(_expression(keep), name=name)


def _expression(keep: pl.Expr) -> Callable[..., pl.LazyFrame]:
    """Wrap a polars expression as a pandera check; a null is for other rules to judge."""

    def check(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(keep.fill_null(value=True).alias(data.key))

    return check


def check_rows(schema: pa.DataFrameSchema, rows: pl.DataFrame) -> pl.DataFrame:
    """Return one line a broken rule: index (row of the frame), reason. Never a cell, never an exception."""
    from pandera.errors import SchemaErrors

    empty = pl.DataFrame(schema={"index": pl.UInt32, "reason": pl.String})
    if rows.is_empty():
        return empty
    try:
        schema.validate(rows, lazy=True)
    except SchemaErrors as broken:
        cases: pl.DataFrame = broken.failure_cases
        unknown = cases.filter(~pl.col("check").is_in(list(REASONS)))["check"].unique().to_list()
        if unknown:
            raise RuntimeError(f"rules without a reason failed: {len(unknown)}") from None
        return cases.select(
            pl.col("index").cast(pl.UInt32), pl.col("check").replace_strict(REASONS).alias("reason")
        ).unique(maintain_order=True)
    return empty
