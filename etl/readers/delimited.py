"""Delimited text: comma, semicolon, tab, pipe, or one column; any encoding, line end and quoting that exports show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.readers.archive import is_seekable
from etl.readers.base import ROW, Batch, Decision, Feed, Hints, Observe, Range, Source, Table
from etl.readers.blocks import LineStream
from etl.readers.encodings import BOM, UTF8, Decoder, declared_encoding, utf16_of
from etl.readers.evidence import best_encoding
from etl.readers.footer import FooterWatch
from etl.readers.head import DELIMITERS, read_head
from etl.readers.layout import Layout, layout_of
from etl.readers.part import Part, plain_batch
from etl.readers.records import STRUCTURAL, Role
from etl.readers.scan import Scanner
from schemas.errors import SourceUnreadable

BLOCK = 12 << 20  # bytes that inspection works on at once
RANGE = 12 << 20  # of what is read at a time
HEAD = 256 << 10  # bytes in which the dialect and the header are looked for
CONTROLS = bytes([*range(9), *range(14, 27), *range(28, 32)])  # more than 2 % of them: not text
SUFFIXES = (".csv", ".tsv", ".tab", ".psv", ".txt", ".dat", ".asc", ".skv")
# First bytes of other formats: archives, office files, PDF, statistics packages, HL7, markup, JSON.
FOREIGN = (
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"%PDF",
    b"$FL",
    b"HEADER RECORD",
    b"<",
    b"{",
    b"MSH|",
    b"FHS|",
    b"BHS|",
)


@dataclass
class Tally:
    """Count lines by role, and where the parts of a file start."""

    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Role), np.int64))
    switched: int = 0
    starts: list[tuple[int, int, bool]] = field(default_factory=list)  # byte offset, row, is plain

    def add(self, part: Part) -> None:
        """Take in some lines."""
        counts = part.counts()
        self.counts += counts
        self.switched += sum(line < len(part.section.roles) for line in part.text.switched)
        is_plain = counts[Role.RECORD] == counts.sum() and part.is_one_byte_a_character()
        self.starts.append((part.offset, part.row, bool(is_plain)))

    def ranges(self, size: int, longest: int) -> tuple[Range, ...]:
        """Join consecutive parts to ranges of at most `longest` bytes, if their parts allow it."""
        found = [Range(0, 0, 1, is_plain=True)]
        ends = [offset for offset, *_ in self.starts[1:]] + [size]
        for (start, row, is_plain), end in zip(self.starts, ends, strict=True):
            last = found[-1]
            if end - last.start > longest and start > last.start:
                found.append(Range(start, end, row, is_plain))
            else:
                found[-1] = replace(last, end=end, is_plain=last.is_plain and is_plain)
        return tuple(found)


@dataclass
class DelimitedReader:
    """Read delimited text. The sizes in bytes change speed and memory, never the result."""

    block: int = BLOCK
    range: int = RANGE
    name: str = "delimited"

    def recognises(self, name: str, head: bytes) -> bool:
        """Tell by the content, and by the name where a single column gives nothing away."""
        start = head.removeprefix(BOM).lstrip()
        if start.startswith(FOREIGN):
            return False
        encoding = utf16_of(head)
        controls = len(head) - len(head.translate(None, CONTROLS))
        if encoding is None and controls * 50 > len(head):
            return False
        if name.lower().removesuffix(".gz").endswith(SUFFIXES):
            return True
        first = (head.decode(encoding, "replace").encode() if encoding else start).splitlines()[:1]
        return any(delimiter.encode() in line for line in first for delimiter in DELIMITERS)

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source once and describe its table. Raises SourceUnreadable."""
        with source.open() as file:
            # The first block is a small one: all that comes after it waits for it, here and when it is read.
            stream = LineStream(file, source.name, self.block, first=self.block // 4)
            start = stream.window(0, 4096)
            if not start:
                raise SourceUnreadable(
                    f"{source.name} is empty.", "It holds no byte.", "ask the site to send it again"
                )
            decoder = _decoder(start, hints)
            stream.unit = decoder.unit
            scanner = Scanner(stream, decoder)
            layout, decisions = read_head(scanner.head(HEAD), source.name, hints)
            scanner.layout = layout
            tally, watch = Tally(), FooterWatch(layout.fields)
            asked = observe(layout.columns) if observe else None
            # What is shown is parsed while the next part is audited.
            with ThreadPoolExecutor(max_workers=1) as worker:
                shown: Future[None] | None = None
                for part in scanner.parts():
                    tally.add(part)
                    watch.see(part)
                    if shown is not None:
                        shown.result()
                    shown = worker.submit(_show, part, scanner.layout, asked)
                if shown is not None:
                    shown.result()
        _check_decoded(scanner, source, hints, int(tally.counts.sum()))
        scanner.decisions[:0] = [_encoding_decision(scanner, tally, hints, start), *decisions]
        table = _table(scanner, tally, watch)
        if not table.columns and not table.records:
            raise SourceUnreadable(
                f"{source.name} is empty.",
                "It holds nothing but blank lines.",
                "ask the site to send it again",
            )
        whole = (Range(0, table.size, 1),)
        return [replace(table, ranges=tally.ranges(table.size, self.range) if is_seekable(source) else whole)]

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the named columns of one range of a table that inspect() described."""
        layout = layout_of(table)
        other = table.options.get("other_encoding")
        decoder = Decoder(table.encoding, str(other) if other else None, is_settled=True)
        with source.open() as file:
            if part.start:
                file.seek(part.start)
            if part.is_plain:
                yield plain_batch(file.read(part.end - part.start), layout, part.first_row, list(columns))
                return
            stream = LineStream(file, source.name, self.range, part.end - part.start)
            stream.unit = decoder.unit
            for each in Scanner(stream, decoder, layout, part.first_row).parts():
                yield Batch(each.frame(layout, list(columns)), each.damaged(), each.breaks())

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Return the expression that names the cells of a column, such as `L311/C5`."""
        return pl.format("L{}/C{}", pl.col(ROW), pl.lit(table.columns.index(column) + 1))


def _show(part: Part, layout: Layout, asked: tuple[Sequence[str], Feed] | None) -> None:
    if asked is not None:
        columns, feed = asked
        feed(part.frame(layout, list(columns)))


def _decoder(start: bytes, hints: Hints) -> Decoder:
    found = utf16_of(start)
    if hints.encoding is None:
        return Decoder(found, is_settled=True) if found else Decoder()
    declared = declared_encoding(hints.encoding)
    return Decoder((found or "utf-16-le") if declared == "utf-16" else declared, is_settled=True)


def _encoding_decision(scanner: Scanner, tally: Tally, hints: Hints, start: bytes) -> Decision:
    decoder, undecodable = scanner.decoder, scanner.undecodable.lines
    evidence: dict[str, int | str] = {}
    for made in decoder.decisions:
        evidence |= made.evidence
    if start.startswith((BOM, b"\xff\xfe", b"\xfe\xff")):
        evidence["byte_order_mark"] = 1
    if undecodable:
        evidence["lines_undecodable"] = undecodable
    if tally.switched and decoder.other:
        evidence[f"lines_as_{decoder.other}"] = tally.switched
    basis = "declared" if hints.encoding else "content" if decoder.main or evidence else "default"
    return Decision("encoding", decoder.main or UTF8, basis, evidence)


def _table(scanner: Scanner, tally: Tally, watch: FooterWatch) -> Table:
    counts = {role: int(tally.counts[role]) for role in Role}
    footer_row, records, further = watch.footer()
    counts[Role.DAMAGED] -= records
    counts[Role.DAMAGED_MORE] -= further
    counts[Role.FOOTER] += records + further
    layout = replace(scanner.layout, footer_row=footer_row)
    return Table(
        format="delimited",
        columns=layout.columns,
        lines=sum(counts.values()),
        records=counts[Role.RECORD] + counts[Role.DAMAGED],
        continuation=counts[Role.CONTINUATION] + counts[Role.DAMAGED_MORE],
        structural={role.name.lower(): counts[role] for role in STRUCTURAL if counts[role]},
        damaged=counts[Role.DAMAGED],
        encoding=scanner.decoder.main or UTF8,
        sha256=scanner.stream.sha256,
        size=scanner.stream.position,
        options=layout.options() | {"other_encoding": scanner.decoder.other},
        decisions=tuple(scanner.decisions),
    )


def _check_decoded(scanner: Scanner, source: Source, hints: Hints, lines: int) -> None:
    """Refuse a file whose encoding is not the declared one, or not known; a few broken lines are damage only."""
    seen = scanner.undecodable
    if seen.first is None:
        return
    byte, offset, line = seen.first
    share = 100 if hints.encoding else 2
    if seen.lines * share <= lines and line >= scanner.layout.body_row:
        return
    at = f"(byte 0x{byte:02x} at offset {offset}, line {line})"
    likely = best_encoding(seen.kept)[0]
    fix = f"encoding: {likely or 'the one that the site exports'} in the mapping"
    if hints.encoding:
        why = f"The mapping declares encoding {hints.encoding}; {seen.lines} of {lines} lines break it."
        raise SourceUnreadable(f"{source.name} is not valid {hints.encoding} {at}.", why, fix)
    why = f"{seen.lines} of {lines} lines are neither UTF-8 nor plausible in another encoding."
    raise SourceUnreadable(f"{source.name} is in no encoding that its content tells {at}.", why, fix)
