"""Unit declarations: what a laboratory answered, kept as a decision, and the feed's files read again by it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from etl.declaration_conflicts import Known, refuse
from etl.ingest import IngestOptions, ingest
from etl.outcome import IngestReport
from etl.run import Run
from etl.sites.mapping import SiteMapping
from etl.units import find_analyte, find_unit
from schemas.errors import UsageError
from warehouse.connection import open_warehouse, transaction
from warehouse.keys import load_keys
from warehouse.ledger import now
from warehouse.seal import unseal


@dataclass(frozen=True)
class UnitDeclared:
    """The unit of an analyte at a site. feed: null for every feed; the days of collection are both included."""

    site: str
    feed: str | None
    analyte: str
    unit: str
    valid_from: date | None = None
    valid_to: date | None = None
    override: bool = False

    def target(self) -> str:
        """Return what the decision is about."""
        about = {"site": self.site, "feed": self.feed, "analyte": self.analyte, "override": self.override}
        return json.dumps({name: value for name, value in about.items() if value is not None})


@dataclass(frozen=True)
class Signature:
    """Who decides, and why."""

    who: str
    why: str


@dataclass(frozen=True)
class UnreadSource:
    """A source that could not be read again: its feed and the start of its SHA-256."""

    site: str
    feed: str
    sha256: str
    why: str

    @property
    def advice(self) -> str:
        """Tell what to type; the file is known by its content, wherever it lies now."""
        return f"etl ingest PATH --site {self.site}"


@dataclass
class Settled:
    """A recorded decision and what reading the feed's files again did."""

    decision_id: str
    report: IngestReport | None = None
    unread: list[UnreadSource] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "decision_id": self.decision_id,
            "refresh": self.report.document() if self.report else None,
            "unread": [{**asdict(each), "advice": each.advice} for each in self.unread],
        }

    def exit_code(self) -> int:
        """Return 3 when a source could not be read again, else what the refresh says."""
        code = self.report.exit_code() if self.report else 0
        return code or (3 if self.unread else 0)


@dataclass(frozen=True)
class _Source:
    feed: str
    sha256: str
    delivery: str
    path: str


def declare(
    warehouse: Path, declared: UnitDeclared, signature: Signature, sites: dict[str, SiteMapping] | None = None
) -> Settled:
    """Record a declaration and read again what it concerns. Raises UsageError and warehouse errors."""
    analyte = find_analyte(declared.analyte)
    unit = find_unit(analyte, declared.unit)
    settled = UnitDeclared(**(asdict(declared) | {"analyte": analyte.id, "unit": unit}))
    with open_warehouse(warehouse, must_exist=True) as connection:
        refuse(settled, Known(_places(connection), sites or {}, _stored(connection)))
        entry = {
            "kind": "unit",
            "target": settled.target(),
            "new": unit,
            "valid_from": settled.valid_from,
            "valid_to": settled.valid_to,
        }
        decision_id = _record(connection, warehouse, "units declare", entry, signature)
    return _read_again(warehouse, decision_id, settled.site, settled.feed, sites)


def revoke(
    warehouse: Path, decision_id: str, signature: Signature, sites: dict[str, SiteMapping] | None = None
) -> Settled:
    """Record that a declaration holds no longer and read again what it concerned. Raises UsageError."""
    with open_warehouse(warehouse, must_exist=True) as connection:
        known = {row["decision_id"]: row for row in _stored(connection)}
        found = known.get(decision_id)
        if found is None or found["revoked_by"]:
            raise UsageError(
                f"No declaration '{decision_id}' is in force.",
                "It was revoked before." if found else "None was ever recorded under this id.",
                "etl units declarations",
            )
        entry = {"kind": "revoke", "target": json.dumps({"decision_id": decision_id}), "old": found["unit"]}
        revocation = _record(connection, warehouse, "units revoke", entry, signature)
    return _read_again(warehouse, revocation, found["site"], found["feed"], sites)


