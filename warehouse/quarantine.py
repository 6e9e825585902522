"""Held records: what is open and why, one record, and the files that a replay has to read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from schemas.errors import UsageError
from warehouse.seal import unseal

# A prefix of an id is enough where it is unambiguous; shorter ones rarely are.
SHORTEST = 6

_ASSIGNED = """
    select (target ->> 'record_id')::uuid as record_id, arg_max(new, decided_at) as assigned_to
    from meta.decision where kind = 'assign' group by all
"""

_FILTERED = """
    from quarantine.record as record
    where ($status is null or record.status = $status)
        and ($reason is null or list_contains(record.reasons, $reason))
        and ($site is null or record.site = $site)
        and ($feed is null or record.feed = $feed)
"""

_GROUPS = f"""
    with chosen as (select record.* {_FILTERED}),
    assigned as ({_ASSIGNED})
    select
        reason, chosen.site, chosen.feed, count(*) as records, count(distinct chosen.file_id) as files,
        count(assigned.assigned_to) as assigned
    from (select *, unnest(reasons) as reason from chosen) as chosen
    left join assigned on assigned.record_id = chosen.record_id
    where $reason is null or reason = $reason
    group by reason, chosen.site, chosen.feed
    order by records desc, reason, chosen.site, chosen.feed
"""

_RECORDS = f"""
    with chosen as (select record.* {_FILTERED}),
    assigned as ({_ASSIGNED})
    select
        chosen.record_id::varchar as record_id, chosen.site, chosen.feed, chosen.file_id, file.sha256, file.encoding, chosen.row_number,
        chosen.locator, chosen.stage, chosen.reasons, chosen.measure, chosen.status, chosen.first_seen_at,
        chosen.resolved_at, chosen.resolved_by, chosen.corrects::varchar as corrects, assigned.assigned_to,
        chosen.raw_sealed, file.name_sealed
    from chosen
    left join meta.source_file as file on file.file_id = chosen.file_id
    left join assigned on assigned.record_id = chosen.record_id
    order by chosen.site, chosen.feed, chosen.file_id, chosen.row_number, chosen.locator
"""


@dataclass(frozen=True)
class Chosen:
    """Which held records are meant; None means every one."""

    reason: str | None = None
    site: str | None = None
    feed: str | None = None
    status: str | None = "open"


@dataclass(frozen=True)
class Group:
    """Held records of one reason, site and feed; a record with two reasons is in two groups."""

    reason: str
    site: str
    feed: str
    records: int
    files: int
    assigned: int


@dataclass(frozen=True)
class HeldRecord:
    """One held record. The locator may name a sheet, and the sealed parts hold what the source says."""

    record_id: str
    site: str
    feed: str
    file_id: str
    sha256: str | None
    encoding: str | None
    row_number: int
    locator: str
    stage: str
    reasons: list[str]
    measure: str | None
    status: str
    first_seen_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    corrects: str | None
    assigned_to: str | None
    raw_sealed: bytes | None
    name_sealed: bytes | None


@dataclass(frozen=True)
class HeldFile:
    """A file that has open records."""

    site: str
    feed: str
    sha256: str
    path: str
    records: int


def groups(connection: duckdb.DuckDBPyConnection, chosen: Chosen) -> list[Group]:
    """Return how many records are held, by reason, site and feed."""
    return [Group(*row) for row in connection.execute(_GROUPS, vars(chosen)).fetchall()]


def records(connection: duckdb.DuckDBPyConnection, chosen: Chosen) -> list[HeldRecord]:
    """Return the held records that are meant, in the order of their files."""
    return [HeldRecord(*row) for row in connection.execute(_RECORDS, vars(chosen)).fetchall()]


def number(connection: duckdb.DuckDBPyConnection, chosen: Chosen) -> int:
    """Return how many records are meant, each once."""
    return int(connection.execute(f"select count(*) {_FILTERED}", vars(chosen)).fetchall()[0][0])


def find(connection: duckdb.DuckDBPyConnection, given: str) -> list[HeldRecord]:
    """Return the rows of one held record; damage that came in two files has two. Raises UsageError.

    given: its id, with or without hyphens, or the beginning of it.
    """
    wanted = plain_id(given)
    ids = connection.execute(
        "select distinct record_id::varchar from quarantine.record where replace(record_id::varchar, '-', '') like ? || '%'",
        [wanted],
    ).fetchall()
    if len(ids) != 1 or len(wanted) < SHORTEST:
        raise _not_one(len(ids))
    every = records(connection, Chosen(status=None))
    return [record for record in every if record.record_id == ids[0][0]]


def plain_id(given: str) -> str:
    """Return an id as lower-case hexadecimal digits; what is no id is an empty text."""
    wanted = given.strip().lower().replace("-", "")
    return wanted if wanted and not wanted.strip("0123456789abcdef") else "?"


def _not_one(found: int) -> UsageError:
    what = f"{found} held records have an id that begins so." if found else "No held record has this id."
    return UsageError(
        what,
        f"A record is named by its record_id, or by the first digits of it (at least {SHORTEST}).",
        "etl quarantine list --records",
    )


def resolve(
    connection: duckdb.DuckDBPyConnection, record_ids: Sequence[str], status: str, who: str, at: datetime
) -> None:
    """Give records another status, with who decided it and when."""
    connection.execute(
        """
        update quarantine.record set status = ?, resolved_by = ?, resolved_at = ?
        where record_id in (select unnest(?::uuid[]))
        """,
        [status, who, at, list(record_ids)],
    )


def held_files(connection: duckdb.DuckDBPyConnection, chosen: Chosen, seal_key: bytes) -> list[HeldFile]:
    """Return the active files that hold such records, with the path that each was read from."""
    rows = connection.execute(
        f"""
        with chosen as (select record.file_id {_FILTERED})
        select file.site, file.feed, file.sha256, any_value(file.name_sealed), count(*)
        from chosen
        inner join meta.source_file as file on file.file_id = chosen.file_id
        semi join (select file_id from meta.load where status = 'active') as active on active.file_id = chosen.file_id
        group by file.site, file.feed, file.sha256
        order by all
        """,
        vars(chosen),
    ).fetchall()
    return [
        HeldFile(site, feed, sha256, unseal(seal_key, sealed).decode(), held)
        for site, feed, sha256, sealed, held in rows
    ]


def plans(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Return the plan of each file's active load, by file_id."""
    import json

    rows = connection.execute("select file_id, plan from meta.load where status = 'active'").fetchall()
    return {file_id: json.loads(plan) for file_id, plan in rows}


def rare_names(
    connection: duckdb.DuckDBPyConnection, site: str | None, feed: str | None
) -> list[tuple[str, str, str, bytes]]:
    """Return the sealed names out of scope that few subjects share: site, feed, sha256 of the file, and the names."""
    return connection.execute(
        """
        select rare.site, rare.feed, file.sha256, rare.names_sealed
        from quarantine.rare_name as rare inner join meta.source_file as file using (file_id)
        where ($site is null or rare.site = $site) and ($feed is null or rare.feed = $feed)
        order by all
        """,
        {"site": site, "feed": feed},
    ).fetchall()
