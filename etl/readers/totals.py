"""Telling lines with totals from records, by the words in structure.toml and by their empty cells."""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from etl.readers.audit import Flags, Positions
from etl.readers.evidence import structure


def may_be_totals(text: bytes, starts: Positions, skipped: str) -> Flags:
    """Return which lines may start like a word for totals, behind the characters that empty cells leave."""
    values, end = np.frombuffer(text, np.uint8), len(text) - 1
    place = starts.copy()
    is_skipped = _letters(tuple(skipped), 0)
    moving = np.flatnonzero(is_skipped[values[place]])
    while len(moving):
        place[moving] += 1
        moving = moving[place[moving] <= end]
        moving = moving[is_skipped[values[place[moving]]]]
    forms = tuple(form for word in _words() for form in (word, word.upper(), word.title()))
    chosen = np.arange(len(place))
    for nth in range(3):  # few lines are left after the first letter
        reached = place[chosen] + nth
        chosen = chosen[_letters(forms, nth)[values[np.minimum(reached, end)]] & (reached <= end)]
    result = np.zeros(len(place), np.bool_)
    result[chosen] = True
    return result


def is_total(line: bytes, delimiter: str, fields: int) -> bool:
    """Tell a line with totals: a word for it in the first filled cell, and half of the cells empty, or too few cells."""
    cells = [cell.strip('" \u3000') for cell in line.decode("utf-8", "replace").split(delimiter)]
    filled = [cell for cell in cells if cell]
    if not filled or re.split(r"[:：0-9]", filled[0], maxsplit=1)[0].strip().casefold() not in _words():
        return False
    return len(cells) < fields or 2 * len(filled) <= len(cells)


@cache
def _words() -> frozenset[str]:
    return frozenset(structure()["total"]["words"])


@cache
def _letters(texts: tuple[str, ...], nth: int) -> Flags:
    """Return which bytes are the nth one of a text."""
    result = np.zeros(256, np.bool_)
    result[[text.encode()[nth] for text in texts]] = True
    return result
