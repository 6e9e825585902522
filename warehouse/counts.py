"""The counts of a load, and the identities that they must meet."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import ReconciliationError


@dataclass
class Counts:
    """The counts of one load. lines is None for formats without lines."""

    lines: int | None = None
    records: int = 0
    continuation: int = 0
    structural: int = 0
    read: int = 0
    accepted: int = 0
    held: int = 0
    duplicate: int = 0
    superseded: int = 0
    out_of_scope: int = 0
    withdrawn: int = 0
    attributes: int = 0
    attributes_stored: int = 0
    attributes_held: int = 0
    attributes_repeated: int = 0


def reconcile(counts: Counts, name: str) -> None:
    """Check both identities of a load. Raises ReconciliationError."""
    buckets = (
        counts.accepted
        + counts.held
        + counts.duplicate
        + counts.superseded
        + counts.out_of_scope
        + counts.withdrawn
    )
    stored = counts.attributes_stored + counts.attributes_held + counts.attributes_repeated
    lines = counts.records + counts.continuation + counts.structural
    for label, whole, parts in (
        ("candidates", counts.read, buckets),
        ("attributes", counts.attributes, stored),
        ("lines", lines if counts.lines is None else counts.lines, lines),
    ):
        if whole != parts:
            raise ReconciliationError(
                f"{name}: {label} do not balance: {whole:,} read, {parts:,} accounted for.",
                "Nothing of this file was loaded.",
                "report this with the output of `etl doctor`; it is a bug",
            )
