"""Code maps: one reviewed CSV a code set, one row a text.

Columns: text, value (empty: reviewed, and no value of ours fits), language, when, source, reviewer, note.
when: empty (always); han (only under a header in Chinese characters);
header=NAME (only in a column of that name). Bare numbers and bare letters of one language need such a context.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

# Which values a code set may give; the order is the order of printing.
VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "sex": ("male", "female"),
        "cohort_group": ("case", "control"),
        "yes_no": ("yes", "no"),
        "fasting": ("yes", "no"),
        "result_status": (
            "pending",
            "preliminary",
            "final",
            "corrected",
            "amended",
            "cancelled",
            "entered_in_error",
        ),
    }
)

_SPACES = re.compile(r"\s+")


def code_key(text: str) -> str:
    """Return what is compared of a code: no width or case, single spaces."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


@dataclass(frozen=True, slots=True)
class Code:
    """One reviewed text of a code set."""

    text: str
    value: str | None
    language: str
    when: str
    source: str
    reviewer: str
    note: str


@cache
def code_set(name: str) -> tuple[Code, ...]:
    """Read one code set. Raises ValueError for a value outside the set or a text listed twice in one context."""
    path = Path(__file__).with_name(f"{name}.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        codes = tuple(Code(text, value or None, *rest) for text, value, *rest in rows)
    seen: set[tuple[str, str]] = set()
    for code in codes:
        place = (code_key(code.text), code.when)
        if place in seen or code.value not in (None, *VALUES[name]):
            message = f"{path.name}: {code.text!r} is listed twice, or its value is not of the set"
            raise ValueError(message)
        seen.add(place)
    return codes
