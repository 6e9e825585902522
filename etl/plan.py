"""The resolved plan of one table: everything that process() needs to know, decided before the first row is read."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from etl.harmonize.concepts import Concept
from etl.readers.base import Decision, Source, Table
from etl.scoring.versions import VersionChoice
from etl.sites.resolve import Resolution

# A header that looks like a cell: a date, five digits and more, an address of mail.
_LIKE_A_CELL = re.compile(r"\d{5}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|@")


@dataclass(frozen=True)
class Declaration:
    """A unit declared for an analyte, with the period of collected_at for which it holds."""

    analyte: str
    unit: str
    override: bool = False
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True)
class ResolvedPlan:
    """How one table of one source becomes candidates."""

    source: Source
    site: str
    feed: str
    table: Table
    resolution: Resolution
    part: int = 0  # which of the source's tables, from 1; 0 for the only one
    decisions: tuple[Decision, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    delivery: str = "increment"
    timezone: str | None = None
    issuer: str | None = None
    id_type: str = "local"
    missing: tuple[str, ...] = ()
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)  # by column: a cell, and what it means
    concepts: dict[str, Concept] = field(default_factory=dict)  # by id; their digest is a decision
    analytes: dict[str, str] = field(default_factory=dict)
    spellings: dict[str, str] = field(default_factory=dict)  # of units, as this feed writes them -> UCUM
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)  # by analyte, in its canonical unit
    versions: dict[str, VersionChoice] = field(default_factory=dict)  # by instrument
    links: dict[str, dict[str, str]] = field(default_factory=dict)
    registry: str = ""
    mapping_digest: str = ""  # of the feed's mapping as written; tells `status` that it changed since
    latest: datetime = datetime(2100, 1, 1)  # local time; replaced by the run's own

    def decision(self, about: str) -> Decision | None:
        """Return a decision, or None where there was nothing to decide."""
        return next((decision for decision in self.decisions if decision.about == about), None)

    def decided(self, about: str) -> str | None:
        """Return the value of a decision, or None where nothing was decided."""
        decision = self.decision(about)
        return decision.value if decision else None

    def undecided(self) -> tuple[Decision, ...]:
        """Return the decisions that the evidence does not settle."""
        return tuple(decision for decision in self.decisions if decision.value is None)

    @property
    def has_no_header(self) -> bool:
        """Tell whether no line looks like a header, so that the names of the columns may be somebody's cells."""
        decision = self.decision("header")
        return decision is not None and decision.basis == "default"

    def shown_headers(self, *, is_record: bool = False) -> dict[str, str]:
        """Return the headers as they may be shown: by their place where they may be cells of a file without a header.

        is_record: the line of the headers is known to be a record.
        """
        used, is_record = {*self.resolution.used_columns()}, is_record or self.has_no_header
        return {
            column: f"column {place}"
            if column not in used and (is_record or _LIKE_A_CELL.search(column))
            else column
            for place, column in enumerate(self.table.columns, start=1)
        }

    def content(self) -> dict[str, Any]:
        """Return what decides how a row is read, and nothing else: no key, engine, range, path or tool version."""
        return {
            "resolution": asdict(self.resolution),
            "decisions": {decision.about: decision.value for decision in self.decisions},
            "declarations": [asdict(declaration) for declaration in self.declarations],
            "delivery": self.delivery,
            "timezone": self.timezone,
            "issuer": self.issuer,
            "id_type": self.id_type,
            "missing": sorted(self.missing),
            "values": self.values,
            "analytes": self.analytes,
            "spellings": self.spellings,
            "bounds": self.bounds,
            "versions": {name: asdict(choice) for name, choice in self.versions.items()},
            "links": self.links,
            "registry": self.registry,
            "encoding": self.table.encoding,
            "dialect": self.table.options,
        }

    def digest(self) -> str:
        """Return the plan's digest: equal digests read the same bytes to the same rows."""
        text = json.dumps(self.content(), sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
