"""HL7 v2 messages with results (ORU^R01 and what else carries OBX), versions 2.2 to 2.8, one message or a batch.

Lines are segments. Records are OBX, and orders without any; the columns have the names of roles. Everything else is
structure, counted by segment name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from etl.readers.archive import is_seekable
from etl.readers.base import LOCATOR, Batch, Decision, Hints, Observe, Range, Source, Table
from etl.readers.blocks import LineStream
from etl.readers.encodings import BOM, UTF8, Decoder, declared_encoding, utf16_of
from etl.readers.hl7_fields import COLUMNS, fields
from etl.readers.hl7_scan import Part, Scanner
from schemas.errors import SourceUnreadable

BLOCK = 16 << 20  # bytes that are worked on at once
RANGE = 32 << 20  # bytes of a range
FIRST = re.compile(rb"(?:MSH|FHS|BHS)(?:[|]|([^\w\s])[^\w\s]{1,6}\1)")
LEAD = b"\x0b \t\r\n"  # what transport and editors put before the first segment
# What a header may state, shown as evidence; anything else could be a misplaced name.
STATED = re.compile(
    r"[A-Z]{3}(?:\^[A-Z]\d\d)?(?:\^[A-Z]{3}_[A-Z]\d\d)?|[\w/ .-]{0,20}[\d/][\w/ .-]{0,10}|ASCII|UNICODE"
)


@dataclass
class Tally:
    """Count what inspection sees, and where the parts of a source start."""

    structural: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    records: int = 0
    continuation: int = 0
    damaged: int = 0
    undecodable: int = 0
    types: Counter[str] = field(default_factory=Counter)
    charsets: Counter[str] = field(default_factory=Counter)
    starts: list[tuple[int, int, int]] = field(default_factory=list)  # byte offset, row, messages before

    def add(self, part: Part) -> None:
        """Take in some segments."""
        self.structural.update(part.structural())
        self.lines += part.lines
        self.records += part.records.height
        self.continuation += part.continuation
        self.damaged += part.damage.height
        self.undecodable += len(part.text.undecodable)
        self.types.update(_stated(part.headers(9)))
        self.charsets.update(_stated(part.headers(18)))
        self.starts.append((part.offset, part.row, part.message))

    def ranges(self, size: int, longest: int) -> tuple[tuple[Range, ...], str]:
        """Join parts to ranges of at most `longest` bytes; with the number of messages before each."""
        found: list[Range] = []
        before: list[int] = []
        ends = [offset for offset, _, _ in self.starts[1:]] + [size]
        for (start, row, message), end in zip(self.starts, ends, strict=True):
            if found and end - found[-1].start <= longest:
                found[-1] = replace(found[-1], end=end)
            else:
                found.append(Range(start, end, row))
                before.append(message)
        return tuple(found), " ".join(map(str, before))


@dataclass
class Hl7Reader:
    """Read HL7 v2. The sizes in bytes change speed and memory, never the result."""

    block: int = BLOCK
    range: int = RANGE
    name: str = "hl7"

    def recognises(self, name: str, head: bytes) -> bool:  # noqa: ARG002 - the content tells, whatever the name
        """Tell by a first segment that names a message or a batch."""
        encoding = utf16_of(head)
        start = head.decode(encoding, "replace").lstrip("\ufeff").encode() if encoding else head
        return FIRST.match(start.removeprefix(BOM).lstrip(LEAD)) is not None

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source once and describe its one table. Raises SourceUnreadable."""
        tally = Tally()
        asked = observe(COLUMNS) if observe else None
        with source.open() as file:
            stream = LineStream(file, source.name, self.block)
            _refuse_utf16(source, stream.window(0, 4096))
            decoder = Decoder()
            if hints.encoding:
                decoder = Decoder(declared_encoding(hints.encoding), is_settled=True)
            scanner = Scanner(source.name, stream, decoder)
            for part in scanner.parts():
                tally.add(part)
                if asked is not None:
                    columns, feed = asked
                    feed(fields(part, columns).drop(LOCATOR))
        if not tally.lines:
            raise SourceUnreadable(
                f"{source.name} is empty.", "It holds no byte.", "ask the site to send it again"
            )
        _check_declared(source, hints, tally)
        return [self._table(source, hints, scanner, tally)]

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the named columns of one range of a table that inspect() described."""
        other = table.options.get("other_encoding")
        decoder = Decoder(table.encoding, str(other) if other else None, is_settled=True)
        before = str(table.options["messages_before"]).split()
        message = int(before[table.ranges.index(part)])
        with source.open() as file:
            if part.start:
                file.seek(part.start)
            stream = LineStream(file, source.name, self.block, part.end - part.start)
            scanner = Scanner(
                source.name, stream, decoder, part.first_row, message, is_end=part.end == table.size
            )
            for each in scanner.parts():
                yield Batch(fields(each, columns), each.damage)

    def locate(self, table: Table, column: str) -> pl.Expr:  # noqa: ARG002 - a batch brings its locators
        """Return the locator of a record's segment, such as `msg12/OBX[3]`."""
        return pl.col(LOCATOR)

    def _table(self, source: Source, hints: Hints, scanner: Scanner, tally: Tally) -> Table:
        size, decoder = scanner.stream.position, scanner.decoder
        ranges, before = tally.ranges(size, self.range if is_seekable(source) else size)
        return Table(
            format="hl7",
            columns=COLUMNS,
            lines=tally.lines,
            records=tally.records,
            continuation=tally.continuation,
            structural=dict(sorted(tally.structural.items())),
            damaged=tally.damaged,
            encoding=decoder.main or UTF8,
            sha256=scanner.stream.sha256,
            size=size,
            options={"other_encoding": decoder.other, "messages_before": before},
            ranges=ranges,
            decisions=(_encoding_decision(decoder, hints, tally), _type_decision(tally, scanner.message)),
        )


