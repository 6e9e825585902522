"""From a finding to its rows: the unexpected rows of a check, as rows of the warehouse that can be traced."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

_REPORTED = "This check is about whole files or sites; its numbers are in the report."


@dataclass(frozen=True)
class _Members:
    """Where the rows of a group are: their table, their id, and how a group's columns select them."""

    table: str
    id: str
    keys: Mapping[str, str]  # column of the check's rows -> expression over the table

    def query(self, columns: Sequence[str]) -> str | None:
        """Return the ids of a group's rows, for groups in the table `finding_group`; None where nothing selects them."""
        keys = [column for column in columns if column in self.keys]
        if not keys:
            return None
        same = " and ".join(f"{self.keys[key]} is not distinct from finding_group.{key}" for key in keys)
        return f"select {self.id}::varchar from {self.table} as member semi join finding_group on {same} limit {LIMIT}"


_RESULTS = _Members(
    "core.lab_result",
    "result_id",
    {name: f"member.{name}" for name in
     ("site", "feed", "analyte", "value", "collected_at", "source_token", "result_key", "absent_reason", "factor_id")}
    | {"month": "date_trunc('month', member.collected_at)"},
)  # fmt: skip
_RESPONSES = _Members(
    "core.response", "record_id", {name: f"member.{name}" for name in ("site", "feed", "instrument")}
)
_HELD = _Members("quarantine.record", "record_id", {name: f"member.{name}" for name in ("site", "feed")})


def rows_of_finding(connection: duckdb.DuckDBPyConnection, check: Check) -> tuple[list[lineage.Row], str]:
    """Return the rows that a check does not expect, or the rows of the groups that it does not; and a note."""
    with connection.cursor() as cursor:
        known = parameters(connection, _present())
        for name, frame in known.frames.items():
            _install(cursor, name, frame)
        predicate = _predicate(check, known.value_sets)
        name, ids = _own_rows(cursor, check.rows, predicate)
        is_group = ids is None
        if ids is None:
            name, ids = _rows_of_groups(cursor, check, predicate)
    if ids is None:
        return [], _REPORTED
    if not ids:
        return [], "Nothing in the warehouse is unexpected to this check now."
    rows, note = _looked_up(connection, name, ids)
    return rows, f"This check judges groups; these are their rows. {note}".strip() if is_group else note


def _present() -> datetime:
    return datetime.now(UTC).astimezone().replace(tzinfo=None)


def _install(cursor: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    """Make a registry readable as the checks name it; the query finds `frame` here by its name."""
    cursor.execute(
        f"create or replace temp table registry_{name} as select {', '.join(frame.columns)} from frame"
    )


def _predicate(check: Check, value_sets: Mapping[str, Sequence[str]]) -> str:
    """Return the SQL that is true of the rows, or groups, that a check does not expect."""
    if check.unexpected:
        return check.unexpected
    if check.expectation is None:  # numerator and denominator of each group
        return f"100.0 * numerator > {check.threshold} * denominator"
    columns = ", ".join(check.kwargs.get("column_list", [check.kwargs.get("column", "")]))
    if check.expectation == "expect_column_values_to_not_be_null":
        return f"{columns} is null"
    if check.expectation == "expect_column_values_to_be_in_set":
        words = value_sets[str(check.kwargs["value_set"]).removeprefix("$")]
        listed = ", ".join(f"'{word}'" for word in words)
        return f"{columns} not in ({listed})"
    repeated = f"select {columns} from (\n{check.rows}\n) group by all having count(*) > 1"
    return f"({columns}) in ({repeated})"


def _own_rows(cursor: duckdb.DuckDBPyConnection, rows: str, predicate: str) -> tuple[str, list[str] | None]:
    """Return the ids of the unexpected rows, and of what; None where the check's rows have no id."""
    for name in _IDS:
        for query in (rows, _with_id(rows, name)):
            ids = _run(
                cursor,
                f"select distinct {name}::varchar from (select * from (\n{query}\n)) where {predicate}",
            )
            if ids is not None:
                return name, ids
    return "", None


def _run(cursor: duckdb.DuckDBPyConnection, query: str) -> list[str] | None:
    try:
        found = cursor.execute(f"{query} limit {LIMIT}").fetchall()
    except (duckdb.BinderException, duckdb.ParserException):
        return None
    ids = sorted(value for (value,) in found if value)
    return ids if ids or not found else None  # rows without this id have another


def _with_id(rows: str, name: str) -> str:
    """Return the select with one more column; what cannot have it (groups, unions) is refused by the parser or binder."""
    return re.sub(r"\bselect\s", f"select {name}, ", rows, count=1)


def _rows_of_groups(
    cursor: duckdb.DuckDBPyConnection, check: Check, predicate: str
) -> tuple[str, list[str] | None]:
    """Return the ids of the rows in the groups that a check does not expect; None where they are no rows."""
    cursor.execute(
        f"create or replace temp table finding_group as select * from (\n{check.rows}\n) where {predicate}"
    )
    columns = [name for (name, *_) in cursor.execute("describe finding_group").fetchall()]
    if {"analyte", "source_token"} & set(columns):
        members = _RESULTS
    elif "instrument" in columns:
        members = _RESPONSES
    elif check.id == "held_open":
        members = _HELD
    else:
        return "", None
    query = members.query(columns)
    return members.id, sorted(found for (found,) in cursor.execute(query).fetchall()) if query else None


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
