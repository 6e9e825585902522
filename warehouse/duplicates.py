"""Identical content within a feed: the first row stays, the others are set aside and can take its place.

A record id is made from site, feed and mapped content, so an equal id means the same content of the same feed.
"""

from __future__ import annotations

import duckdb

# Tables whose rows can be compared, with the column of the record id.
TABLES = {
    "core.lab_row": "result_id",
    "core.response": "record_id",
    "core.condition": "record_id",
    "core.medication": "record_id",
    "quarantine.record": "record_id",
}
# Bounds the memory of the comparison: ids are compared in parts of about this many.
PART = 2_000_000


def _comparable(where: str) -> str:
    """Return every comparable candidate under a condition, wherever it lies."""
    return "\nunion all\n".join(
        f"select {key} as record_id, file_id, row_number, locator, '{table}' as kept_in from {table} where {where}"
        + (" and comparable" if table == "quarantine.record" else "")
        for table, key in TABLES.items()
    )


def set_aside(connection: duckdb.DuckDBPyConnection, file_id: str, site: str, feed: str) -> int:
    """Move the file's repeated candidates to meta.duplicate; return how many."""
    mine, every = connection.execute(
        f"select count(*) filter (where file_id = ?), count(*) from ({_comparable('true')})", [file_id]
    ).fetchall()[0]
    parts = 1 + mine // PART
    found = 0
    for part in range(parts):
        slice_ = f"where hash(record_id) % {parts} = {part}" if parts > 1 else ""
        if _find_repeated(connection, file_id, slice_, has_others=every > mine):
            found += _move(connection, site, feed)
    return found


def _find_repeated(
    connection: duckdb.DuckDBPyConnection, file_id: str, slice_: str, *, has_others: bool
) -> bool:
    """Fill the temporary table `repeated` with the rows that have to go; tell whether there are any."""
    own = f"select record_id from ({_comparable('file_id = $file')}) {slice_}"
    others = f"select record_id from ({_comparable('file_id <> $file')}) semi join own using (record_id)"
    connection.execute(
        f"""
        create or replace temp table repeated_id as
        with own as materialized ({own})
        select record_id from own group by record_id having count(*) > 1
        {f"union {others}" if has_others else ""}
        """,
        {"file": file_id},
    )
    if not connection.execute("select count(*) from repeated_id").fetchall()[0][0]:
        return False
    connection.execute(
        f"""
        create or replace temp table repeated as
        select * from (
            select *, row_number() over (partition by record_id order by file_id = $file, row_number, locator) as place
            from ({_comparable("true")}) semi join repeated_id using (record_id)
        ) where place > 1
        """,
        {"file": file_id},
    )
    return True


def _move(connection: duckdb.DuckDBPyConnection, site: str, feed: str) -> int:
    moved = connection.execute(
        """
        insert into meta.duplicate
        select record_id, $site, $feed, file_id, row_number, locator, kept_in, false from repeated
        """,
        {"site": site, "feed": feed},
    ).fetchall()
    for (table,) in connection.execute("select distinct kept_in from repeated").fetchall():
        connection.execute(
            f"""
            delete from {table} using repeated
            where {table}.{TABLES[table]} = repeated.record_id and {table}.file_id = repeated.file_id
                and {table}.row_number = repeated.row_number and {table}.locator = repeated.locator
                and repeated.kept_in = '{table}'
            """
        )
    return int(moved[0][0])


def promote(connection: duckdb.DuckDBPyConnection, file_id: str) -> int:
    """Let duplicates in other active files take the place of this file's rows; return how many did."""
    connection.execute(
        f"""
        create or replace temp table promoted as
        select spare.*, comparable.kept_in as table_name
        from ({_comparable("file_id = $file")}) as comparable
        join meta.duplicate as spare using (record_id)
        join meta.load as active on active.file_id = spare.file_id and active.status = 'active'
        where spare.file_id <> $file and not spare.promoted
        qualify row_number() over (partition by record_id order by spare.file_id, spare.row_number, spare.locator) = 1
        """,
        {"file": file_id},
    )
    tables = connection.execute("select distinct table_name from promoted").fetchall()
    for (table,) in tables:
        connection.execute(
            f"""
            update {table} set
                file_id = promoted.file_id, row_number = promoted.row_number, locator = promoted.locator
            from promoted
            where {table}.{TABLES[table]} = promoted.record_id and {table}.file_id = ?
                and promoted.table_name = '{table}'
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
    return int(connection.execute("select count(*) from promoted").fetchall()[0][0])