def declarations(warehouse: Path) -> list[dict[str, Any]]:
    """Return every unit declaration, the revoked ones with who revoked them. Raises WarehouseMissing."""
    with open_warehouse(warehouse, read_only=True) as connection:
        return _stored(connection)


def _stored(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (
        connection.sql(
            """
            select
                unit.decision_id,
                unit.target ->> 'site' as site,
                unit.target ->> 'feed' as feed,
                unit.target ->> 'analyte' as analyte,
                unit.new as unit,
                unit.valid_from,
                unit.valid_to,
                coalesce((unit.target ->> 'override')::boolean, false) as override,
                unit.who,
                unit.why,
                unit.decided_at,
                revocation.who as revoked_by,
                revocation.why as revoked_why
            from meta.decision as unit
            left join meta.decision as revocation
                on revocation.kind = 'revoke' and revocation.target ->> 'decision_id' = unit.decision_id
            where unit.kind = 'unit'
            order by unit.decided_at, unit.decision_id
            """
        )
        .pl()
        .to_dicts()
    )
    return rows


def _places(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    rows = connection.execute("select distinct site, feed from meta.load where site is not null").fetchall()
    return {(site, feed) for site, feed in rows}


def _record(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Path,
    command: str,
    entry: dict[str, Any],
    signature: Signature,
) -> str:
    if not signature.who.strip() or not signature.why.strip():
        raise UsageError(
            "A decision needs who took it, and why.", "The ledger records both.", "--who NAME --why TEXT"
        )
    with Run(connection, warehouse, command) as run, transaction(connection):
        decision_id = f"{entry['kind']}-{run.run_id}"
        signed = {"decision_id": decision_id, **entry, **asdict(signature)}
        run.ledger.append("decision", {**signed, "decided_at": now(), "run_id": run.run_id})
        run.detail = {"decision_id": decision_id}
    return decision_id


def _read_again(
    warehouse: Path, decision_id: str, site: str, feed: str | None, sites: dict[str, SiteMapping] | None
) -> Settled:
    """Refresh the files of a feed; what cannot be found is named by its content's hash."""
    settled = Settled(decision_id)
    with open_warehouse(warehouse) as connection:
        sources = _sources(connection, load_keys(warehouse, connection).seal, site, feed)
    gone = [each for each in sources if not Path(each.path).exists()]
    # A snapshot is read whole: without one of its files the others would put that one out of the warehouse.
    broken = {each.feed for each in gone if each.delivery == "snapshot"}
    left = [each for each in sources if each in gone or each.feed in broken]
    settled.unread = [
        _unread(site, each, "not where it was read from" if each in gone else "its snapshot is not whole")
        for each in left
    ]
    wanted = [each for each in sources if each not in left]
    if wanted:
        settled.report = ingest(sorted({each.path for each in wanted}), warehouse, IngestOptions(site, sites))
        read = {each.sha256 for each in settled.report.files}
        settled.unread += [
            _unread(site, each, "changed since it was read") for each in wanted if each.sha256 not in read
        ]
    return settled


def _unread(site: str, source: _Source, why: str) -> UnreadSource:
    return UnreadSource(site, source.feed, source.sha256[:12], why)


def _sources(
    connection: duckdb.DuckDBPyConnection, seal_key: bytes, site: str, feed: str | None
) -> list[_Source]:
    rows = connection.execute(
        """
        select load.feed, source_file.sha256, load.delivery, source_file.name_sealed
        from meta.load inner join meta.source_file using (file_id)
        where load.status = 'active' and load.site = $site and load.feed = coalesce($feed, load.feed)
        order by load.feed, source_file.sha256
        """,
        {"site": site, "feed": feed},
    ).fetchall()
    return [
        _Source(feed_name, sha256, delivery, unseal(seal_key, sealed).decode())
        for feed_name, sha256, delivery, sealed in rows
    ]
