"""Decisions bind record ids and units; they survive refresh, the next delivery and a rebuild."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

# A decision is never changed: a later one of kind `revoke` names it.
IN_FORCE = "decision_id not in (select target ->> 'decision_id' from meta.decision where kind = 'revoke')"


def keep_waived(connection: duckdb.DuckDBPyConnection, file_id: str) -> None:
    """Leave out what was waived: a waived record is not loaded, even if it would parse now."""
    connection.execute(
        f"""
        create or replace temp table waived as
        select (target ->> 'record_id')::uuid as record_id, who from meta.decision
        where kind = 'waive' and {IN_FORCE}
        """
    )
    found = connection.execute("select count(*) from waived").fetchone()
    if not found or not found[0]:
        return
    for table, key, stored in (
        ("core.lab_result", "result_id", "core.lab_row"),
        ("core.response", "record_id", "core.response"),
    ):
        measure = "analyte" if key == "result_id" else "instrument || '/' || item"
        connection.execute(
            f"""
            insert into quarantine.record by name
            select {key} as record_id, site, feed, file_id, row_number, locator, 'decision' as stage,
                ['waived'] as reasons, {measure} as measure, true as comparable, 'open' as status,
                now()::timestamp as first_seen_at
            from {table} where file_id = ? and {key} in (select record_id from waived)
            """,
            [file_id],
        )
        connection.execute(
            f"delete from {stored} where file_id = ? and {key} in (select record_id from waived)", [file_id]
        )
    connection.execute(
        """
        update quarantine.record set status = 'waived', resolved_by = waived.who, resolved_at = now()::timestamp
        from waived where quarantine.record.record_id = waived.record_id and quarantine.record.file_id = ?
        """,
        [file_id],
    )


def erased_subjects(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the subjects whose data may not be loaded any more."""
    rows = connection.execute(
        f"select distinct target ->> 'subject_id' from meta.decision where kind = 'erase' and {IN_FORCE}"
    ).fetchall()
    return [subject for (subject,) in rows]


class UnitDeclaration(NamedTuple):
    """The unit of an analyte in a feed, and the days of collection for which it is declared (ISO, both included)."""

    analyte: str
    unit: str
    override: bool
    valid_from: str | None
    valid_to: str | None


def unit_declarations(connection: duckdb.DuckDBPyConnection, site: str, feed: str) -> list[UnitDeclaration]:
    """Return the unit declarations in force for a feed."""
    rows = connection.execute(
        f"""
        select target ->> 'analyte', new, coalesce((target ->> 'override')::boolean, false), valid_from::varchar, valid_to::varchar
        from meta.decision
        where kind = 'unit' and {IN_FORCE} and target ->> 'site' = ?
            and coalesce(target ->> 'feed', ?) = ?
        order by all
        """,
        [site, feed, feed],
    ).fetchall()
    return [UnitDeclaration(*row) for row in rows]


def column_decisions(connection: duckdb.DuckDBPyConnection, site: str, feed: str, about: str) -> list[str]:
    """Return how the files of a feed that are loaded had something decided, each way once."""
    rows = connection.execute(
        """
        select distinct value from meta.column_decision
        where about = ? and value is not null and load_id in (
            select load_id from meta.load
            where site = ? and feed = ? and status = 'active' and delivery <> 'correction'
        )
        order by value
        """,
        [about, site, feed],
    ).fetchall()
    return [value for (value,) in rows]
