"""What a file turned out to be: its shape, and what each of its columns is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Shape = Literal[
    "lab_long",
    "item_long",
    "wide",
    "condition",
    "medication",
    "subjects",
    "crosswalk",
    "manifest",
    "dictionary",
    "unmapped",
]


@dataclass(frozen=True)
class Finding:
    """Something that a data manager should know about a file's columns: what, why, what to type."""

    what: str
    why: str
    fix: str


@dataclass(frozen=True)
class Measure:
    """A column of a wide file, and what it measures.

    option: the diagnosis or drug that is stated by ticking a box; field: the question that offers it. dated: the
    column that dates it, where that is not the file's. unit_column: the column that states the unit of each result.
    """

    column: str
    kind: Literal["lab", "item", "condition", "medication"]
    analyte: str | None = None
    unit: str | None = None
    specimen: str | None = None
    instrument: str | None = None
    item: str | None = None
    option: str | None = None
    field: str | None = None
    dated: str | None = None
    unit_column: str | None = None

    @property
    def meaning(self) -> str:
        """What the column measures, in words."""
        return self.analyte or self.option or f"{self.instrument} {self.item}"

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns that say something of its results."""
        return tuple(column for column in (self.dated, self.unit_column) if column)


@dataclass(frozen=True)
class Resolution:
    """The columns of a file by their meaning; plain data, so that it can be stored with the load.

    roles and attributes: meaning to column. constants: role to the text that holds for every row. unmapped: columns
    that are not read. resembling: unmapped columns whose name is like a study analyte's. basis: column to what settled
    it (mapping, synonym, name, or a standard such as sdtm). explanation: why the file cannot be used, else empty.
    """

    shape: Shape
    roles: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    resembling: dict[str, str] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    explanation: str = ""

    def used_columns(self) -> tuple[str, ...]:
        """Return the columns that are read, each once; all others never leave the file."""
        return tuple(dict.fromkeys(self._used()))

    def _used(self) -> Iterator[str]:
        yield from self.roles.values()
        yield from self.attributes.values()
        yield from (measure.column for measure in self.measures)
        yield from (column for measure in self.measures for column in measure.beside)
