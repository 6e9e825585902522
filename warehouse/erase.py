"""Erase: every row of a subject leaves core, and the sealed originals of its held records are deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

_PERSON = """
    with recursive link as (
        select subject_id as one, linked_subject_id as other from core.subject_link
        union select linked_subject_id, subject_id from core.subject_link
    ),
    person as (
        select ?::varchar as subject_id
        union
        select link.other from person inner join link on link.one = person.subject_id
    )
    select subject_id from person order by all
"""

_ROWS = """
    select load.load_id, load.site, load.feed, row.kind, count(*) as rows
    from (
        select file_id, subject_id, 'results' as kind from core.lab_result
        union all
        select file_id, subject_id, 'answers' from core.response
        union all
        select file_id, subject_id, 'conditions' from core.condition
        union all
        select file_id, subject_id, 'medications' from core.medication
        union all
        select file_id, subject_id, 'attributes' from core.subject_attribute
    ) as row
    inner join meta.load as load on load.file_id = row.file_id and load.status = 'active'
    where row.subject_id in (select unnest(?))
    group by all order by load.site, load.feed, row.kind, load.load_id
"""


def person_of(connection: duckdb.DuckDBPyConnection, subject_id: str) -> list[str]:
    """Return a subject id with all those that crosswalks and decisions link to it."""
    return [found for (found,) in connection.execute(_PERSON, [subject_id]).fetchall()]


def rows_of(
    connection: duckdb.DuckDBPyConnection, subjects: Sequence[str]
) -> list[tuple[str, str, str, str, int]]:
    """Return what is loaded of some subjects: load_id, site, feed, kind of rows, and their number."""
    return connection.execute(_ROWS, [list(subjects)]).fetchall()


def delete_subjects(connection: duckdb.DuckDBPyConnection, subjects: Sequence[str]) -> None:
    """Delete every row of core that names one of the subjects; the caller's transaction makes it one step."""
    named = list(subjects)
    connection.execute(
        """
        delete from core.lab_row
        where result_id in (select result_id from core.lab_result where subject_id in (select unnest(?)))
        """,
        [named],
    )
    columns = connection.execute(
        """
        select columns.table_name, columns.column_name
        from duckdb_columns() as columns
        semi join duckdb_tables() as tables
            on tables.schema_name = columns.schema_name and tables.table_name = columns.table_name
        where columns.schema_name = 'core' and columns.column_name in ('subject_id', 'linked_subject_id')
        order by all
        """
    ).fetchall()
    for table, column in columns:
        connection.execute(f"delete from core.{table} where {column} in (select unnest(?))", [named])
    connection.execute(
        "delete from core.lab_context where context_id not in (select context_id from core.lab_row)"
    )


def withdraw_held(
    connection: duckdb.DuckDBPyConnection, record_ids: Sequence[str], who: str, at: datetime
) -> None:
    """Delete the originals of held records; the records stay, without them, so that counts still add up."""
    connection.execute(
        """
        update quarantine.record set status = 'withdrawn', raw_sealed = null, resolved_by = ?, resolved_at = ?
        where record_id in (select unnest(?::uuid[]))
        """,
        [who, at, list(record_ids)],
    )
