"""Spreadsheets in markup: HTML tables saved as .xls, and Excel's XML of 2003. Texts only: nothing is fetched or run."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree.ElementTree import ParseError

import polars as pl

from etl.readers.encodings import BOM, UTF8, Decoder, declared_encoding, utf16_of
from etl.readers.grid import Merge
from etl.readers.package import MAX_CELLS
from etl.readers.workbook import Sheet, shown
from schemas.errors import DefinitionError, SourceUnreadable

STATED = re.compile(rb"""(?i)<meta[^>]{0,200}charset\s*=\s*["']?([\w.:-]{2,40})""")
HTML = re.compile(
    r"(?is)\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|div|meta|style)\b"
)
NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
TAG = f"{{{NAMESPACE}}}"
FED = 1 << 20  # characters of a page at a time
LONGEST_CELL = 1 << 20  # characters; a workbook's cell holds 32,767
SPANS = 16_384  # columns of the widest sheet
BREAKS = {"br", "p", "div"}
SKIPPED = {"script", "style", "title"}


def is_html(head: bytes) -> bool:
    """Tell an HTML page by its first element."""
    encoding = utf16_of(head) or "latin-1"
    return HTML.match(head.removeprefix(BOM).decode(encoding, "replace").lstrip("\ufeff")) is not None


def is_xml_workbook(head: bytes) -> bool:
    """Tell Excel's XML of 2003 by its namespace."""
    return head.removeprefix(BOM).lstrip().startswith(b"<?xml") and NAMESPACE.encode() in head


@dataclass
class Cells:
    """Rows of cells as they come, with what spans further rows and columns."""

    name: str
    rows: list[dict[int, str]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    width: int = 0
    _below: dict[int, int] = field(default_factory=dict)  # place -> further rows that a cell covers
    _place: int = 0

    def start_row(self, row: int | None = None) -> None:
        """Start the next row, or a given one further down."""
        while len(self.rows) < (row or 0) - 1:
            self._add_row()
        self._add_row()

    def add(self, text: str, across: int = 1, down: int = 1, place: int | None = None) -> None:
        """Put a text into the next free cell of the row, or into a given one."""
        if not self.rows:
            self._add_row()
        at = self._place if place is None else place
        while self._below.get(at, 0) > 0 and place is None:
            at += 1
        last = at + max(1, min(across, SPANS)) - 1
        if text.strip():
            self.rows[-1][at] = text
        if last > at or down > 1:
            row = len(self.rows)
            self.merges.append(Merge(row, at, last, row + max(1, down) - 1))
        if down > 1:
            self._below.update(dict.fromkeys(range(at, last + 1), down))
        self._place = last + 1
        self.width = max(self.width, last + 1)
        self._check()

    def sheet(self, title: str) -> Sheet:
        """Return the cells as a sheet."""
        frame = pl.DataFrame(
            {str(place): [row.get(place) for row in self.rows] for place in range(self.width)},
            schema=dict.fromkeys(map(str, range(self.width)), pl.String),
        )
        return Sheet(title, frame, merges=self.merges)

    def _add_row(self) -> None:
        self._below = {place: left - 1 for place, left in self._below.items() if left > 1}
        self.rows.append({})
        self._place = 0
        self._check()

    def _check(self) -> None:
        if len(self.rows) * self.width > MAX_CELLS or len(self.rows) > MAX_CELLS:
            why = f"A table spans more than {MAX_CELLS:,} cells."
            raise SourceUnreadable(f"{self.name} is refused.", why, "export it as CSV")


def html_sheets(data: bytes, name: str, declared: str | None) -> tuple[list[Sheet], str]:
    """Return the tables of a page, named by their order, and the page's encoding."""
    encoding = _encoding(data, declared)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        basis = "The mapping declares" if declared else "Its content suggests"
        why = f"{basis} encoding {encoding}; the byte at offset {error.start} breaks it."
        raise SourceUnreadable(f"{name} cannot be decoded.", why, "correct encoding in the mapping") from None
    parser = _Tables(name)
    for start in range(0, len(text), FED):
        parser.feed(text[start : start + FED])
        if len(parser.rawdata) > LONGEST_CELL:  # what is left is a tag without end
            raise _too_long(name)
    parser.close()
    parser.flush()
    return [cells.sheet(f"Table{place}") for place, cells in enumerate(parser.tables, start=1)], encoding


def _encoding(data: bytes, declared: str | None) -> str:
    """Take the declared encoding, a byte order mark, UTF-8 if it decodes, what the page states, or the likeliest."""
    if declared:
        return declared_encoding(declared)
    if wide := utf16_of(data[:4096]):
        return wide
    try:
        data.decode(UTF8)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8-sig" if data.startswith(BOM) else UTF8
    stated = STATED.search(data[:4096])
    if stated:
        try:
            named = declared_encoding(stated[1].decode())
            found = (
                "gb18030" if named in {"gb2312", "gbk"} else named
            )  # pages that state the older one use the newer
            data.decode(found)
        except (DefinitionError, UnicodeDecodeError):
            pass
        else:
            return found
    decoder = Decoder()
    decoder.decide(data)
    likely = decoder.other if decoder.main == UTF8 else decoder.main
    return likely or UTF8


def _too_long(name: str) -> SourceUnreadable:
    why = f"One of its cells or tags is longer than {LONGEST_CELL:,} characters."
    return SourceUnreadable(f"{name} is refused.", why, "export it as CSV")


class _Tables(HTMLParser):
    """Collect the tables of a page; the text of a nested one belongs to its own table."""

    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Cells] = []
        self._name = name
        self._open: list[tuple[Cells, list[str] | None, tuple[int, int]]] = []
        self._skipping = ""
        self._length = 0  # of the open cell's text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell; a new one closes its predecessor, since pages leave out end tags."""
        if tag in SKIPPED:
            self._skipping = tag
        elif tag == "table":
            self._open.append((Cells(self._name), None, (1, 1)))
            self.tables.append(self._open[-1][0])
        elif self._open and tag in {"tr", "td", "th"}:
            self.flush()
            cells = self._open[-1][0]
            if tag == "tr":
                cells.start_row()
            else:
                known = dict(attrs)
                spans = (_number(known.get("colspan")), _number(known.get("rowspan")))
                self._open[-1] = (cells, [], spans)
                self._length = 0
        elif tag in BREAKS:
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        """Close what was open."""
        if tag == self._skipping:
            self._skipping = ""
        if self._open and tag in {"td", "th", "tr", "table"}:
            self.flush()
            if tag == "table":
                self._open.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text of the open cell."""
        if self._open and not self._skipping and (texts := self._open[-1][1]) is not None:
            texts.append(data)
            self._length += len(data)
            if self._length > LONGEST_CELL:
                raise _too_long(self._name)

    def flush(self) -> None:
        """Put the open cell's text into its table."""
        if self._open and self._open[-1][1] is not None:
            cells, texts, (across, down) = self._open[-1]
            self._open[-1] = (cells, None, (1, 1))
            cells.add(re.sub(r"[\s\xa0]+", " ", "".join(texts or ())).strip(), across, down)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 8 else 1


