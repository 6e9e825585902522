"""From a finding to its rows: the unexpected rows of a check, as rows of the warehouse that can be traced."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import polars as pl

from etl.validate import parameters
from expectations.suite import Check
from warehouse import lineage

# So many rows of a finding are looked up.
LIMIT = 200
# A check looks at rows of one of these; the first whose id its query can bring as well is taken.
_IDS = ("result_id", "record_id", "administration_id", "subject_id")


def rows_of_finding(connection: duckdb.DuckDBPyConnection, check: Check) -> tuple[list[lineage.Row], str]:
    """Return the rows that a check does not expect, and a note where it looks at groups and not at rows."""
    predicate = _predicate(check)
    if predicate is None:
        return [], "This check judges groups of rows; its numbers are in the report."
    with connection.cursor() as cursor:
        for name, frame in parameters(connection, _present()).frames.items():
            _install(cursor, name, frame)
        for name in _IDS:
            ids = _ids(cursor, check.rows, predicate, name)
            if ids is not None:
                break
    if ids is None:
        return [], "This check judges groups of rows; its numbers are in the report."
    if not ids:
        return [], "Nothing in the warehouse is unexpected to this check now."
    return _looked_up(connection, name, ids)


def _present() -> datetime:
    return datetime.now(UTC).astimezone().replace(tzinfo=None)


def _install(cursor: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Make a registry readable as the checks name it; the query finds `frame` here by its name."""
    cursor.execute(
        f"create or replace temp table registry_{name} as select {', '.join(frame.columns)} from frame"
    )


def _predicate(check: Check) -> str | None:
    if check.unexpected:
        return check.unexpected
    if check.expectation == "expect_column_values_to_not_be_null":
        return f"{check.kwargs['column']} is null"
    return None


def _ids(cursor: duckdb.DuckDBPyConnection, rows: str, predicate: str, name: str) -> list[str] | None:
    """Return the ids of the unexpected rows; None where the check's rows do not have this id."""
    for query in (rows, _with_id(rows, name)):
        try:
            found = cursor.execute(
                f"select distinct {name}::varchar from (select * from (\n{query}\n)) where {predicate} limit {LIMIT}"
            ).fetchall()
        except (duckdb.BinderException, duckdb.ParserException):
            continue
        return sorted(value for (value,) in found if value)
    return None


def _with_id(rows: str, name: str) -> str:
    """Return the select with one more column; what cannot have it (groups, unions) is refused by the parser or binder."""
    head, word, tail = rows.partition("select ")
    return f"{head}{word}{name}, {tail}"


def _looked_up(
    connection: duckdb.DuckDBPyConnection, name: str, ids: list[str]
) -> tuple[list[lineage.Row], str]:
    rows: list[lineage.Row] = []
    for each in ids:
        if name == "subject_id":
            rows += lineage.rows_of_subject(connection, each)
        elif name == "administration_id":
            rows += lineage.rows_of_administration(connection, each.replace("-", ""))
        else:
            rows += lineage.rows_by_id(connection, each.replace("-", ""))
    note = f"At least {LIMIT} rows are unexpected." if len(ids) == LIMIT else ""
    return rows, note
