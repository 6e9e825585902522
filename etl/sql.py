"""Read-only SQL for data managers: one query, five formats."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import duckdb
import polars as pl

from etl.study import ready_views
from schemas.errors import UsageError
from warehouse.connection import open_warehouse
from warehouse.errors import query_error

FORMATS = ("table", "csv", "json", "parquet", "markdown")
_ENDINGS = {
    "": "table",
    ".txt": "table",
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".md": "markdown",
}


def run_sql(warehouse: Path, query: str) -> pl.DataFrame:
    """Return the rows of one query. Raises UsageError with what the query gets wrong, never a cell of the data."""
    ready_views(warehouse)
    with open_warehouse(warehouse, read_only=True) as connection:
        # A read-only warehouse still lets `copy ... to` write over any other file, its key among them.
        connection.execute("set enable_external_access = false")
        try:
            relation = connection.sql(query)
            if relation is None:
                raise UsageError("The query returns no rows.", "`etl sql` only reads.", "write a select")
            rows: pl.DataFrame = relation.pl()
        except duckdb.Error as error:
            raise query_error(error) from None
    return rows


def render(rows: pl.DataFrame, form: str) -> bytes:
    """Return the rows in one of FORMATS. Raises UsageError for another word."""
    if form == "csv":
        return _flat(rows).write_csv().encode()
    if form == "json":
        return (rows.write_json() + "\n").encode()
    if form == "parquet":
        buffer = io.BytesIO()
        rows.write_parquet(buffer)
        return buffer.getvalue()
    if form in {"table", "markdown"}:
        style: Literal["ASCII_MARKDOWN", "UTF8_FULL_CONDENSED"]
        style = "ASCII_MARKDOWN" if form == "markdown" else "UTF8_FULL_CONDENSED"
        with pl.Config(
            tbl_formatting=style, tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=200, tbl_width_chars=10_000,
            tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, thousands_separator=None,
        ):  # fmt: skip
            return f"{rows}\n".encode()
    raise UsageError(
        f"There is no format '{form}'.",
        "It is none of those that a table can be written in.",
        f"--format with one of: {', '.join(FORMATS)}",
    )


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    """Write lists as text, which CSV cannot hold otherwise."""
    nested = [name for name, kind in rows.schema.items() if kind.is_nested()]
    return rows.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("; ") for name in nested)


def chosen_format(form: str | None, output: Path | None) -> str:
    """Return the format asked for, else the one that the file's ending says, else a table. Raises UsageError."""
    if form or output is None:
        return form or "table"
    ending = output.suffix.lower()
    if ending not in _ENDINGS:
        raise UsageError(
            f"Rows cannot be written as '{ending}'.",
            "The ending chooses the format.",
            f"a name that ends in {', '.join(filter(None, _ENDINGS))}; or --format with one of: {', '.join(FORMATS)}",
        )
    return _ENDINGS[ending]
