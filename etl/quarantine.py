"""Quarantine: look at held records, decide on them, and try them again.

A record comes back in one way: its file, or a corrected copy, is loaded again. Nothing here writes a core table.
"""

from __future__ import annotations

import getpass
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from etl.run import Run
from schemas.errors import UsageError
from schemas.reasons import REASONS
from warehouse import quarantine
from warehouse.connection import open_warehouse, transaction
from warehouse.errors import guarded
from warehouse.keys import Keys, load_keys
from warehouse.ledger import canonical, now
from warehouse.quarantine import Chosen, Group, HeldRecord
from warehouse.seal import unseal

# Reasons that a decision gives, not a rule.
DECIDED = {
    "waived": ("The record was waived: someone decided that it is not loaded.", "etl quarantine show RECORD")
}
STATUSES = ("open", "corrected", "waived", "replaced", "withdrawn")
_SEALED = {"raw_sealed", "name_sealed", "locator"}


@dataclass(frozen=True)
class Listing:
    """How many records are held, by reason, site and feed."""

    records: int  # each once, although one with two reasons is in two groups
    groups: list[Group]

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        groups = [asdict(each) | {"sentence": sentence(each.reason)} for each in self.groups]
        return {"records": self.records, "groups": groups}


@dataclass(frozen=True)
class Explanation:
    """What a reason means, what settles it, and where it is open."""

    reason: str
    stage: str
    sentence: str
    advice: str
    groups: list[Group]

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


@dataclass(frozen=True)
class Shown:
    """One held record; what the source says is there only when it was asked for."""

    record: dict[str, Any]
    original: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return self.record | ({"original": self.original} if self.original else {})


def check_chosen(chosen: Chosen) -> None:
    """Raise UsageError for a status or reason that no record can have, which would look like an empty quarantine."""
    if chosen.status not in {None, *STATUSES}:
        raise UsageError(
            f"There is no status '{chosen.status}'.",
            "A held record has one of a few.",
            f"--status {' | '.join(STATUSES)} | all",
        )
    if chosen.reason is not None:
        _known_reason(chosen.reason)


def list_held(warehouse: Path, chosen: Chosen) -> Listing:
    """Return the counts of held records. Raises WarehouseMissing."""
    with open_warehouse(warehouse, read_only=True) as connection:
        return Listing(quarantine.number(connection, chosen), quarantine.groups(connection, chosen))


def list_records(warehouse: Path, chosen: Chosen) -> list[dict[str, Any]]:
    """Return the held records themselves, without anything that their source says."""
    with open_warehouse(warehouse, read_only=True) as connection:
        return [_unrevealed(each) for each in quarantine.records(connection, chosen)]


def explain(warehouse: Path, reason: str) -> Explanation:
    """Return what a reason means and where it is open. Raises UsageError for a reason that is none."""
    _known_reason(reason)
    with open_warehouse(warehouse, read_only=True) as connection:
        open_groups = quarantine.groups(connection, Chosen(reason=reason))
    known = REASONS.get(reason)
    advice = known.advice if known else DECIDED[reason][1]
    return Explanation(reason, known.stage if known else "decision", sentence(reason), advice, open_groups)


def _known_reason(reason: str) -> None:
    if reason not in REASONS and reason not in DECIDED:
        near = get_close_matches(reason, [*REASONS, *DECIDED], n=1)
        raise UsageError(
            f"There is no reason called {reason}.",
            "The catalogue has no such name.",
            near[0] if near else "etl quarantine list",
        )


def sentence(reason: str) -> str:
    """Return what a reason means, for a reader who does not program."""
    return REASONS[reason].sentence if reason in REASONS else DECIDED.get(reason, ("",))[0]


def advice(reason: str) -> str:
    """Return what settles a reason."""
    return REASONS[reason].advice if reason in REASONS else ""


def show(warehouse: Path, record_id: str, *, reveal: bool = False) -> list[Shown]:
    """Return a held record, once for each file that holds it; reveal adds what its source says and is recorded.

    Raises UsageError for an id that no record has.
    """
    if not reveal:
        with open_warehouse(warehouse, read_only=True) as connection:
            return [Shown(_unrevealed(each)) for each in quarantine.find(connection, record_id)]
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        keys = load_keys(warehouse, connection)
        found = quarantine.find(connection, record_id)
        with Run(connection, warehouse, "quarantine show") as run:
            run.detail = revealed_to(record_id=found[0].record_id)
            return [Shown(_unrevealed(each), original(each, keys)) for each in found]


@dataclass(frozen=True)
class RareName:
    """A name out of scope that too few subjects of its file share to be shown without being asked for."""

    site: str
    feed: str
    sha256: str
    name: str
    rows: int


