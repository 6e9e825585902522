"""Subjects: find one by the number that its hospital knows, count what is loaded of it, and erase it for good."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from etl import quarantine
from etl.declarations import Signature
from etl.erased import ids_of, withdraw_originals
from etl.run import Run
from etl.study import ensure_views
from schemas.errors import UsageError
from warehouse import erase as erasing
from warehouse.connection import open_warehouse, transaction
from warehouse.decisions import erased_subjects
from warehouse.errors import guarded
from warehouse.keys import Keys, load_keys
from warehouse.ledger import now
from warehouse.published import remove_copies


@dataclass(frozen=True)
class Subject:
    """What is loaded of a person, as counts; ids: all that are linked to the one asked for."""

    subject_id: str
    ids: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)  # site, feed, kind, rows
    is_erased: bool = False

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


@dataclass(frozen=True)
class Erased:
    """What an erasure took away."""

    ids: list[str]
    rows: int
    held: int

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


def find(warehouse: Path, identifier: str, issuer: str, id_type: str = "local") -> Subject:
    """Return the subject that an issuer knows by an identifier; recorded, because it names a person's pseudonym.

    Raises UsageError for an identifier that is none.
    """
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        keys = load_keys(warehouse, connection)
        (subject_id,) = ids_of([identifier], [issuer], id_type, keys)
        if subject_id is None:
            raise UsageError(
                "This identifier names nobody.",
                "It is empty, or a spreadsheet rounded it.",
                "the identifier as the hospital's system shows it",
            )
        with Run(connection, warehouse, "subject find") as run:
            found = _subject(connection, subject_id)
            run.detail = quarantine.revealed_to(subject_id=subject_id, found=bool(found.rows))
            return found


def show(warehouse: Path, subject_id: str) -> Subject:
    """Return what is loaded of a subject, as counts. Raises UsageError for an id that nothing has."""
    with open_warehouse(warehouse, read_only=True) as connection:
        found = _subject(connection, subject_id)
    if not (found.rows or found.is_erased):
        raise _unknown()
    return found


def erase(warehouse: Path, subject_id: str, signature: Signature) -> Erased:
    """Delete everything of a person, and let no later load bring it back; the published copies go as well.

    Raises UsageError for an id that nothing has.
    """
    if not (signature.who.strip() and signature.why.strip()):
        raise UsageError(
            "An erasure needs who decides and why.", "Both are kept in the ledger.", "--who NAME --why REASON"
        )
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        keys = load_keys(warehouse, connection)
        found = _subject(connection, subject_id)
        if not (found.rows or found.is_erased):
            raise _unknown()
        with Run(connection, warehouse, "subject erase") as run, transaction(connection):
            done = _erase(connection, run, found.ids, signature, keys)
            run.detail = {"rows": done.rows, "held": done.held}
        if connection.execute("select 1 from meta.property where name = 'views'").fetchone():
            ensure_views(connection)  # the stored marts hold the person until they are computed again
        connection.execute("checkpoint")
    remove_copies(warehouse)
    return done


def _erase(
    connection: duckdb.DuckDBPyConnection, run: Run, ids: list[str], signature: Signature, keys: Keys
) -> Erased:
    signed = {**asdict(signature), "decided_at": now(), "run_id": run.run_id}
    for at, subject_id in enumerate(ids):
        decision = {"decision_id": f"erase-{run.run_id}-{at}", "kind": "erase"}
        run.ledger.append("decision", decision | {"target": json.dumps({"subject_id": subject_id})} | signed)
    loads: dict[str, int] = {}
    for load_id, _, _, kind, rows in erasing.rows_of(connection, ids):
        if kind != "attributes":  # statements are counted apart
            loads[load_id] = loads.get(load_id, 0) + rows
    for load_id, rows in loads.items():  # what `verify` misses from now on
        decision = {"decision_id": f"withdraw-{run.run_id}-{load_id}", "kind": "withdraw", "new": str(rows)}
        run.ledger.append("decision", decision | {"target": json.dumps({"load_id": load_id})} | signed)
    erasing.delete_subjects(connection, ids)
    held = withdraw_originals(connection, ids, keys, signature.who)
    return Erased(ids, sum(loads.values()), held)


def _subject(connection: duckdb.DuckDBPyConnection, subject_id: str) -> Subject:
    ids = erasing.person_of(connection, subject_id)
    counts: dict[tuple[str, str, str], int] = {}
    for _, site, feed, kind, rows in erasing.rows_of(connection, ids):
        counts[site, feed, kind] = counts.get((site, feed, kind), 0) + rows
    listed = [
        {"site": site, "feed": feed, "kind": kind, "rows": rows}
        for (site, feed, kind), rows in counts.items()
    ]
    return Subject(subject_id, ids, listed, is_erased=subject_id in erased_subjects(connection))


def _unknown() -> UsageError:
    return UsageError(
        "Nothing is loaded of a subject with this id.",
        "A subject id is a pseudonym of 26 letters and digits; the hospital's own number is not one.",
        "etl subject find --site SITE, which asks for the number",
    )
