"""What the parts of a workbook's package tell before a library loads it: its extent, merged cells, the date system.

A sheet is held in memory as a full rectangle, so that two cells far apart are a bomb. Only the first and last cells
and the merges are looked for; no cell is read.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO
from xml.etree.ElementTree import Element, ParseError

from etl.readers.archive import MAX_RATIO
from etl.readers.grid import Merge
from etl.readers.protection import locked
from schemas.errors import SourceUnreadable

MAX_CELLS = 30_000_000  # of a sheet, blank ones counted: a full one of 28 columns
# Unpacked bytes of a package that are never a bomb; less than of a stream, for a workbook is held in memory.
FREE_BYTES = 64 << 20
BLOCK = 1 << 20
# A cell or row that is closed at once has a style at most.
CELL = re.compile(rb'<(?:\w{1,9}:)?c (?:[^>]{0,400}? )?r="([A-Z]{1,3})\d[^>]{0,400}(?<!/)>')
ROW = re.compile(rb'<(?:\w{1,9}:)?row (?:[^>]{0,400}? )?r="(\d{1,9})"[^>]{0,400}(?<!/)>')
# Cheap to look for: rows, those without cells too, and whether any cell stands behind column Z.
NUMBERED = re.compile(rb' r="(\d{1,9})"')
BEHIND_Z = re.compile(rb' r="[A-Z]{2}')
LETTERS = 26
MERGED = re.compile(rb'<(?:\w{1,9}:)?mergeCell ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
REPEATED = re.compile(rb'<table:table-cell (?=[^>]*office:value-type)[^>]*number-columns-repeated="(\d+)"')
REPEATED_ROWS = re.compile(
    rb'<table:table-row [^>]*number-rows-repeated="(\d{2,})"[^>]*>(.*?)</table:table-row>', re.DOTALL
)
ROW_HEADER, CELLS = 0, range(1, 12)  # records of a binary sheet ([MS-XLSB] 2.1.7.62)
MANIFEST = "META-INF/manifest.xml"  # of an open document
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass
class Extent:
    """How far a sheet reaches, and its merged cells by row and column, counted from 1 and 0."""

    rows: int = 0
    columns: int = 0
    merges: list[Merge] = field(default_factory=list)


@dataclass(frozen=True)
class Package:
    """What a zipped workbook tells of itself. merges by sheet; None for a format that does not tell."""

    merges: dict[str, list[Merge]] | None = None
    charts: int = 0
    is_1904: bool = False


def examine(data: bytes, name: str) -> Package:
    """Check a workbook's size before it is loaded. Raises SourceUnreadable for a bomb, damage or a password."""
    if ENCRYPTED in data[: 1 << 20] or ENCRYPTED in data[-(1 << 16) :]:
        raise locked(name)
    if not data.startswith(b"PK"):
        return Package()  # BIFF: at most 65,536 rows and 256 columns
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _package(archive, name, len(data))
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        ParseError,
        LookupError,
        ValueError,
    ):
        why = "Its package is damaged or ends early."
        raise SourceUnreadable(f"{name} is not a whole workbook.", why, "transfer or save it again") from None
    except RuntimeError:  # what zipfile raises for an encrypted part
        raise locked(name) from None


def _package(archive: zipfile.ZipFile, name: str, size: int) -> Package:
    infos = {info.filename: info for info in archive.infolist()}
    if sum(info.file_size for info in infos.values()) > max(FREE_BYTES, size * MAX_RATIO):
        why = f"It unpacks to more than {MAX_RATIO} times its size."
        raise SourceUnreadable(f"{name} is refused.", why, "save it again, or export it as CSV")
    charts = sum(part.startswith("xl/chartsheets/sheet") for part in infos)
    if "content.xml" in infos:
        if MANIFEST in infos and b"encryption-data" in archive.read(MANIFEST):
            raise locked(name)
        with archive.open("content.xml") as part:
            _check(name, _ods_extent(part.read()))
        return Package()
    extents = {part: _scan(archive, part) for part in infos if part.startswith("xl/worksheets/")}
    for extent in extents.values():
        _check(name, extent)
    if "xl/workbook.xml" not in infos:
        return Package(charts=charts)
    book = _xml(archive, "xl/workbook.xml")
    parts = _sheet_parts(archive, book)
    merges = {sheet: extents[part].merges for sheet, part in parts.items() if part in extents}
    is_1904 = any(_local(each) == "workbookPr" and each.get("date1904") in {"1", "true"} for each in book)
    return Package(merges, charts, is_1904)


