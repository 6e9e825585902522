"""Workbooks: .xlsx, .xlsm, .xlsb, .xls, .ods, Excel's XML of 2003, and HTML tables saved as .xls.

One table for each table on a visible sheet. Cells are named as the spreadsheet names them: `Sheet1!C12`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.readers.base import (
    DAMAGED_SCHEMA,
    MERGED,
    ROW,
    Batch,
    Decision,
    Hints,
    Observe,
    Range,
    Source,
    Table,
    shared_row,
)
from etl.readers.grid import Grid, Region, roles
from etl.readers.head import VALUE
from etl.readers.markup import html_sheets, is_html, is_xml_workbook, xml_sheets
from etl.readers.protection import OLE, opened
from etl.readers.records import STRUCTURAL, Role
from etl.readers.regions import find_regions
from etl.readers.whole import bytes_of
from etl.readers.workbook import LONG_SHOWN, Sheet, Workbook
from schemas.errors import SourceUnreadable

LIMIT = 256 << 20  # bytes of a workbook
ROWS = 100_000  # of a batch
ZIP = b"PK\x03\x04"
SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xltx", ".xltm", ".xlam", ".ods", ".et")
OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
BIFF = (
    b"\x09\x08\x10\x00",
    b"\x09\x08\x08\x00",
    b"\x09\x04\x06\x00",
    b"\x09\x02\x06\x00",
)  # bare streams, no OLE


@dataclass
class ExcelReader:
    """Read workbooks. The number of rows in a batch changes memory, never the result."""

    rows: int = ROWS
    name: str = "excel"

    def recognises(self, name: str, head: bytes) -> bool:
        """Tell by the content; the name decides only for a zip that does not show its parts at the start."""
        if head.startswith(ZIP):
            is_named = name.lower().removesuffix(".gz").endswith(SUFFIXES)
            return is_named or b"xl/" in head or OPEN_DOCUMENT in head[:128]
        return head.startswith((OLE, *BIFF)) or is_html(head) or is_xml_workbook(head)

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source once and describe its tables. Raises SourceUnreadable."""
        data = bytes_of(source, LIMIT)
        if not data:
            raise SourceUnreadable(
                f"{source.name} is empty.", "It holds no byte.", "ask the site to send it again"
            )
        sheets, encoding = _sheets(data, source.name, hints.encoding)
        digest = hashlib.sha256(data).hexdigest()
        tables: list[Table] = []
        unread: list[Decision] = []
        titles: list[str] = []
        for sheet in sheets:
            titles.append(sheet.title)
            if why := _reason_not_to_read(sheet, hints):
                unread += _unread(sheet, why)
                continue
            for part in _tables(sheet, hints):
                tables.append(part.table(self.name, (digest, len(data)), encoding))
                if observe and (asked := observe(part.region.columns)):
                    asked[1](part.frame(asked[0], part.merged))
        if not tables:
            raise _without_table(source.name, hints, titles, unread)
        return [replace(table, decisions=(*table.decisions, *unread)) for table in tables]

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the named columns of a table that inspect() described; its one range is the table."""
        sheets, _ = _sheets(bytes_of(source, LIMIT), source.name, table.encoding, str(table.options["sheet"]))
        sheet = next(each for each in sheets if each.title == table.options["sheet"])
        shown = _Part(sheet, _region_of(table, part))
        frame, breaks, seen = shown.frame(columns, table.merged), shown.breaks(), 0
        for start in range(0, frame.height, self.rows):
            piece = frame.slice(start, self.rows)
            last = int(piece[ROW][-1])
            passed = breaks[(breaks > seen) & (breaks <= last)].tolist()
            yield Batch(piece, pl.DataFrame(schema=DAMAGED_SCHEMA), tuple(passed))
            seen = last

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Return the expression that names the cells of a column, such as `Sheet1!C12`."""
        places = str(table.options["places"]).split()
        place = int(places[table.columns.index(column)]) + int(table.options["first_column"] or 0)
        return pl.format("{}!{}{}", pl.lit(table.options["sheet"]), pl.lit(letters(place)), pl.col(ROW))