def _stated(texts: pl.Series) -> Counter[str]:
    counts = dict(texts.value_counts().iter_rows())
    return Counter({text if STATED.fullmatch(text) else "other": number for text, number in counts.items()})


def _encoding_decision(decoder: Decoder, hints: Hints, tally: Tally) -> Decision:
    """Decide by the content; what MSH-18 states is often absent or wrong, and shown beside it."""
    evidence: dict[str, int | str] = {}
    for made in decoder.decisions:
        evidence |= made.evidence
    evidence |= {f"stated_{charset}": number for charset, number in tally.charsets.items()}
    if tally.undecodable:
        evidence["lines_undecodable"] = tally.undecodable
    basis = "declared" if hints.encoding else "content" if decoder.main else "default"
    return Decision("encoding", decoder.main or UTF8, basis, evidence)


def _type_decision(tally: Tally, messages: int) -> Decision:
    common = tally.types.most_common(1)
    return Decision(
        "message_type", common[0][0] if common else "none", "content", {"messages": messages, **tally.types}
    )


def _refuse_utf16(source: Source, head: bytes) -> None:
    if encoding := utf16_of(head):
        why = f"Its bytes are {encoding}; HL7 v2 is read in encodings whose first 128 characters are ASCII."
        raise SourceUnreadable(f"{source.name} cannot be read as HL7.", why, "save it as UTF-8")


def _check_declared(source: Source, hints: Hints, tally: Tally) -> None:
    """Refuse a file that the declared encoding does not explain; a few broken lines are damage only."""
    if hints.encoding and tally.undecodable * 100 > tally.lines:
        why = f"The mapping declares that encoding; {tally.undecodable} of {tally.lines} lines break it."
        fix = "correct encoding in the mapping, or leave it out"
        raise SourceUnreadable(f"{source.name} is not valid {hints.encoding}.", why, fix)
