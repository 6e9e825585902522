"""Scanning HL7 v2: blocks of whole messages in, parts out: every line settled, every record sound or damaged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import polars as pl

from etl.readers.base import DAMAGED_SCHEMA, LOCATOR, ROW
from etl.readers.blocks import LONGEST_LINE, LineStream, line_starts
from etl.readers.encodings import UTF8, Decoder, Text
from etl.readers.evidence import decoded
from etl.readers.hl7_damage import with_reasons
from etl.readers.hl7_lines import MARK, joined, settled
from schemas.errors import SourceUnreadable

BEGIN = re.compile(rf"MSH(?:\||{MARK}{MARK}|[\r\n])".encode())  # as hl7_lines.HEADER
FRAMING = b"\x0b \t\xef\xbb\xbf"  # what may stand before a header on its line
LINE_ENDS = b"\r\n"
WINDOW = 1 << 20  # bytes of evidence for the encoding
JIS = (b"\x1b$", b"\x1b(")  # how Japanese senders switch character sets (MSH-18 ISO IR87) ...
JAPANESE = "iso2022_jp_ext"  # ... in this encoding


@dataclass(frozen=True)
class Part:
    """Some whole messages. offset, row: of their first line; message: how many messages came before.

    messages: how many begin here, those with a broken header too, and in a line that continues a segment.
    segments: one row a segment: line (index), text, name, message, dialect, pid_line, obr_line, is_record, number,
    reason; see hl7_lines and hl7_damage.
    """

    offset: int
    row: int
    message: int
    messages: int
    raw: bytes
    text: Text
    encoding: str
    lines: int
    continuation: int
    segments: pl.DataFrame

    @cached_property
    def records(self) -> pl.DataFrame:
        """The segments that are records, with row_number and locator."""
        kind = pl.when(pl.col("name").is_in(["OBR", "MSH"])).then("name").otherwise(pl.lit("OBX"))
        numbered = pl.format("msg{}/{}[{}]", "message", kind, "number")
        return self.segments.filter("is_record").with_columns(
            (pl.col("line") + self.row).cast(pl.Int64).alias(ROW),
            pl.when(kind == "MSH").then(pl.format("msg{}", "message")).otherwise(numbered).alias(LOCATOR),
        )

    @cached_property
    def damage(self) -> pl.DataFrame:
        """The damaged records as DAMAGED_SCHEMA says, each with its lines as they came."""
        damaged = self.records.filter(pl.col("reason").is_not_null())
        raws: list[bytes] = []
        if damaged.height:
            starts = line_starts(self.raw)
            firsts = [*self.segments.filter(pl.col("name") != "blank")["line"], self.lines]
            after = dict(pairwise(firsts))
            raws = [self.raw[starts[line] : starts[after[line]]].rstrip(b"\r\n") for line in damaged["line"]]
        raw = pl.Series("raw", raws, dtype=pl.Binary)
        return damaged.select(ROW, LOCATOR, "reason").with_columns(raw).cast(DAMAGED_SCHEMA)  # type: ignore[arg-type]

    def structural(self) -> dict[str, int]:
        """Return the number of segments that are no records, by name."""
        return dict(self.segments.filter(~pl.col("is_record"))["name"].value_counts().iter_rows())

    def headers(self, number: int) -> pl.Series:
        """Return a field of the message headers, without empty ones."""
        headers = self.segments.filter((pl.col("name") == "MSH") & (pl.col("dialect") != ""))
        found = headers.select(
            pl.col("text").str.split(pl.col("dialect").str.head(1)).list.get(number - 1, null_on_oob=True)
        ).to_series()
        return found.filter(found != "")


@dataclass
class Scanner:
    """Settle a stream of messages. name: of its source; row: of its first line; message: messages before; is_end: it ends the source."""

    name: str
    stream: LineStream
    decoder: Decoder
    row: int = 1
    message: int = 0
    is_end: bool = True

    def parts(self) -> Iterator[Part]:
        """Yield the messages of the stream in order, each once."""
        while (block := self._block())[0]:
            raw, is_last = block
            part = self._part(raw, is_last=is_last and self.is_end)
            yield part
            self.stream.consume(len(raw))
            self.row += part.lines
            self.message += part.messages

    def _block(self) -> tuple[bytes, bool]:
        """Return the next whole messages, and whether they are the last."""
        while True:
            raw, is_last = self.stream.block()
            if is_last or not raw:
                return raw, is_last
            if cut := _message_cut(raw):
                return raw[:cut], False
            if len(raw) > LONGEST_LINE:
                why = f"From byte {self.stream.position} on no message begins in {LONGEST_LINE >> 20} MiB."
                what = f"{self.name} is no series of HL7 messages."
                raise SourceUnreadable(what, why, "check how it was exported")
            self.stream.grow()

    def _part(self, raw: bytes, *, is_last: bool) -> Part:
        text, encoding = self._decoded(raw)
        lines = settled(_lines(text.utf8), self.message)
        is_cut = is_last and not raw.endswith((b"\n", b"\r"))
        segments = with_reasons(joined(lines), text.undecodable, is_cut=is_cut)
        further = lines.height - segments.height
        messages = int(lines["message"][-1]) - self.message
        position, row, before = self.stream.position, self.row, self.message
        return Part(position, row, before, messages, raw, text, encoding, lines.height, further, segments)

    def _decoded(self, raw: bytes) -> tuple[Text, str]:
        if any(mark in raw for mark in JIS) and (switched := decoded(raw, JAPANESE)) is not None:
            return Text(switched.encode()), JAPANESE
        while (at := self.decoder.question(raw)) is not None:
            self.decoder.decide(self.stream.window(at, WINDOW))
        return self.decoder.decode(raw), self.decoder.main or UTF8


def _lines(utf8: bytes) -> pl.Series:
    texts = utf8.replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode(UTF8).split("\n")
    return pl.Series("text", texts if texts[-1] else texts[:-1], dtype=pl.String)


def _message_cut(raw: bytes) -> int:
    """Return where the last message of a block begins, 0 if only one does."""
    at = len(raw)
    while (at := raw.rfind(b"MSH", 1, at)) > 0:
        ahead = raw[max(0, at - 8) : at]
        cut = at - len(ahead) + len(ahead.rstrip(FRAMING))
        if cut and raw[cut - 1] in LINE_ENDS and BEGIN.match(raw, at):
            return cut
    return 0
