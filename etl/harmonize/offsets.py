"""Offsets from UTC that the times of a column state, and whether times with them stand beside times with others.

Without a zone a time is kept as printed. That is one clock as long as the column states one offset, or none; times
of several clocks would be shifted against each other by hours, and some by a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import polars as pl

from etl.readers.base import Decision

# Behind the minutes or seconds of a time, or a compact time: 08:30Z, 08:30:15.000 +08:00, 20210305083000+0800.
_OFFSET: Final = r"(?i)(?::\d{2}|\d{12})(?:[.,]\d+)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
_NAME: Final = "offset "  # of a count in the evidence: `offset +08:00`
_WITHOUT: Final = "no offset"


def offset_evidence(texts: pl.Series) -> dict[str, int]:
    """Count the times with each offset, each named as ISO 8601 does; empty if no time states one."""
    stated = texts.filter(texts.str.contains(_OFFSET))
    if stated.is_empty():
        return {}
    counts: Counter[str] = Counter()
    for text, number in stated.str.extract(_OFFSET).value_counts().iter_rows():
        counts[_NAME + _name(text)] += number
    return dict(counts)


def _name(text: str) -> str:
    digits = text[1:].replace(":", "").ljust(4, "0")
    named = f"{text[0]}{digits[:2]}:{digits[2:]}" if text[0] in "+-" else "+00:00"
    return "+00:00" if named == "-00:00" else named


def has_offset(evidence: Mapping[str, int]) -> bool:
    """Tell whether any time stated an offset."""
    return any(name.startswith(_NAME) for name in evidence)


def decide_offsets(about: str, evidence: Mapping[str, int]) -> Decision | None:
    """Return an open decision where times of one column are of several clocks and no zone is declared; else None."""
    stated = {name.removeprefix(_NAME): number for name, number in evidence.items() if name.startswith(_NAME)}
    bare = evidence.get("clock", 0) - sum(stated.values())
    if stated and bare > 0:
        stated[_WITHOUT] = bare
    return Decision(about, None, "content", dict(stated)) if len(stated) > 1 else None