def _check(name: str, extent: Extent) -> None:
    if extent.rows * extent.columns > MAX_CELLS:
        raise SourceUnreadable(
            f"{name} is too large to be read as a workbook.",
            f"A sheet spans {extent.rows:,} rows and {extent.columns:,} columns, more than {MAX_CELLS:,} cells.",
            "delete stray cells far from the table, or export the sheet as CSV",
        )


def _scan(archive: zipfile.ZipFile, part: str) -> Extent:
    with archive.open(part) as stream:
        extent = _binary_extent(stream.read()) if part.endswith(".bin") else _xml_extent(stream, NUMBERED)
    if extent.rows * extent.columns <= MAX_CELLS or part.endswith(".bin"):
        return extent
    with archive.open(part) as stream:
        return _xml_extent(stream, ROW)


def _xml_extent(stream: IO[bytes], numbered: re.Pattern[bytes]) -> Extent:
    """Return the extent, at least to column Z: all rows of a sheet together are no bomb up to there."""
    extent = Extent(columns=LETTERS)
    letters: set[bytes] = set()
    for block in _blocks(stream):
        if BEHIND_Z.search(block):
            letters.update(CELL.findall(block))
        extent.rows = max(extent.rows, *map(int, numbered.findall(block)), 0)
        for first, row, last, lower in MERGED.findall(block) if b"mergeCell " in block else ():
            extent.merges.append(Merge(int(row), _place(first), _place(last), int(lower)))
    extent.columns = max((_place(each) + 1 for each in letters), default=LETTERS)
    return extent


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield blocks that end before an element."""
    rest = b""
    while block := stream.read(BLOCK):
        block = rest + block
        at = block.rfind(b"<")
        cut = at if at > 0 and len(block) - at < BLOCK else len(block)
        rest = block[cut:]
        yield block[:cut]
    yield rest


def _binary_extent(data: bytes) -> Extent:
    """Walk over the records: a number and a length of up to 2 and 4 bytes, 7 bits each, then the content."""
    extent, at = Extent(), 0
    while at < len(data):
        kind, at = _varint(data, at, 2)
        length, at = _varint(data, at, 4)
        if kind == ROW_HEADER:
            extent.rows = max(extent.rows, int.from_bytes(data[at : at + 4], "little") + 1)
        elif kind in CELLS:
            extent.columns = max(extent.columns, int.from_bytes(data[at : at + 4], "little") + 1)
        at += length
    return extent


def _varint(data: bytes, at: int, longest: int) -> tuple[int, int]:
    value = 0
    for place in range(longest):
        byte = data[at + place] if at + place < len(data) else 0
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    return value, at + longest


def _ods_extent(content: bytes) -> Extent:
    """Multiply the rows with the widest repetition of a value; blank repetitions cost nothing."""
    repeated = (
        int(count) for count, cells in REPEATED_ROWS.findall(content) if b"office:value-type" in cells
    )
    rows = content.count(b"<table:table-row") + sum(repeated)
    columns = max(map(int, REPEATED.findall(content)), default=1)
    return Extent(rows, columns)


def _sheet_parts(archive: zipfile.ZipFile, book: Element) -> dict[str, str]:
    targets = {
        each.get("Id"): posixpath.normpath(posixpath.join("xl", each.get("Target", "")))
        for each in _xml(archive, "xl/_rels/workbook.xml.rels")
    }
    found = {}
    for sheet in (each for each in book.iter() if _local(each) == "sheet"):
        key = next((value for name, value in sheet.items() if name.endswith("}id")), None)
        found[sheet.get("name", "")] = targets.get(key, "").lstrip("/")
    return found


def _xml(archive: zipfile.ZipFile, part: str) -> Element:
    from defusedxml.ElementTree import fromstring

    root: Element = fromstring(archive.read(part), forbid_dtd=True)
    return root


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _place(letters: bytes) -> int:
    """Return the place from 0 of a column's letters."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
