"""What a reader is: one module a format, behind one protocol.

A reader turns a source into a header and batches of text. It never interprets a cell: numbers, dates and units
are decided later, for whole columns. It counts what it saw, so that the load's counts have something to answer to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import polars as pl

from schemas.errors import UserError

ROW = "row_number"
LOCATOR = "locator"
MERGED = "merged_cells:"  # decisions on columns in which one cell stands for several records

# Called once with a table's columns: answers which ones to show while the file streams by, and whom to show them.
# The frames are like a batch's: the columns asked for as text, then row_number. None: nothing is wanted.
Feed = Callable[[pl.DataFrame], None]
Observe = Callable[[tuple[str, ...]], tuple[Sequence[str], Feed] | None]


def shared_row(column: str) -> str:
    """Return the column of a frame that has the row of a cell which stands for several records."""
    return f"{ROW}:{column}"


# Damaged records, one row each: physical line of the start, cell or line named, reason id, the bytes to seal.
DAMAGED_SCHEMA = {ROW: pl.Int64, LOCATOR: pl.String, "reason": pl.String, "raw": pl.Binary}


@dataclass(frozen=True)
class Source:
    """One stream of bytes: a file, or one member of an archive. error: why it cannot be opened, if that is known."""

    path: Path
    member: str | None = None
    error: UserError | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The name that patterns match and readers go by: the member's, else the file's."""
        return self.member or self.path.name

    @property
    def label(self) -> str:
        """How the user knows it: the path, and the member behind an exclamation mark."""
        return f"{self.path}!{self.member}" if self.member else str(self.path)

    def open(self) -> BinaryIO:
        """Open the decompressed bytes; the caller closes them. Raises SourceUnreadable, then or while reading."""
        if self.error:
            raise self.error
        from etl.readers.archive import open_source  # the archive module imports this one

        return open_source(self)


@dataclass(frozen=True)
class Decision:
    """A column- or file-wide choice with its evidence, as counts and locators, never a cell."""

    about: str  # "encoding", "delimiter", "header", "date_order:collected_at", ...
    value: str | None  # None: the evidence does not settle it
    basis: str  # "declared", "content", "name", "witness", "default", "corrected" (the file that a copy corrects)
    evidence: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heading:
    """A header of several lines: what its columns are called, how many lines below the first belong to it, and why."""

    names: tuple[str, ...]
    lines: int
    decisions: tuple[Decision, ...]


# Asked with the cells of a header, those of the lines below it, each as long as the header, and whether the header is
# the declared one: which of the lines belong to it. A reader knows no units and no names; whoever gives the hints does.
Extend = Callable[[Sequence[str], Sequence[Sequence[str]], bool], Heading]
LEVELS = 3  # lines above or below a header that may belong to it


@dataclass(frozen=True)
class Hints:
    """What the mapping declares about a file; None means: find out."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None  # a character, or "none"
    header_row: int | None = None  # 1-based physical line
    sheet: str | None = None
    has_header: bool = True
    is_first_row: bool = (
        False  # header_row is the first line of a header of several, not the only or the lowest
    )
    extend: Extend | None = None


@dataclass(frozen=True)
class Range:
    """A record-aligned part of a table that can be read by itself."""

    start: int  # bytes of the decompressed source, or rows, as the reader likes
    end: int
    first_row: int  # row_number of its first physical line
    is_plain: bool = (
        False  # inspection saw nothing but whole records, so that nothing has to be looked at again
    )


@dataclass(frozen=True)
class Table:
    """What inspection found: enough to read the table again, and the counts that the load must meet.

    lines = records + continuation + sum(structural.values()); lines is None for formats without lines.
    records counts every record, damaged ones too.
    """

    format: str
    columns: tuple[str, ...]
    lines: int | None
    records: int
    continuation: int = 0
    structural: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    encoding: str | None = None
    sha256: str = ""
    size: int = 0  # decompressed bytes
    options: dict[str, str | int | bool | None] = field(default_factory=dict)  # the dialect, or the sheet
    ranges: tuple[Range, ...] = ()
    decisions: tuple[Decision, ...] = ()
    title: str = ""  # sheet or dataset name
    merged: tuple[
        str, ...
    ] = ()  # columns in which one cell stands for several records, as the sheet shows it
    filled: tuple[
        str, ...
    ] = ()  # columns in which a blank cell stands for the one above, as the mapping declares


@dataclass(frozen=True)
class Batch:
    """Some records: every wanted source column as String under its header's name, and their row numbers.

    frame: the columns asked for, then row_number (Int64); a reader whose cells are not named by row and column
    adds `locator`. An empty cell is null. Nothing is trimmed or unquoted beyond what the format's quoting says.
    A column whose cells stand for several records brings the row of each record's cell, named by `shared_row`.
    damaged: DAMAGED_SCHEMA. breaks: rows of totals and repeated headers, beyond which no cell stands for a record.
    """

    frame: pl.DataFrame
    damaged: pl.DataFrame
    breaks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Question:
    """What a data dictionary says of a column: its name, form, label and type there, and the labels of its codes.

    option: what is chosen by ticking the box that the column is. is_date: whether the answer is a date.
    """

    name: str
    form: str = ""
    label: str = ""
    kind: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    option: str = ""
    is_date: bool = False

    @property
    def is_written(self) -> bool:
        """Tell whether the answer is written, or computed, and not chosen."""
        return self.kind in {"", "text", "calc", "slider"} and not self.choices

    @property
    def is_chosen(self) -> bool:
        """Tell whether one answer is chosen of several."""
        return bool(self.choices) and self.kind not in {"checkbox", "slider"}


class Reader(Protocol):
    """One format."""

    name: str

    def recognises(self, name: str, head: bytes) -> bool:
        """Tell whether a source of this name that starts with these decompressed bytes is of this format."""

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source once and describe its tables, in the order observed. Raises SourceUnreadable."""

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the named columns of one range of a table that inspect() described."""

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Return the expression (over row_number) that names the cells of a column, such as `L311/C5`."""