@dataclass(frozen=True)
class _Part:
    """A table on a sheet."""

    sheet: Sheet
    region: Region

    @cached_property
    def grid(self) -> Grid:
        """The cells with their merges."""
        return Grid(self.sheet.frame, self.sheet.merges)

    @cached_property
    def merged(self) -> dict[str, npt.NDArray[np.int64]]:
        """Columns in which a cell stands for several records: by row of the sheet, the row of its cell."""
        named = dict(zip(self.region.places, self.region.columns, strict=True))
        return {named[place]: rows for place, rows in self.grid.tops(self.region).items()}

    def breaks(self) -> npt.NDArray[np.int64]:
        """Return the rows of totals and repeated headers."""
        is_break = np.isin(roles(self.grid, self.region), (Role.TOTAL, Role.REPEATED_HEADER))
        return np.flatnonzero(is_break) + self.region.first_row

    def frame(self, columns: Sequence[str], merged: Collection[str]) -> pl.DataFrame:
        """Return the records: the columns asked for, a blank cell null, and the row on the sheet.

        merged: of these, the columns in which the cell that a record shares with others is its own.
        """
        region = self.region
        chosen = np.flatnonzero(roles(self.grid, region) == Role.RECORD) + region.first_row
        rows = pl.Series(ROW, chosen, dtype=pl.Int64)
        places = [region.places[region.columns.index(name)] for name in columns]
        cells = self.sheet.frame.select(str(place) for place in dict.fromkeys(places))[chosen - 1]
        texts = [cells[str(place)].alias(name) for place, name in zip(places, columns, strict=True)]
        blank = pl.when(pl.col(pl.String).str.strip_chars() != "").then(pl.col(pl.String))
        if not texts:
            return pl.DataFrame([rows])
        shared = (each for name in columns if name in merged for each in self._shared(name, chosen))
        return pl.DataFrame([*texts, rows]).with_columns(shared).with_columns(blank)

    def _shared(self, name: str, chosen: npt.NDArray[np.int64]) -> tuple[pl.Series, pl.Series]:
        """Return a column's cells with those that records share, and the row of each."""
        place = self.region.places[self.region.columns.index(name)]
        rows = np.where(self.grid.is_filled[chosen - 1, place], chosen, self.merged[name][chosen - 1])
        cells = self.sheet.frame[str(place)].gather(rows - 1)
        return cells.alias(name), pl.Series(shared_row(name), rows, dtype=pl.Int64)

    def table(self, name: str, identity: tuple[str, int], encoding: str | None) -> Table:
        """Describe the table; identity is the digest and size of the file."""
        region = self.region
        counts = Counter(roles(self.grid, region).tolist())
        return Table(
            format=name,
            columns=region.columns,
            lines=None,
            records=counts[Role.RECORD],
            structural={role.name.lower(): counts[role] for role in STRUCTURAL if counts[role]},
            encoding=encoding,
            sha256=identity[0],
            size=identity[1],
            options={
                "sheet": self.sheet.title,
                "first_column": self.sheet.first_column,
                "places": " ".join(map(str, region.places)),
                "header_row": region.header_row,
                "body_row": region.body_row,
                "last_row": region.last_row,
                "footer_row": region.footer_row,
            },
            ranges=(Range(0, identity[1], region.first_row),),
            decisions=tuple(self._decisions()),
            title=self.sheet.title,
            merged=tuple(name for name in region.columns if name in self.merged),
        )

    def _decisions(self) -> Iterator[Decision]:
        region, sheet = self.region, self.sheet
        header_rows = region.body_row - region.header_row if region.header_row else 0
        seen: dict[str, int | str] = {"columns": len(region.columns), "header_rows": header_rows}
        yield Decision("header", str(region.header_row), self._basis(), seen)
        yield from region.told
        for name, tops in self.merged.items():
            is_shared = tops != np.arange(1, len(tops) + 1)
            cells, further = len(np.unique(tops[is_shared])), int(is_shared.sum())
            yield Decision(f"{MERGED}{name}", "shared", "content", {"cells": cells, "further_rows": further})
        body = range(region.body_row, region.last_row + 1)
        rows = sheet.frame[region.body_row - 1 : region.last_row]
        for name, place in zip(region.columns, region.places, strict=True):
            if errors := sheet.count_errors(place, body):
                yield Decision(f"error_cells:{name}", "empty", "content", dict(errors))
            if place in sheet.dated:
                yield Decision(f"clock:{name}", "none", "content", {"midnight": "all"})
            is_long = rows[str(place)].str.contains(LONG_SHOWN).fill_null(value=False)
            if count := int(is_long.sum()):
                first = f"{letters(place + sheet.first_column)}{region.body_row + int(is_long.arg_true()[0])}"
                yield Decision(f"long_numbers:{name}", "rounded", "content", {"cells": count, "first": first})

    def _basis(self) -> str:
        if not self.region.header_row:
            return "declared"
        names = Grid(self.sheet.frame).filled(self.region.header_row).values()
        if self.region.told:
            return "content"
        return "default" if any(VALUE.fullmatch(name) for name in names) else "content"


