"""Identical content within a feed: the first row stays, the others are set aside and can take its place.

A record id is made from site, feed and mapped content, so an equal id means the same content of the same feed.
"""

from __future__ import annotations

from collections.abc import Collection

import duckdb

# Tables whose rows can be compared, with the column of the record id.
TABLES = {
    "core.lab_row": "result_id",
    "core.response": "record_id",
    "core.condition": "record_id",
    "core.medication": "record_id",
    "quarantine.record": "record_id",
}
# Results that may repeat one of their own file wait here: a row that is deleted again by its own transaction makes
# DuckDB write every row of that transaction anew.
DOUBTFUL = "temp.doubtful_row"
# Rows of other files that stand in for those of files that left in this run.
STANDING_IN = "temp.standing_in"
# Rows of these are compared with each other; those of core.lab_row were when they came.
COMPARED = {*TABLES, DOUBTFUL} - {"core.lab_row"}
# Bounds the memory of the comparison: ids are compared in parts of about this many.
PART = 2_000_000


def _comparable(where: str, tables: Collection[str] = tuple(TABLES)) -> str:
    """Return every comparable candidate of some tables under a condition."""
    return "\nunion all\n".join(
        f"select {TABLES[table]} as record_id, file_id, row_number, locator, '{table}' as kept_in "
        f"from {table} where {where}" + (" and comparable" if table == "quarantine.record" else "")
        for table in tables
    )


def make_doubtful(connection: duckdb.DuckDBPyConnection, columns: frozenset[str]) -> frozenset[str]:
    """Make the table of doubtful results, unless this file has one; return its columns."""
    connection.execute(f"create temp table if not exists {DOUBTFUL} as select * from core.lab_row limit 0")
    return columns


def settle_doubtful(connection: duckdb.DuckDBPyConnection, place: tuple[str, str, str]) -> int:
    """Add the doubtful results of a file that repeat none, set the others aside, and return how many those are."""
    connection.execute(
        f"""
        create or replace temp table judged as
        select doubtful.*, known.result_id is not null or row_number() over (
            partition by doubtful.result_id order by doubtful.row_number, doubtful.locator
        ) > 1 as is_repeat
        from {DOUBTFUL} as doubtful
        left join (select distinct result_id from core.lab_row semi join {DOUBTFUL} using (result_id)) as known
            using (result_id)
        """
    )
    connection.execute(
        "insert into core.lab_row by name select * exclude (is_repeat) from judged where not is_repeat"
    )
    moved = connection.execute(
        """
        insert into meta.duplicate
        select
            result_id, $site, $feed, file_id, row_number, coalesce(locator, core.cell_at(cell, row_number)),
            'core.lab_row', false
        from judged left join core.lab_context using (context_id) where is_repeat
        """,
        {"site": place[1], "feed": place[2]},
    ).fetchall()
    connection.execute(f"drop table {DOUBTFUL}")
    return int(moved[0][0])


def has_others(connection: duckdb.DuckDBPyConnection, place: tuple[str, str, str]) -> bool:
    """Tell whether other files of the feed were loaded, whose candidates alone can have the ids of this one's."""
    file_id, site, feed = place
    found = connection.execute(
        "select 1 from meta.load where site = ? and feed = ? and file_id <> ? limit 1", [site, feed, file_id]
    )
    return bool(found.fetchall())


