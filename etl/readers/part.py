"""Some settled lines of a delimited file: their counts, their records as a frame, their damage as it came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.readers.audit import Lines, spans
from etl.readers.base import DAMAGED_SCHEMA, ROW, Batch
from etl.readers.blocks import line_starts
from etl.readers.encodings import UNITS, UTF8, Text
from etl.readers.layout import Layout
from etl.readers.records import Role, Section


def plain_batch(data: bytes, layout: Layout, row: int, columns: list[str]) -> Batch:
    """Return the records of bytes in which every line is a whole record."""
    frame = parse(data, layout, columns or list(layout.columns[:1]), row).select(columns)
    rows = pl.int_range(row, row + frame.height, dtype=pl.Int64, eager=True).alias(ROW)
    return Batch(frame.with_columns(rows), pl.DataFrame(schema=DAMAGED_SCHEMA))


def parse(clean: bytes, layout: Layout, columns: list[str], row: int) -> pl.DataFrame:
    """Return the columns asked for as text, an empty cell null; row: the first line's number, for the message."""
    quote = layout.quote if layout.quote and layout.quote.encode() in clean else None
    try:
        frame = pl.read_csv(
            clean,
            has_header=False,
            columns=[layout.columns.index(name) for name in columns],
            separator=layout.delimiter,
            quote_char=quote,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:  # its text would show cells
        message = f"the parser does not agree with the audit behind line {row}"
        raise RuntimeError(message) from None
    frame.columns = columns
    # A quoted empty cell is empty too.
    return frame.select(pl.when(pl.all() != "").then(pl.all())) if quote else frame


@dataclass(frozen=True)
class Part:
    """Consecutive lines of a file. row: the first one's number; offset: where raw starts in the source.

    raw, text and lines may reach further than the settled lines of the section.
    """

    row: int
    offset: int
    raw: bytes
    text: Text
    unit: str
    lines: Lines
    section: Section

    def counts(self) -> npt.NDArray[np.int64]:
        """Return the number of lines in each role."""
        return np.bincount(self.section.roles, minlength=len(Role))

    def frame(self, layout: Layout, columns: list[str]) -> pl.DataFrame:
        """Return the undamaged records: the columns asked for as text, an empty cell null, and row_number."""
        rows = pl.Series(ROW, np.flatnonzero(self.section.roles == Role.RECORD) + self.row, dtype=pl.Int64)
        clean = self._clean() if columns else b""
        if not clean:
            return pl.DataFrame([*(pl.Series(name, [], dtype=pl.String) for name in columns), rows])
        return parse(clean, layout, columns, self.row).with_columns(rows)

    def breaks(self) -> tuple[int, ...]:
        """Return the rows of totals and repeated headers."""
        is_break = np.isin(self.section.roles, (Role.TOTAL, Role.REPEATED_HEADER))
        return tuple((np.flatnonzero(is_break) + self.row).tolist())

    def is_one_byte_a_character(self) -> bool:
        """Tell whether the source's bytes can be parsed as they are: UTF-8 whose lines end with line feeds only."""
        return self.text.utf8 == self.raw and b"\r" not in self.raw

    def damaged(self) -> pl.DataFrame:
        """Return the damaged records as DAMAGED_SCHEMA says; raw ends before the last line's end."""
        if not self.section.reasons:
            return pl.DataFrame(schema=DAMAGED_SCHEMA)
        starts = line_starts(self.raw, self.unit)
        ends = np.flatnonzero(np.append(self.section.roles[1:], Role.RECORD) != Role.DAMAGED_MORE) + 1
        firsts = sorted(self.section.reasons)
        lasts = ends[np.searchsorted(ends, np.array(firsts), side="right")]
        return pl.DataFrame(
            {
                ROW: [self.row + first for first in firsts],
                "locator": [f"L{self.row + first}" for first in firsts],
                "reason": [self.section.reasons[first] for first in firsts],
                "raw": [
                    self._without_end(self.raw[starts[i] : starts[j]])
                    for i, j in zip(firsts, lasts, strict=True)
                ],
            },
            schema=DAMAGED_SCHEMA,
        )

    def _clean(self) -> bytes:
        """Return the undamaged records in UTF-8, cut out of the rest, each ended by a line feed."""
        roles, text = self.section.roles, self.text.utf8
        if b"\r" in text:
            text = self._with_line_feeds(text)
        chosen = roles <= Role.CONTINUATION
        if len(chosen) == len(self.lines) and chosen.all():
            return text
        view = memoryview(text)
        return b"".join(view[start:end] for start, end in spans(chosen, self.lines.starts, self.lines.nexts))

    def _with_line_feeds(self, text: bytes) -> bytes:
        """Turn the lone carriage returns that end a record into line feeds; those inside a field stay."""
        values = np.frombuffer(text, np.uint8).copy()
        roles = self.section.roles
        last = self.lines.nexts[: len(roles)] - 1
        ends = last[np.append(roles[1:], Role.RECORD) != Role.CONTINUATION]
        values[ends[values[ends] == 13]] = 10
        return values.tobytes()

    def _without_end(self, raw: bytes) -> bytes:
        codec = next((name for name, unit in UNITS.items() if unit == self.unit), UTF8)
        return raw.removesuffix("\n".encode(codec)).removesuffix("\r".encode(codec))
