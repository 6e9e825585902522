"""A sender's manifest: what it says of its files, and whether they are that.

A file that was cut at a line end passes every other audit; only its sender's count shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from etl import refusals
from etl.plan import ResolvedPlan
from etl.readers.base import Reader

# Headers of a manifest, lower case.
FILE, ROWS, SHA256 = "file", "rows", "sha256"


class Manifest:
    """The lines of every manifest in one command, by file name."""

    def __init__(self) -> None:
        self._stated: dict[str, dict[str, str]] = {}

    def read(self, plan: ResolvedPlan, reader: Reader) -> None:
        """Take up the lines of a manifest."""
        for line in _lines(plan, reader):
            if name := line.get(FILE):
                self._stated[PurePath(name).name.lower()] = line

    def check(self, plan: ResolvedPlan) -> None:
        """Compare a file with what its sender states of it. Raises SourceUnreadable."""
        stated = self._stated.get(PurePath(plan.source.name).name.lower()) or self._stated.get(
            plan.source.path.name.lower()
        )
        if not stated:
            return
        rows, digest = stated.get(ROWS), stated.get(SHA256)
        if rows and rows.replace(",", "").isdigit() and int(rows.replace(",", "")) != plan.table.records:
            raise refusals.manifest_mismatch(plan.source.name, "rows", rows, f"{plan.table.records:,}")
        if digest and digest.lower() != plan.table.sha256:
            raise refusals.manifest_mismatch(
                plan.source.name, "as sha256", digest[:12], plan.table.sha256[:12]
            )


def _lines(plan: ResolvedPlan, reader: Reader) -> Iterator[dict[str, str]]:
    for part in plan.table.ranges:
        for batch in reader.read(plan.source, plan.table, part, plan.table.columns):
            for row in batch.frame.iter_rows(named=True):
                yield {
                    name.strip().lower(): str(cell).strip() for name, cell in row.items() if cell is not None
                }