def set_aside(
    connection: duckdb.DuckDBPyConnection, place: tuple[str, str, str], *, among_others: bool
) -> int:
    """Move a file's repeated candidates to meta.duplicate; return how many.

    place: file, site, feed. The file's laboratory results do not repeat each other, but may repeat another file's.
    """
    file_id, site, feed = place
    own = [table for table in TABLES if table != "core.lab_row"]
    parts = 1 + (_count(connection, file_id) // PART if among_others else 0)
    found = 0
    for part in range(parts):
        slice_ = f"where hash(record_id) % {parts} = {part}" if parts > 1 else ""
        repeats = f"select record_id from ({_comparable('file_id = $file', own)}) {slice_}"
        if _find_repeated(connection, file_id, repeats, slice_ if among_others else None):
            found += _move(connection, site, feed)
    return found


def _count(connection: duckdb.DuckDBPyConnection, file_id: str) -> int:
    counted = connection.execute(
        f"select count(*) from ({_comparable('file_id = $file')})", {"file": file_id}
    )
    return int(counted.fetchall()[0][0])


def _find_repeated(
    connection: duckdb.DuckDBPyConnection, file_id: str, repeats: str, elsewhere: str | None
) -> bool:
    """Fill the temporary table `repeated` with the rows that have to go; tell whether there are any.

    repeats: the file's ids that may repeat each other. elsewhere: which of its ids to look for in other files.
    """
    others = f"""
        union
        select record_id from ({_comparable("file_id <> $file")})
        semi join (select record_id from ({_comparable("file_id = $file")}) {elsewhere}) using (record_id)
    """
    connection.execute(
        f"""
        create or replace temp table repeated_id as
        select record_id from ({repeats}) group by record_id having count(*) > 1
        {others if elsewhere is not None else ""}
        """,
        {"file": file_id},
    )
    if not connection.execute("select count(*) from repeated_id").fetchall()[0][0]:
        return False
    connection.execute(
        f"""
        create or replace temp table repeated as
        select * from (
            select *, row_number() over (
                partition by record_id order by file_id = $file, row_number, locator
            ) as place
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
        select
            record_id, $site, $feed, repeated.file_id, repeated.row_number,
            coalesce(repeated.locator, core.cell_at(context.cell, repeated.row_number)), kept_in, false
        from repeated
        left join core.lab_row as result
            on repeated.kept_in = 'core.lab_row' and repeated.record_id = result.result_id
            and repeated.file_id = result.file_id and repeated.row_number = result.row_number
        left join core.lab_context as context using (context_id)
        """,
        {"site": site, "feed": feed},
    ).fetchall()
    for (table,) in connection.execute("select distinct kept_in from repeated").fetchall():
        connection.execute(
            f"""
            delete from {table} using repeated
            where {table}.{TABLES[table]} = repeated.record_id and {table}.file_id = repeated.file_id
                and {table}.row_number = repeated.row_number
                and {table}.locator is not distinct from repeated.locator and repeated.kept_in = '{table}'
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
        update meta.duplicate set promoted = true, kept_in = promoted.table_name from promoted
        where meta.duplicate.record_id = promoted.record_id and meta.duplicate.file_id = promoted.file_id
            and meta.duplicate.row_number = promoted.row_number and meta.duplicate.locator = promoted.locator
        """
    )
    connection.execute(
        f"create temp table if not exists {STANDING_IN} as "
        "select record_id, file_id, row_number, table_name from promoted limit 0"
    )
    connection.execute(f"delete from {STANDING_IN} where file_id = ?", [file_id])  # stood in, and now leaves
    connection.execute(
        f"insert into {STANDING_IN} select record_id, file_id, row_number, table_name from promoted"
    )
    return int(connection.execute("select count(*) from promoted").fetchall()[0][0])


def give_back(connection: duckdb.DuckDBPyConnection, file_id: str, *, has_doubtful: bool) -> None:
    """Take rows that stood in for this file's rows away again, where the file has come back with them.

    A refreshed file leaves and comes again. What stood in for it was read under the old plan, the file's rows are not.
    """
    if not connection.execute(
        "select 1 from duckdb_tables() where temporary and table_name = 'standing_in'"
    ).fetchall():
        return
    doubtful = f"union all select result_id as record_id from {DOUBTFUL}" if has_doubtful else ""
    connection.execute(
        f"""
        create or replace temp table given_back as
        from {STANDING_IN} semi join (
            select record_id from ({_comparable("file_id = $file")}) {doubtful}
        ) using (record_id)
        """,
        {"file": file_id},
    )
    for (table,) in connection.execute("select distinct table_name from given_back").fetchall():
        connection.execute(
            f"""
            delete from {table} using given_back
            where {table}.{TABLES[table]} = given_back.record_id and {table}.file_id = given_back.file_id
                and {table}.row_number = given_back.row_number and given_back.table_name = '{table}'
            """
        )
    same = "using (record_id, file_id, row_number)"
    connection.execute(
        """
        update meta.duplicate set promoted = false
        where (record_id, file_id, row_number) in (select record_id, file_id, row_number from given_back)
        """
    )
    connection.execute(
        f"create or replace temp table standing_in as from {STANDING_IN} anti join given_back {same}"
    )
