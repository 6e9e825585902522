"""Telling a footer from a truncated record, at the end of a file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from etl.readers.part import Part
from etl.readers.records import Role

LONGEST = 20  # lines; more is no footer


@dataclass(frozen=True)
class Tail:
    """A line behind the last good record."""

    row: int
    role: Role
    fields: int
    is_short: bool  # damaged for nothing but its number of fields


@dataclass
class FooterWatch:
    """Follow the lines behind the last good record.

    They are a footer if a blank line sets them off, no blank line stands among the records, and each is damaged only
    by having at most half of the fields.
    """

    fields: int
    _tail: list[Tail] = field(default_factory=list)
    _blank_among_records: bool = False
    _has_records: bool = False

    def see(self, part: Part) -> None:
        """Take in some lines."""
        roles, row = part.section.roles, part.row
        good = np.flatnonzero(roles <= Role.CONTINUATION)
        first = 0
        if len(good):
            blanks = np.flatnonzero(roles[: good[-1]] == Role.BLANK)
            earlier = self._has_records and any(line.role == Role.BLANK for line in self._tail)
            self._blank_among_records |= earlier or bool(
                len(blanks) and (self._has_records or blanks[-1] > good[0])
            )
            self._has_records, self._tail, first = True, [], int(good[-1]) + 1
        reason = ""
        for line in range(first, min(len(roles), first + LONGEST + 1)):
            reason = part.section.reasons.get(line, reason)
            is_short = reason == "field_count"
            self._tail.append(Tail(row + line, Role(roles[line]), int(part.lines.fields[line]), is_short))
        del self._tail[LONGEST + 1 :]

    def footer(self) -> tuple[int, int, int]:
        """Return the footer's first row and how many damaged records and further lines it holds; zeros without one."""
        damaged = [line for line in self._tail if line.role in {Role.DAMAGED, Role.DAMAGED_MORE}]
        blank = next((line.row for line in self._tail if line.role == Role.BLANK), None)
        if not damaged or blank is None or blank > damaged[0].row or len(self._tail) > LONGEST:
            return 0, 0, 0
        if self._blank_among_records or any(
            not line.is_short or 2 * line.fields > max(self.fields, 2) for line in damaged
        ):
            return 0, 0, 0
        starts = sum(line.role == Role.DAMAGED for line in damaged)
        return damaged[0].row, starts, len(damaged) - starts
