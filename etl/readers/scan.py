"""Scanning a delimited file: blocks in, settled lines out, with the decisions that wait for their evidence.

The encoding is chosen at the first byte beyond ASCII, and whether fields are quoted at the first quotation mark, where
the head of the file holds neither. Both look at a window that starts with the line in question, so that nothing
depends on where a block ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from etl.readers.audit import Lines, audit
from etl.readers.base import Decision
from etl.readers.blocks import LineStream, line_starts
from etl.readers.encodings import UTF8, Decoder, Text
from etl.readers.head import quote_of
from etl.readers.layout import QUOTE, Layout
from etl.readers.part import Part
from etl.readers.records import LONGEST_RECORD, Settler

WINDOW = 1 << 20  # bytes of evidence for a decision
KEPT_LINES, KEPT_BYTES = 200, 4096  # of undecodable lines, to suggest an encoding


@dataclass
class Undecodable:
    """What no encoding explained: how many lines, where it began (byte, offset, line), and some lines."""

    lines: int = 0
    first: tuple[int, int, int] | None = None
    kept: list[bytes] = field(default_factory=list)


@dataclass
class Scanner:
    """Settle a stream of lines part by part. row: the number of the stream's first line."""

    stream: LineStream
    decoder: Decoder
    layout: Layout = field(default_factory=lambda: Layout(",", None, (), 1))
    row: int = 1
    decisions: list[Decision] = field(default_factory=list)
    undecodable: Undecodable = field(default_factory=Undecodable)

    def head(self, size: int) -> str:
        """Return the first whole lines as text, without consuming them."""
        raw = self.stream.window(0, size)
        self._settle_encoding(raw)
        return self.decoder.decode(raw).utf8.decode()

    def parts(self) -> Iterator[Part]:
        """Yield the lines of the stream in order, each once."""
        while True:
            raw, is_last = self.stream.block()
            if not raw:
                return
            self._settle_encoding(raw)
            text = self.decoder.decode(raw)
            self._settle_quote(raw, text)
            lines = audit(text.utf8, self.layout.delimiter, self.layout.quote or "")
            flagged = _flagged(text, lines)
            section = Settler(text.utf8, lines, self.layout, self.row, flagged, is_last).settle()
            count = len(section.roles)
            if not count:
                self.stream.grow()
                continue
            size = len(raw) if count == len(lines) else int(line_starts(raw, self.decoder.unit)[count])
            part = Part(self.row, self.stream.position, raw, text, self.decoder.unit, lines, section)
            self._note_undecodable(part)
            yield part
            self.stream.consume(size)
            self.row += count

    def _settle_encoding(self, raw: bytes) -> None:
        while (at := self.decoder.question(raw)) is not None:
            self.decoder.decide(self.stream.window(at, WINDOW))

    def _settle_quote(self, raw: bytes, text: Text) -> None:
        """Decide on quoting at the first quotation mark."""
        at = text.utf8.find(QUOTE.encode()) if self.layout.quote is None else -1
        if at < 0:
            return
        line = len(line_starts(text.utf8[:at])) - 1
        line -= not text.utf8[:at].endswith((b"\n", b"\r")) and line > 0
        window = self.stream.window(int(line_starts(raw, self.decoder.unit)[line]), WINDOW)
        quote, counts = quote_of(self.decoder.decode(window).utf8.decode(UTF8), self.layout.delimiter)
        self.layout = replace(self.layout, quote=quote)
        self.decisions.append(Decision("quote", quote or "none", "content", counts))

    def _note_undecodable(self, part: Part) -> None:
        seen = self.undecodable
        found = sorted(line for line in part.text.undecodable if line < len(part.section.roles))
        if not found:
            return
        starts = line_starts(part.raw, part.unit)
        if seen.first is None:
            at = int(starts[found[0]])
            byte = self._first_bad(part.raw[at : starts[found[0] + 1]])
            seen.first = (part.raw[at + byte], part.offset + at + byte, part.row + found[0])
        seen.lines += len(found)
        for line in found[: KEPT_LINES - len(seen.kept)]:
            seen.kept.append(part.raw[starts[line] : starts[line + 1]][:KEPT_BYTES])

    def _first_bad(self, line: bytes) -> int:
        try:
            line.decode(self.decoder.main or UTF8)
        except UnicodeDecodeError as error:
            return error.start
        return 0


def _flagged(text: Text, lines: Lines) -> dict[int, str]:
    """Return the lines that are damaged whatever their structure, with the reason; the gravest reason wins."""
    flagged = {
        int(line): "line_too_long" for line in np.flatnonzero(lines.ends - lines.starts > LONGEST_RECORD)
    }
    if b"\0" in text.utf8:
        zeros = np.flatnonzero(np.frombuffer(text.utf8, np.uint8) == 0)
        flagged |= dict.fromkeys(
            np.unique(np.searchsorted(lines.nexts, zeros, side="right")).tolist(), "control_bytes"
        )
    return flagged | dict.fromkeys(text.undecodable, "undecodable_line")
