"""What a draft says: choices with their confidence and reason, and what is left open and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from etl.sites.resolution import Measure, Shape
from schemas.columns import COLUMNS

Level = Literal["high", "medium"]


@dataclass(frozen=True)
class Choice:
    """A field and its column, how sure that is, and why."""

    field: str
    column: str
    level: Level
    why: str


@dataclass(frozen=True)
class MeasureChoice:
    """A column of a wide file and what it measures, how sure that is, and why."""

    measure: Measure
    level: Level
    why: str


@dataclass(frozen=True)
class Word:
    """A line of another part of a mapping, such as an analyte's name or a unit."""

    part: str  # the key of the feed: analytes, values, dates, decimal, missing, sheet
    line: str  # as it would be written below that key
    level: Level | None  # None: open
    why: str


@dataclass(frozen=True)
class Open:
    """What a person has to settle: a field or a column, the columns that it may be, why, and what to type."""

    about: str
    columns: tuple[str, ...]
    why: str
    line: str = ""


@dataclass(frozen=True)
class TableDraft:
    """The draft of one table."""

    name: str  # of the file or archive member
    title: str
    format: str
    records: int
    shape: Shape
    feed: str
    choices: tuple[Choice, ...] = ()
    measures: tuple[MeasureChoice, ...] = ()
    words: tuple[Word, ...] = ()
    open: tuple[Open, ...] = ()
    unused: tuple[str, ...] = ()
    explanation: str = ""
    columns: tuple[str, ...] = ()
    has_fixed_meaning: bool = False
    sheet: str = ""  # of a workbook with several, as its own name is
    source: str = ""  # path, and member behind an exclamation mark

    @property
    def is_usable(self) -> bool:
        """Tell whether there is something to map: results, answers, diagnoses, drugs, or attributes of subjects."""
        fields = {choice.field for choice in self.choices}
        return (
            not self.explanation
            or bool(self.measures)
            or bool(fields & {"analyte", "code", "item", *COLUMNS.attributes})
        )


@dataclass(frozen=True)
class Unread:
    """A source that cannot be drafted: its name and the three-part message."""

    name: str
    message: str


@dataclass(frozen=True)
class Draft:
    """The draft of a site's mapping."""

    site: str
    tables: tuple[TableDraft, ...] = ()
    unread: tuple[Unread, ...] = field(default_factory=tuple)
