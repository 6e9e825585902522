"""Status: what is loaded, what is stale, what is open."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from etl.inspect import mapping_digest, registry_digest
from etl.sites.mapping import SiteMapping
from warehouse.connection import open_warehouse
from warehouse.verify import broken_ledger, unbalanced_loads


@dataclass(frozen=True)
class Status:
    """The state of a warehouse, as counts."""

    feeds: list[dict[str, Any]]
    held: list[dict[str, Any]]
    stale: list[dict[str, Any]]
    checks: list[dict[str, Any]]
    findings: list[dict[str, Any]]  # what failed or could not run
    is_validation_old: bool  # something was loaded since
    unbalanced: list[str]
    broken_ledger: list[str]

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


def status(warehouse: Path, sites: dict[str, SiteMapping] | None = None) -> Status:
    """Return the state of a warehouse. Raises WarehouseMissing."""
    with open_warehouse(warehouse, read_only=True) as connection:
        return Status(
            feeds=_rows(connection, _FEEDS),
            held=_rows(connection, _HELD),
            stale=stale_loads(connection, sites or {}),
            checks=_rows(connection, _CHECKS),
            findings=_rows(connection, _FINDINGS),
            is_validation_old=bool(_rows(connection, _LOADED_SINCE)[0]["is_old"]),
            unbalanced=unbalanced_loads(connection),
            broken_ledger=broken_ledger(connection),
        )


_FEEDS = """
    select site, feed, count(*) as files, sum(read)::bigint as read, sum(accepted)::bigint as accepted,
        sum(held)::bigint as held, max(loaded_at)::varchar as last_load
    from meta.load where status = 'active' group by all order by all
"""

_HELD = """
    select site, feed, reason, count(*) as rows
    from quarantine.record, unnest(reasons) as held(reason)
    where status = 'open' group by all order by rows desc, site, feed, reason
"""

_CHECKS = """
    select status, severity, count(*) as checks from meta.check_result
    where run_id = (select run_id from meta.check_result order by checked_at desc limit 1)
    group by all order by all
"""

_FINDINGS = """
    select severity, check_id as "check", scope as "where", numerator as rows, denominator as "of", status
    from meta.check_result
    where run_id = (select run_id from meta.check_result order by checked_at desc limit 1)
        and status in ('failed', 'error')
    order by list_position(['fatal', 'convention', 'characterization'], severity), check_id, scope
"""

# Runs and loads are both in UTC; the time of a check is that of the hospital.
_LOADED_SINCE = """
    select coalesce(
        (select max(loaded_at) from meta.load where status = 'active')
        > (select max(started_at) from meta.run where command = 'validate'), false
    ) as is_old
"""


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(query).pl().to_dicts()
    return rows


def stale_loads(connection: duckdb.DuckDBPyConnection, sites: dict[str, SiteMapping]) -> list[dict[str, Any]]:
    """Return the loads whose mapping or registry is not today's; `etl ingest --refresh` reloads them."""
    loads = connection.execute(
        "select load_id, site, feed, plan from meta.load where status = 'active' order by all"
    ).fetchall()
    return [
        {"load_id": load, "site": site, "feed": feed}
        for load, site, feed, plan in loads
        if _was_changed(json.loads(plan), sites.get(site), feed)
    ]


def _was_changed(plan: dict[str, Any], mapping: SiteMapping | None, feed: str) -> bool:
    read = registry_digest(plan["resolution"]["shape"])
    return plan.get("registry") != read or plan.get("mapping") != mapping_digest(mapping, feed)