def letters(place: int) -> str:
    """Return a spreadsheet's name of a column, counted from 0."""
    name, left = "", place + 1
    while left:
        left, letter = divmod(left - 1, 26)
        name = chr(65 + letter) + name
    return name


def _sheets(
    data: bytes, name: str, encoding: str | None, title: str | None = None
) -> tuple[Iterator[Sheet], str | None]:
    head = data[:65_536]
    if is_html(head):
        sheets, found = html_sheets(data, name, encoding)
        return iter(sheets), found
    if is_xml_workbook(head):
        return iter(xml_sheets(data, name)), None
    return Workbook(opened(data, name), name).sheets(title), None


def _tables(sheet: Sheet, hints: Hints) -> list[_Part]:
    grid = Grid(sheet.frame, sheet.merges)
    regions = find_regions(grid, hints)
    return [_Part(sheet, region) for region in regions]


def _reason_not_to_read(sheet: Sheet, hints: Hints) -> str:
    if sheet.is_hidden and hints.sheet is None:
        return "hidden"
    if hints.sheet not in {None, sheet.title}:
        return "not declared"
    is_blank = hints.header_row is not None and not Grid(sheet.frame).filled(hints.header_row)
    return f"row {hints.header_row} is blank" if is_blank else ""


def _unread(sheet: Sheet, why: str) -> list[Decision]:
    """Name a sheet that is not read, if anything is on it."""
    rows = int((Grid(sheet.frame).counts > 0).sum())
    return [Decision(f"sheet:{sheet.title}", f"not read: {why}", "content", {"rows": rows})] if rows else []


def _without_table(name: str, hints: Hints, titles: list[str], unread: list[Decision]) -> SourceUnreadable:
    if hints.sheet is not None and hints.sheet not in titles:
        why = f"The mapping declares that sheet; the workbook has: {', '.join(titles[:10])}."
        return SourceUnreadable(f"{name} has no sheet '{hints.sheet}'.", why, "correct sheet in the mapping")
    if unread:
        named = [f"{each.about.removeprefix('sheet:')} ({each.value})" for each in unread[:10]]
        why = f"Of its sheets, only these hold anything: {', '.join(named)}."
        return SourceUnreadable(
            f"{name} shows no table.", why, "declare sheet: or header_row: in the mapping, as they are"
        )
    why = "Its sheets are blank, or hold charts and pictures only."
    return SourceUnreadable(f"{name} holds no table.", why, "ask the site to send it again")


def _region_of(table: Table, part: Range) -> Region:
    kept = {key: int(table.options[key] or 0) for key in ("header_row", "body_row", "last_row", "footer_row")}
    places = tuple(map(int, str(table.options["places"]).split()))
    return Region(
        part.first_row,
        kept["header_row"],
        kept["body_row"],
        kept["last_row"],
        places,
        table.columns,
        kept["footer_row"],
    )
