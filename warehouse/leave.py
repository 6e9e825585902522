"""A file leaves: replaced under a new plan, or by the next snapshot of its feed."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse import corrections, duplicates, states
from warehouse.ledger import now

_OWNED = (
    "core.lab_row",
    "core.response",
    "core.condition",
    "core.medication",
    "core.subject_attribute",
    "core.subject_identifier",
    "core.subject_link",
    "core.match_set",
    "quarantine.record",
    "quarantine.correction",
    "quarantine.rare_name",
    "meta.duplicate",
)


@dataclass(frozen=True)
class Change:
    """How a snapshot differs from the feed's last delivery, in candidates."""

    unchanged: int
    changed: int
    vanished: int
    new: int


def remove_file(connection: duckdb.DuckDBPyConnection, file_id: str, load_id: str, status: str) -> None:
    """Move a file's rows out of the warehouse; its load stays in meta.load as `replaced` or `withdrawn`."""
    states.touch(connection, file_id)
    duplicates.promote(connection, file_id)
    for table in _OWNED:
        connection.execute(f"delete from {table} where file_id = ?", [file_id])
    connection.execute(
        "delete from core.lab_context where context_id not in (select context_id from core.lab_row)"
    )
    connection.execute(
        "delete from core.lab_subject where subject_no not in (select subject_no from core.lab_row)"
    )
    connection.execute(
        "update meta.load set status = ?, replaced_at = ?, replaced_by = ? where file_id = ? and status = 'active'",
        [status, now(), load_id, file_id],
    )
    states.settle_remembered(connection)
    corrections.settle(connection)


def remember_delivery(connection: duckdb.DuckDBPyConnection, site: str, feed: str) -> None:
    """Keep the ids of a feed's last delivery, to tell later what the next one changed."""
    connection.execute(
        """
        create or replace temp table last_delivery as
        select result_id as record_id, hash(subject_id, analyte, specimen, collected_at) as place
        from core.lab_result where site = $site and feed = $feed
        union all
        select record_id, hash(administration_id, item) from core.response where site = $site and feed = $feed
        """,
        {"site": site, "feed": feed},
    )


def compare_delivery(connection: duckdb.DuckDBPyConnection, site: str, feed: str) -> Change:
    """Return how the feed's rows differ from what remember_delivery() kept."""
    row = connection.execute(
        """
        with present as (
            select result_id as record_id, hash(subject_id, analyte, specimen, collected_at) as place
            from core.lab_result where site = $site and feed = $feed
            union all
            select record_id, hash(administration_id, item) from core.response where site = $site and feed = $feed
        ),
        gone as (select place from last_delivery anti join present using (record_id)),
        come as (select place from present anti join last_delivery using (record_id)),
        changed as (select count(*) as number from come semi join gone using (place))
        select
            (select count(*) from present semi join last_delivery using (record_id)),
            (select number from changed),
            (select count(*) from gone anti join come using (place)),
            (select count(*) from come) - (select number from changed)
        """,
        {"site": site, "feed": feed},
    ).fetchone()
    return Change(*row) if row else Change(0, 0, 0, 0)
