"""What a profile says; nothing in it is a cell that fewer than five subjects share."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Plot:
    """Subjects by bin of a column's numbers or months; None for a bin that is not shown. Edges are round numbers."""

    edges: tuple[str, ...]  # one more than bins, for months one each
    counts: tuple[int | None, ...]
    title: str


@dataclass(frozen=True)
class Text:
    """A text of a list of codes or names, its records, its subjects (None: not shown), and what the registry says."""

    text: str
    records: int
    subjects: int | None
    says: str = ""


@dataclass(frozen=True)
class ColumnProfile:
    """One column. shares: per cent of its distinct texts that are of a kind; hidden: texts that are not shown."""

    name: str
    place: int
    kind: str
    filled: int
    records: int
    distinct: int
    read_as: str = ""
    why: str = ""
    label: str = ""
    shares: dict[str, int] = field(default_factory=dict)
    date_order: str | None = None
    decimal: str | None = None
    evidence: dict[str, int | str] = field(default_factory=dict)
    missing: tuple[Text, ...] = ()
    texts: tuple[Text, ...] = ()
    hidden: int = 0
    plot: Plot | None = None
    note: str = ""


@dataclass(frozen=True)
class AnalyteProfile:
    """Results of one name in one unit. says, reads: what the registry knows name and unit as; numbers: of the records."""

    name: str
    says: str
    unit: str
    reads: str
    records: int
    numbers: int
    plot: Plot | None


@dataclass(frozen=True)
class Decided:
    """A decision for the whole file, with what speaks for it."""

    about: str
    value: str | None
    basis: str
    evidence: str


@dataclass(frozen=True)
class TableProfile:
    """One table of a file. subjects: how many, None if fewer than five or unknown; subject: which column tells, or why none does."""

    title: str
    shape: str
    header: str
    lines: int | None
    records: int
    continuation: int
    structural: dict[str, int]
    damaged: dict[str, int]
    looked_at: int
    subjects: int | None
    subject: str
    decisions: tuple[Decided, ...]
    columns: tuple[ColumnProfile, ...]
    analytes: tuple[AnalyteProfile, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileProfile:
    """One source: its tables, or why it cannot be read."""

    name: str
    format: str = ""
    size: int = 0
    sha256: str = ""
    encoding: str | None = None
    tables: tuple[TableProfile, ...] = ()
    error: str = ""

    def document(self) -> dict[str, Any]:
        """Return the file as JSON."""
        return asdict(self)
