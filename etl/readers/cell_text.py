"""Typed cells as the text that a sender would write: shortest digits, ISO dates, true and false.

A number of 1E+16 and more keeps its exponent: a double does not hold all of its digits, so that as an identifier
it is recognised as rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from etl.readers.base import ROW

CLOCK = "%H:%M:%S%.f"


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with every column as text; an empty cell and NaN are null. Columns are flat."""
    return frame.select(_text(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items())


def numbered(frame: pl.DataFrame, columns: Sequence[str], done: int) -> pl.DataFrame:
    """Return a batch's frame: the first columns as text under these names, and row_number behind `done` rows."""
    rows = pl.int_range(done + 1, done + frame.height + 1, dtype=pl.Int64, eager=True).alias(ROW)
    texts = as_text(frame.select(frame.columns[: len(columns)])) if columns else frame.select()
    texts.columns = list(columns)
    return pl.DataFrame([*texts.get_columns(), rows])


def _text(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_float():
        digits = cell.fill_nan(None).cast(pl.String).str.strip_suffix(".0")
        return pl.when(digits == "-0").then(pl.lit("0")).otherwise(digits)
    if isinstance(dtype, pl.Datetime):
        zone = "%:z" if dtype.time_zone else ""
        return cell.dt.to_string(f"%Y-%m-%d {CLOCK}{zone}")
    if isinstance(dtype, pl.Time):
        return cell.dt.to_string(CLOCK)
    if isinstance(dtype, pl.Duration):
        return _seconds(cell.dt.total_microseconds())
    text = cell.cast(pl.String, strict=False)
    return pl.when(text != "").then(text)


def _seconds(microseconds: pl.Expr) -> pl.Expr:
    """Write a length of time in seconds; by digits, since dividing would add some."""
    sign = pl.when(microseconds < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    fraction = (microseconds.abs() % 1_000_000).cast(pl.String).str.zfill(6)
    digits = pl.format("{}{}.{}", sign, microseconds.abs() // 1_000_000, fraction)
    return digits.str.strip_chars_end("0").str.strip_suffix(".")
