"""What an ingest did: one outcome a file, in the words of the load contract."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from etl.plan import ResolvedPlan
from etl.refusals import unread_note
from schemas.errors import UserError
from warehouse.counts import Counts
from warehouse.leave import Change
from warehouse.load import Detail, FileSpec

# Statuses of a file: loaded, unchanged, refreshed, companion, unmapped, needs_declaration, unreadable.


@dataclass
class FileOutcome:
    """What happened to one file (or one table of it). path is shown on the user's own terminal only."""

    path: str
    status: str
    table: str = (
        ""  # title of a sheet, dataset or kind of resource; never printed, it may be a patient's name
    )
    part: int = 0  # which of the source's tables, from 1; 0 for the only one
    sha256: str = ""
    site: str = ""
    feed: str = ""
    format: str = ""
    encoding: str | None = None
    load_id: str = ""
    counts: Counts = field(default_factory=Counts)
    detail: Detail = field(default_factory=Detail)
    rare_names: int = 0  # names out of scope that too few subjects share to be listed in detail
    error: UserError | None = None
    note: str = ""
    bytes: int = 0

    def document(self) -> dict[str, Any]:
        """Return the file's part of the JSON document."""
        return {
            "path": self.path,
            "part": self.part,
            "sha256": self.sha256,
            "site": self.site,
            "feed": self.feed,
            "format": self.format,
            "encoding": self.encoding,
            "status": self.status,
            "load_id": self.load_id,
            **vars(self.counts),
            "structural_lines": self.detail.structural,
            "subjects": self.detail.subjects,
            "reasons": dict(self.detail.reasons),
            "out_of_scope_names": dict(self.detail.out_of_scope_names),
            "rare_names": self.rare_names,
            "unmapped_columns": self.detail.unmapped,
            "message": self.error.message() if self.error else self.note,
        }


@dataclass
class IngestReport:
    """What one run of ingest did."""

    run_id: str
    files: list[FileOutcome] = field(default_factory=list)
    changes: dict[str, Change] = field(default_factory=dict)  # "site/feed" of a snapshot -> its difference
    is_dry_run: bool = False
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return the JSON document of the run."""
        return {
            "run_id": self.run_id,
            "dry_run": self.is_dry_run,
            "files": [each.document() for each in self.files],
            "deliveries": {name: vars(change) for name, change in self.changes.items()},
        }

    def totals(self) -> Counter[str]:
        """Return the sums of every count over all files."""
        sums: Counter[str] = Counter()
        for each in self.files:
            sums.update({name: number or 0 for name, number in vars(each.counts).items()})
        return sums

    def exit_code(self, *, is_strict: bool = False) -> int:
        """Return the gravest code of the files, 1 for held rows when strict, else 0."""
        gravity = {70: 6, 130: 5, 5: 4, 4: 3, 3: 2, 2: 1}
        codes = [each.error.exit_code for each in self.files if each.error]
        if codes:
            return max(codes, key=lambda code: gravity.get(code, 0))
        held = any(each.counts.held or each.counts.attributes_held for each in self.files)
        return 1 if is_strict and held else 0


def outcome_of(plan: ResolvedPlan, status: str) -> FileOutcome:
    """Return the outcome of a planned table, before anything is counted."""
    headers = plan.shown_headers()
    return FileOutcome(
        path=plan.source.label,
        status=status,
        table=plan.table.title,
        part=plan.part,
        sha256=plan.table.sha256,
        site=plan.site,
        feed=plan.feed,
        format=plan.table.format,
        encoding=plan.table.encoding,
        note=unread_note(plan),
        bytes=plan.table.size,
        detail=Detail(
            structural=dict(plan.table.structural),
            unmapped=[headers.get(column, column) for column in plan.resolution.unmapped],
            resembling=dict(plan.resolution.resembling),
        ),
    )


def spec_of(plan: ResolvedPlan, file_id: str, load_id: str, digest: str, run_id: str) -> FileSpec:
    """Return what the warehouse records of a file with its load."""
    table = plan.table
    return FileSpec(
        file_id=file_id,
        load_id=load_id,
        run_id=run_id,
        site=plan.site,
        feed=plan.feed,
        sha256=table.sha256,
        size_bytes=table.size,
        format=table.format,
        encoding=table.encoding,
        name=str(plan.source.path.resolve()),
        delivery=plan.delivery,
        records=table.records,
        plan_digest=digest,
        plan={**plan.content(), "mapping": plan.mapping_digest},
        timezone=plan.timezone,
        decisions=tuple(
            (each.about, each.value, each.basis, json.dumps(each.evidence)) for each in plan.decisions
        ),
    )