def rare_names(warehouse: Path, site: str | None = None, feed: str | None = None) -> list[RareName]:
    """Reveal the rare names out of scope, the most frequent first; recorded. Raises WarehouseMissing."""
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        keys = load_keys(warehouse, connection)
        found = [
            RareName(sent_by, fed, sha256, name, rows)
            for sent_by, fed, sha256, sealed in quarantine.rare_names(connection, site, feed)
            for name, rows in json.loads(unseal(keys.seal, sealed)).items()
        ]
        with Run(connection, warehouse, "quarantine names") as run:
            run.detail = revealed_to(names=len(found), site=site, feed=feed)
            return found


def revealed_to(**what: object) -> dict[str, object]:
    """Return what the ledger keeps of a revealing command: who saw what."""
    return {"revealed": True, "by": getpass.getuser(), **what}


def original(record: HeldRecord, keys: Keys) -> dict[str, Any]:
    """Return what the source says of a held record: its path, its place, and the mapped fields or the damaged line."""
    path = unseal(keys.seal, record.name_sealed).decode() if record.name_sealed else None
    return {"path": path, "locator": record.locator, "fields": fields(record, keys)}


def fields(record: HeldRecord, keys: Keys) -> dict[str, str | None]:
    """Return the texts of a held record by role; a damaged record has the one field `line`."""
    return opened(record.raw_sealed, keys, record.encoding)


def opened(sealed: bytes | None, keys: Keys, encoding: str | None = None) -> dict[str, str | None]:
    """Return a sealed original as texts by role, or as the one field `line`."""
    raw = unseal(keys.seal, sealed) if sealed else b""
    try:
        parsed = json.loads(raw)
    except ValueError:
        parsed = None
    # A broken line of a JSON file may be JSON too, but never with the names of our roles.
    if isinstance(parsed, dict) and all(name.endswith("_text") or name == "value_source" for name in parsed):
        return {name.removesuffix("_text"): value for name, value in parsed.items()}
    return {"line": raw.decode(encoding or "utf-8", errors="replace")} if raw else {}


def masked(locator: str | None) -> str | None:
    """Return a locator without the name of the sheet, which a person chose."""
    return None if locator is None else re.sub(r"^.*!", "…!", locator)


def _unrevealed(record: HeldRecord) -> dict[str, Any]:
    kept = {name: value for name, value in vars(record).items() if name not in _SEALED}
    return kept | {"locator": masked(record.locator), "advice": [advice(each) for each in record.reasons]}


@dataclass(frozen=True)
class Decided:
    """What was decided on which records."""

    kind: str
    record_ids: list[str]

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


def waive(warehouse: Path, record_ids: Sequence[str], who: str, why: str) -> Decided:
    """Decide that records stay out for good: no replay and no later delivery loads them.

    Raises UsageError for an id that no open record has.
    """
    return _decide(warehouse, "waive", record_ids, (who, why), "waived")


def assign(warehouse: Path, record_ids: Sequence[str], to: str, who: str, why: str) -> Decided:
    """Decide who looks after records. Raises UsageError for an id that no open record has."""
    return _decide(warehouse, "assign", record_ids, (who, why), to)


def _decide(warehouse: Path, kind: str, given: Sequence[str], signed: tuple[str, str], new: str) -> Decided:
    who, why = (text.strip() for text in signed)
    if not (who and why and given):
        raise UsageError(
            "A decision needs a record, who decides and why.",
            "Both are kept in the ledger.",
            "--who NAME --why REASON",
        )
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        keys = load_keys(warehouse, connection)
        ids = list(dict.fromkeys(_open_record(connection, each) for each in given))
        with Run(connection, warehouse, f"quarantine {kind}") as run, transaction(connection):
            moment = now()
            for record_id in ids:
                entry = {
                    "kind": kind,
                    "target": canonical({"record_id": record_id}),
                    "old": "open",
                    "new": new,
                }
                signature = {"who": who, "why": why, "decided_at": moment, "run_id": run.run_id}
                decision_id = keys.token("decision", kind, record_id, run.run_id)
                run.ledger.append("decision", {"decision_id": decision_id, **entry, **signature})
            if kind == "waive":
                quarantine.resolve(connection, ids, "waived", who, moment)
            run.detail = {"records": len(ids)}
    return Decided(kind, ids)


def _open_record(connection: duckdb.DuckDBPyConnection, given: str) -> str:
    found = quarantine.find(connection, given)
    if all(each.status != "open" for each in found):
        raise UsageError(
            f"The record {found[0].record_id} is {found[0].status} already.",
            "Only open records can be decided on.",
            f"etl quarantine show {found[0].record_id[:8]}",
        )
    return found[0].record_id
