"""From lines to records: which lines are records, which continue one, which are damaged, which are structure.

Lines that are whole by themselves are records at once. Only the others are looked at one by one, in order.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from etl.readers.audit import Flags, Lines
from etl.readers.layout import Layout
from etl.readers.totals import is_total, may_be_totals

# A record over more bytes than this is damage: what opened it was a stray quote.
LONGEST_RECORD = 1 << 22
# A field that holds more whole records than this, in a table of three columns and more, is a stray quote as well.
SWALLOWED = 20


class Role(IntEnum):
    """What a physical line is."""

    RECORD = 0
    CONTINUATION = 1
    DAMAGED = 2
    DAMAGED_MORE = 3
    BLANK = 4
    PREAMBLE = 5
    HEADER = 6
    REPEATED_HEADER = 7
    TOTAL = 8
    FOOTER = 9


STRUCTURAL = (Role.BLANK, Role.PREAMBLE, Role.HEADER, Role.REPEATED_HEADER, Role.TOTAL, Role.FOOTER)


@dataclass(frozen=True)
class Section:
    """Some settled lines of a file: their roles, and the reason for each that starts a damaged record."""

    roles: npt.NDArray[np.uint8]
    reasons: dict[int, str] = field(default_factory=dict)


@dataclass
class Settler:
    """Settle the lines of one block. row: the first line's number; flagged: lines damaged whatever their structure."""

    text: bytes
    lines: Lines
    layout: Layout
    row: int
    flagged: dict[int, str]
    is_last: bool

    def settle(self) -> Section:
        """Return the roles of the lines up to the first one that needs more than this block to be settled."""
        roles = np.zeros(len(self.lines), np.uint8)
        section = Section(roles)
        done = 0
        for line in self._unusual():
            if line < done:
                continue
            settled = self._settle(line, section.reasons)
            if settled is None:
                return Section(roles[:line], section.reasons)
            role, done = settled
            roles[line:done] = role
            if role in {Role.RECORD, Role.DAMAGED}:
                roles[line + 1 : done] = role + 1
        return section

    @cached_property
    def _is_whole(self) -> Flags:
        """Lines that alone have the full number of fields and quotes in place."""
        lines = self.lines
        is_whole: Flags = (lines.fields == self.layout.fields) & ~lines.is_open & ~lines.is_misquoted
        if self.layout.has_trailing:
            last = np.frombuffer(self.text, np.uint8)[np.maximum(lines.ends - 1, 0)]
            is_whole &= (last == ord(self.layout.delimiter)) & (lines.ends > lines.starts)
        return is_whole

    @cached_property
    def _open_lines(self) -> list[int]:
        chosen: list[int] = np.flatnonzero(self.lines.is_open).tolist()
        return chosen

    @cached_property
    def _starts(self) -> list[int]:
        starts: list[int] = self.lines.starts.tolist()
        return starts

    @cached_property
    def _ends(self) -> list[int]:
        ends: list[int] = self.lines.ends.tolist()
        return ends

    def _unusual(self) -> list[int]:
        lines, layout = self.lines, self.layout
        is_unusual = ~self._is_whole | (lines.ends - lines.starts == layout.fields - 1)
        if layout.fields == 1:  # a line of spaces
            is_unusual |= np.frombuffer(self.text, np.uint8)[lines.starts] <= ord(" ")
        is_unusual[: max(0, layout.body_row - self.row)] = True
        if layout.footer_row:
            is_unusual[max(0, layout.footer_row - self.row) :] = True
        is_unusual |= self._may_be_total
        is_unusual[list(self.flagged)] = True
        is_unusual[list(self._headers)] = True
        chosen: list[int] = np.flatnonzero(is_unusual).tolist()
        return chosen

    def _settle(self, line: int, reasons: dict[int, str]) -> tuple[Role, int] | None:
        """Return the role and the line behind, or None if that needs more bytes."""
        structural = self._structural(line)
        if structural is not None:
            return structural
        if self.lines.is_open[line] and not self.lines.is_misquoted[line]:
            settled = self._settle_open(line)
        else:
            settled = self._settle_closed(line)
        if settled is None:
            return None
        reason, end = settled
        flags = (
            [self.flagged[each] for each in range(line, end) if each in self.flagged] if self.flagged else []
        )
        if reason or flags:
            reasons[line] = flags[0] if flags else reason
            return Role.DAMAGED, end
        return Role.RECORD, end

    def _structural(self, line: int) -> tuple[Role, int] | None:
        layout, row = self.layout, self.row + line
        if self._is_blank(line):
            return Role.BLANK, line + 1
        if row < layout.body_row:
            return (Role.HEADER if row >= layout.header_row else Role.PREAMBLE), line + 1
        if layout.footer_row and row >= layout.footer_row:
            return Role.FOOTER, line + 1
        if line in self._headers:
            return Role.REPEATED_HEADER, line + layout.body_row - layout.header_row
        if line not in self.flagged and self._is_total(line):
            return Role.TOTAL, line + 1
        return None

    def _settle_open(self, line: int) -> tuple[str, int] | None:
        """Settle a line that opens a quote: a record over several lines if it closes well, else damage."""
        start = self._starts[line]
        place = bisect_right(self._open_lines, line)
        behind: int | None = None  # the closing quote
        if place < len(self._open_lines):
            closing = self._open_lines[place]
            is_near = self._ends[closing] - start <= LONGEST_RECORD and not self._swallows(line, closing)
            fields = self._fields(self.text[start : self._ends[closing]]) if is_near else None
            if fields == self.layout.fields:
                return "", closing + 1
            behind = closing + 1 if fields is not None else None
        elif not self.is_last and len(self.text) - start <= LONGEST_RECORD:
            return None
        end = self._next_whole(line)
        if behind is not None and (end is None or behind <= end):
            return "field_count", behind
        return ("quote_damage", end) if end is not None else None

    def _settle_closed(self, line: int) -> tuple[str, int] | None:
        lines = self.lines
        if self._is_whole[line]:
            return "", line + 1
        if lines.is_misquoted[line]:
            return "quote_damage", line + 1
        if lines.fields[line] >= self.layout.fields or line in self.flagged:
            return "field_count", line + 1
        end = line + 1  # too short: what follows and is too short as well may be its rest
        while end < len(lines) and self._is_rest(end, line):
            end += 1
        if end == len(lines) and not self.is_last and self._is_within(line, end - 1):
            return None
        return "field_count", end

    def _is_rest(self, line: int, start: int) -> bool:
        lines = self.lines
        is_short = (
            lines.fields[line] < self.layout.fields
            and not lines.is_open[line]
            and not lines.is_misquoted[line]
        )
        return (
            bool(is_short)
            and self._is_within(start, line)
            and not self._is_blank(line)
            and (line not in self.flagged and line not in self._headers and not self._is_total(line))
        )

    def _is_within(self, first: int, last: int) -> bool:
        return bool(self.lines.nexts[last] - self.lines.starts[first] <= LONGEST_RECORD)

    def _next_whole(self, line: int) -> int | None:
        """Return the first later line that alone is a whole record, or where the limit cuts; None: not in sight."""
        limit = int(np.searchsorted(self.lines.nexts, self.lines.starts[line] + LONGEST_RECORD, side="right"))
        limit = max(limit, line + 1)
        whole = np.flatnonzero(self._is_whole[line + 1 : limit])
        if len(whole):
            return line + 1 + int(whole[0])
        return limit if limit < len(self.lines) or self.is_last else None

    def _swallows(self, first: int, last: int) -> bool:
        is_wide = last - first > SWALLOWED and self.layout.fields > 2
        return is_wide and int(self._is_whole[first + 1 : last].sum()) > SWALLOWED

    def _fields(self, record: bytes) -> int | None:
        """Count the fields of a record over several lines; None if its quotes are not in place."""
        whole, quoted = _patterns(self.layout.delimiter, self.layout.quote or "")
        if not whole.fullmatch(record):
            return None
        bare = quoted.sub(b"", record)
        if self.layout.has_trailing and not bare.endswith(self.layout.delimiter.encode()):
            return -1
        return bare.count(self.layout.delimiter.encode()) + 1

    def _content(self, line: int) -> bytes:
        return self.text[self._starts[line] : self._ends[line]]

    def _is_blank(self, line: int) -> bool:
        start, end, delimiter = self._starts[line], self._ends[line], self.layout.delimiter
        if start < end and self.text[start] > 32 and self.text[start] != ord(delimiter):
            return False
        content = self._content(line)
        return not content.strip() or not content.strip(b" " + delimiter.encode())

    @cached_property
    def _headers(self) -> frozenset[int]:
        """The lines behind the header where it stands again."""
        header = self.layout.header_text.encode()
        first = re.split(rb"[\r\n]", header, maxsplit=1)[0]
        lines, values = self.lines, np.frombuffer(self.text, np.uint8)
        chosen = np.flatnonzero(lines.ends - lines.starts == len(first)) if header else np.empty(0, np.int64)
        chosen = chosen[chosen + self.row >= self.layout.body_row]
        for place, letter in enumerate(first):
            chosen = chosen[values[lines.starts[chosen] + place] == letter]
        starts = lines.starts[chosen].tolist()
        return frozenset(
            int(line)
            for line, start in zip(chosen, starts, strict=True)
            if self.text.startswith(header, start)
        )

    @cached_property
    def _may_be_total(self) -> Flags:
        layout = self.layout
        return may_be_totals(self.text, self.lines.starts, layout.delimiter + (layout.quote or ""))

    def _is_total(self, line: int) -> bool:
        layout = self.layout
        return bool(self._may_be_total[line]) and is_total(
            self._content(line), layout.delimiter, layout.fields
        )


@cache
def _patterns(delimiter: str, quote: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    mark, edge = re.escape(quote).encode(), re.escape(delimiter).encode()
    quoted = mark + b"[^" + mark + b"]*+(?:" + mark * 2 + b"[^" + mark + b"]*+)*+" + mark
    cell = b"(?:" + quoted + b"|[^" + mark + edge + rb"\r\n]*+)"
    return re.compile(cell + b"(?:" + edge + cell + b")*+"), re.compile(quoted)