def xml_sheets(data: bytes, name: str) -> list[Sheet]:
    """Return the sheets of a workbook in Excel's XML of 2003."""
    from defusedxml import DefusedXmlException

    try:
        return [cells.sheet(title) for title, cells in _worksheets(data, name)]
    except DefusedXmlException:
        why = "It declares entities, which no export needs."
        raise SourceUnreadable(f"{name} is refused.", why, "save it as .xlsx") from None
    except (ParseError, LookupError, ValueError):
        why = "Its XML is damaged or ends early."
        raise SourceUnreadable(f"{name} is not a whole workbook.", why, "save it as .xlsx") from None


def _worksheets(data: bytes, name: str) -> Iterator[tuple[str, Cells]]:
    from defusedxml.ElementTree import iterparse

    title, cells = "", Cells(name)
    for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
        if element.tag == f"{TAG}Worksheet":
            if event == "start":
                title, cells = element.get(f"{TAG}Name", ""), Cells(name)
            else:
                yield title, cells
                element.clear()
        elif event == "start" and element.tag == f"{TAG}Row":
            index = element.get(f"{TAG}Index")
            cells.start_row(min(int(index), MAX_CELLS + 1) if index else None)
        elif event == "end" and element.tag == f"{TAG}Cell":
            index = element.get(f"{TAG}Index")
            across = int(element.get(f"{TAG}MergeAcross", "0")) + 1
            down = int(element.get(f"{TAG}MergeDown", "0")) + 1
            cells.add(_xml_text(element.find(f"{TAG}Data")), across, down, int(index) - 1 if index else None)
            element.clear()
        elif event == "end" and element.tag == f"{TAG}Row":
            element.clear()


def _xml_text(data: object) -> str:
    from xml.etree.ElementTree import Element

    if not isinstance(data, Element):
        return ""
    text, kind = "".join(data.itertext()), data.get(f"{TAG}Type")
    if kind == "Number":
        return shown(float(text))
    if kind == "Boolean":
        return "true" if text == "1" else "false"
    if kind == "DateTime":
        return text.replace("T", " ").removesuffix(".000").removesuffix(" 00:00:00")
    return "" if kind == "Error" else text
