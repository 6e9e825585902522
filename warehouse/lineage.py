"""Where a row came from: the row, its file and load, the decisions of the load, and what repeats or replaces it."""

from __future__ import annotations

from typing import Any

import duckdb

from warehouse.quarantine import SHORTEST

Row = dict[str, Any]

_RESULT = """
    select
        'result' as kind, result_id::varchar as id, subject_id, analyte as what, row_state as state, site, feed, file_id,
        row_number, locator, collected_at, resulted_at, specimen, result_status, result_key::varchar as result_key,
        comparator, value, unit, unit_basis, unit_flag, factor_id, absent_reason, analyte_source, code_source, value_source,
        unit_source, ref_text, ref_low, ref_high, flag_source, lab_id, platform, method
    from core.lab_result
"""
_RESPONSE = """
    select
        'response' as kind, record_id::varchar as id, subject_id, instrument || '/' || item as what, row_state as state,
        site, feed, file_id, row_number, locator, administration_id::varchar as administration_id, value, absent_reason,
        value_source
    from core.response
"""
_ATTRIBUTE = """
    select
        'attribute' as kind, record_id::varchar as id, subject_id, attribute as what, row_state as state, site, feed,
        file_id, row_number, locator, value, value_source
    from core.subject_attribute
"""
_HISTORY = """
    select
        '{table}' as kind, record_id::varchar as id, subject_id, concept as what, row_state as state, site, feed, file_id,
        row_number, locator, status, started_at, ended_at, code as value_source, text_source
    from core.{table}
"""
_HELD = """
    select
        'held' as kind, record_id::varchar as id, null as subject_id, measure as what, status as state, site, feed, file_id,
        row_number, locator, stage, reasons, corrects::varchar as corrects, resolved_by, raw_sealed
    from quarantine.record
"""
# kind of row -> the select that brings it and the column of its id.
ROWS = {
    "result": (_RESULT, "result_id"),
    "response": (_RESPONSE, "record_id"),
    "attribute": (_ATTRIBUTE, "record_id"),
    "condition": (_HISTORY.format(table="condition"), "record_id"),
    "medication": (_HISTORY.format(table="medication"), "record_id"),
    "held": (_HELD, "record_id"),
}

_LOAD = """
    select
        file.sha256, file.size_bytes, file.format, file.encoding, file.name_sealed, load.load_id, load.run_id,
        load.plan_digest, load.delivery, load.loaded_at, run.command, run.tool_version
    from meta.load as load
    inner join meta.source_file as file using (file_id)
    left join meta.run as run on run.run_id = load.run_id
    where load.file_id = ? and load.status = 'active'
"""
_DUPLICATES = """
    select file.sha256, duplicate.row_number, duplicate.locator
    from meta.duplicate left join meta.source_file as file using (file_id)
    where duplicate.record_id = ?::uuid order by all
"""
_VERSIONS = """
    select result_id::varchar as id, result_status, row_state as state, resulted_at
    from core.lab_result where result_key = ?::uuid and result_id <> ?::uuid order by all
"""
_DECIDED = """
    select kind, old, new, who, why, decided_at from meta.decision
    where target ->> 'record_id' = ? order by decided_at
"""
# The newest validation's verdicts, each with the scope that it is for.
_VERDICTS = """
    select check_id, severity, scope, status, sentence from meta.check_result
    where run_id = (select run_id from meta.check_result order by checked_at desc limit 1) order by check_id, scope
"""


def rows_by_id(connection: duckdb.DuckDBPyConnection, wanted: str) -> list[Row]:
    """Return the rows whose id is, or begins with, these hexadecimal digits."""
    if len(wanted) < SHORTEST:
        return []
    found: list[Row] = []
    for query, key in ROWS.values():
        if len(wanted) == 32:
            found += _rows(connection, f"{query} where {key} = ?::uuid", wanted)
        else:
            found += _rows(
                connection, f"{query} where replace({key}::varchar, '-', '') like ? || '%'", wanted
            )
    return found


def rows_of_administration(connection: duckdb.DuckDBPyConnection, wanted: str) -> list[Row]:
    """Return the answers behind the scores of an administration."""
    if len(wanted) != 32:
        return []
    return _rows(connection, f"{_RESPONSE} where administration_id = ?::uuid order by what", wanted)


def rows_of_subject(connection: duckdb.DuckDBPyConnection, subject_id: str) -> list[Row]:
    """Return everything that is loaded of a subject, and of the identifiers linked to it."""
    subjects = connection.execute(
        """
        select ?::varchar union select linked_subject_id from core.subject_link where subject_id = ?
        union select subject_id from core.subject_link where linked_subject_id = ?
        """,
        [subject_id] * 3,
    ).fetchall()
    named = [subject for (subject,) in subjects]
    return [
        row
        for kind, (query, _) in ROWS.items()
        if kind != "held"
        for row in _rows(
            connection, f"{query} where subject_id in (select unnest(?)) order by what, id", named
        )
    ]


def load_of(connection: duckdb.DuckDBPyConnection, file_id: str) -> Row:
    """Return the active load of a file with its source; empty for a file that left."""
    found = _rows(connection, _LOAD, file_id)
    return found[0] if found else {}


def column_decisions(connection: duckdb.DuckDBPyConnection, load_id: str) -> list[Row]:
    """Return what a load decided for whole columns, with the evidence."""
    query = "select about, value, basis, evidence from meta.column_decision where load_id = ? order by about"
    return _rows(connection, query, load_id)


def duplicates_of(connection: duckdb.DuckDBPyConnection, record_id: str) -> list[Row]:
    """Return where the same content stands again."""
    return _rows(connection, _DUPLICATES, record_id)


def versions_of(connection: duckdb.DuckDBPyConnection, result_key: str | None, result_id: str) -> list[Row]:
    """Return the other versions of a result that its source numbered."""
    return _rows(connection, _VERSIONS, result_key, result_id) if result_key else []


def decisions_on(connection: duckdb.DuckDBPyConnection, record_id: str) -> list[Row]:
    """Return what was decided on a record."""
    return _rows(connection, _DECIDED, record_id)


def verdicts(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    """Return the verdicts of the newest validation."""
    return _rows(connection, _VERDICTS)


def _rows(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> list[Row]:
    cursor = connection.execute(query, list(values))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
