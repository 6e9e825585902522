"""Offsets from UTC that the times of a column state, and whether times with them stand beside times with others.

Without a zone a time is kept as printed. That is one clock as long as the column states one offset, or none, or those of
summer and winter; times of several clocks would be shifted against each other by hours, and some by a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from etl.readers.base import Decision

# Behind the minutes or seconds of a time, or a compact time: 08:30Z, 08:30:15.000 +08:00, 20210305083000+0800.
_OFFSET: Final = r"(?i)(?::\d{2}|\d{12})(?:[.,]\d+)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
_MONTH: Final = r"^\s*\d{4}-?(0[1-9]|1[0-2])"
# Months in which no zone changes its clock, and all of its times have one offset.
_SEASONS: Final = {
    **dict.fromkeys(("05", "06", "07", "08"), "May-Aug"),
    **dict.fromkeys(("12", "01", "02"), "Dec-Feb"),
}
_NAME: Final = (
    "offset "  # of a count in the evidence: `offset +08:00`, and of those in a season `offset +08:00 May-Aug`
)
_WITHOUT: Final = "no offset"


def offset_evidence(texts: pl.Series) -> dict[str, int]:
    """Count the times with each offset, each named as ISO 8601 does; empty if no time states one."""
    stated = texts.filter(texts.str.contains(_OFFSET))
    if stated.is_empty():
        return {}
    parts = pl.DataFrame({"text": stated.str.extract(_OFFSET), "month": stated.str.extract(_MONTH)})
    counts: Counter[str] = Counter()
    for text, month, number in parts.group_by("text", "month").len().iter_rows():
        name = _NAME + _name(text)
        counts[name] += number
        if season := _SEASONS.get(month):
            counts[f"{name} {season}"] += number
    return dict(counts)


def _name(text: str) -> str:
    digits = text[1:].replace(":", "").ljust(4, "0")
    named = f"{text[0]}{digits[:2]}:{digits[2:]}" if text[0] in "+-" else "+00:00"
    return "+00:00" if named == "-00:00" else named


def has_offset(evidence: Mapping[str, int]) -> bool:
    """Tell whether any time stated an offset."""
    return any(name.startswith(_NAME) for name in evidence)


def clocks_of(evidence: Mapping[str, int]) -> dict[str, int]:
    """Count the times of a column that state each offset, and those that state none."""
    stated = {name: number for name, number in _named(evidence).items() if " " not in name}
    bare = evidence.get("clock", 0) - sum(stated.values())
    return {**stated, **({_WITHOUT: bare} if bare > 0 else {})}


def decide_offsets(about: str, evidence: Mapping[str, int]) -> Decision | None:
    """Return a decision where no zone is declared and times of one column state several offsets: open, or summer_time."""
    clocks = clocks_of(evidence)
    if len(clocks) < 2:
        return None
    return Decision(about, "summer_time" if is_one_clock([evidence]) else None, "content", dict(clocks))


def is_one_clock(columns: Sequence[Mapping[str, int]]) -> bool:
    """Tell whether the times of columns state one offset, or none, or those of the summer and winter of one place.

    These are two offsets an hour apart, never both in one season.
    """
    clocks = sorted({clock for each in columns for clock in clocks_of(each)})
    if len(clocks) != 2 or _WITHOUT in clocks:
        return len(clocks) < 2
    named = (name.partition(" ") for each in columns for name in _named(each))
    seasons = {(season, offset) for offset, _, season in named if season}
    is_an_hour = abs(_minutes(clocks[0]) - _minutes(clocks[1])) == 60
    return is_an_hour and bool(seasons) and len(dict(seasons)) == len(seasons)


def _named(evidence: Mapping[str, int]) -> dict[str, int]:
    return {name.removeprefix(_NAME): number for name, number in evidence.items() if name.startswith(_NAME)}


def _minutes(offset: str) -> int:
    hours, minutes = offset[1:].split(":")
    return (int(hours) * 60 + int(minutes)) * (-1 if offset[0] == "-" else 1)
