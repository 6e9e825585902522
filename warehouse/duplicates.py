"""Identical content within a feed: the first row stays, the others are set aside and can take its place.

A record id is made from site, feed and mapped content, so an equal id means the same content of the same feed.
"""

from __future__ import annotations

import duckdb

# Bounds the memory of the comparison: ids are compared in parts of about this many.
PART = 2_000_000

# Every candidate that can be compared, wherever it lies.
_COMPARABLE = """
    select result_id as record_id, file_id, row_number, locator, 'core.lab_result' as kept_in from core.lab_result
    union all
    select record_id, file_id, row_number, locator, 'core.response' from core.response
    union all
    select record_id, file_id, row_number, locator, 'core.condition' from core.condition
    union all
    select record_id, file_id, row_number, locator, 'core.medication' from core.medication
    union all
    select record_id, file_id, row_number, locator, 'quarantine.record' from quarantine.record where comparable
"""

_REPEATED = f"""
    with comparable as ({_COMPARABLE}),
    mine as (
        select record_id from comparable where file_id = $file and hash(record_id) % $parts = $part
    ),
    repeated as (
        select record_id from comparable semi join mine using (record_id) group by record_id having count(*) > 1
    )
    select
        comparable.*,
        row_number() over (
            partition by record_id order by comparable.file_id = $file, comparable.row_number, comparable.locator
        ) as place
    from comparable semi join repeated using (record_id)
"""


def set_aside(connection: duckdb.DuckDBPyConnection, file_id: str, site: str, feed: str) -> int:
    """Move the file's repeated candidates to meta.duplicate; return how many."""
    mine = connection.execute(
        f"select count(*) from ({_COMPARABLE}) as comparable where file_id = ?", [file_id]
    ).fetchone()
    parts = 1 + (mine[0] if mine else 0) // PART
    moved = 0
    for part in range(parts):
        connection.execute(
            f"create or replace temp table repeated as select * from ({_REPEATED}) where place > 1",
            {"file": file_id, "parts": parts, "part": part},
        )
        found = connection.execute("select count(*), list(distinct kept_in) from repeated").fetchone()
        if not found or not found[0]:
            continue
        moved += found[0]
        _move(connection, found[1], site, feed)
    return moved


def _move(connection: duckdb.DuckDBPyConnection, tables: list[str], site: str, feed: str) -> None:
    connection.execute(
        """
        insert into meta.duplicate
        select record_id, $site, $feed, file_id, row_number, locator, kept_in, false from repeated
        """,
        {"site": site, "feed": feed},
    )
    for table in tables:
        key = "result_id" if table == "core.lab_result" else "record_id"
        connection.execute(
            f"""
            delete from {table} using repeated
            where {table}.{key} = repeated.record_id and {table}.file_id = repeated.file_id
                and {table}.row_number = repeated.row_number and {table}.locator = repeated.locator
                and repeated.kept_in = '{table}'
            """
        )


def promote(connection: duckdb.DuckDBPyConnection, file_id: str) -> int:
    """Let duplicates in other active files take the place of this file's rows; return how many did."""
    connection.execute(
        f"""
        create or replace temp table promoted as
        select spare.*, comparable.kept_in as table_name
        from ({_COMPARABLE}) as comparable
        join meta.duplicate as spare using (record_id)
        join meta.load as active on active.file_id = spare.file_id and active.status = 'active'
        where comparable.file_id = $file and spare.file_id <> $file and not spare.promoted
        qualify row_number() over (partition by record_id order by spare.file_id, spare.row_number, spare.locator) = 1
        """,
        {"file": file_id},
    )
    found = connection.execute("select count(*), list(distinct table_name) from promoted").fetchone()
    if not found or not found[0]:
        return 0
    for table in found[1]:
        key = "result_id" if table == "core.lab_result" else "record_id"
        connection.execute(
            f"""
            update {table} set
                file_id = promoted.file_id, row_number = promoted.row_number, locator = promoted.locator
            from promoted
            where {table}.{key} = promoted.record_id and {table}.file_id = ? and promoted.table_name = '{table}'
            """,
            [file_id],
        )
    connection.execute(
        """
        update meta.duplicate set promoted = true from promoted
        where meta.duplicate.record_id = promoted.record_id and meta.duplicate.file_id = promoted.file_id
            and meta.duplicate.row_number = promoted.row_number and meta.duplicate.locator = promoted.locator
        """
    )
    return int(found[0])
