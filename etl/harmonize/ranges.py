"""Read a printed reference range as two limits."""

from __future__ import annotations

import re
from functools import lru_cache

from etl.harmonize.number_text import comparators, group_pattern, normal_text, read_number
from etl.harmonize.spelling import unit_readings

Limits = tuple[float | None, float | None]
NO_LIMITS: Limits = (None, None)

_BETWEEN = r"\s*(?:-+|~+|–|—+|―|\.{2,3}|…|bis|to|至|到|\band\b)\s*"


@lru_cache(maxsize=65536)
def read_range(text: str | None, decimal: str) -> Limits:
    """Return the limits of `180-914`, `≥5.9` or `<15`; a text with phases, sexes or anything unknown has none."""
    if text is None:
        return NO_LIMITS
    plain = re.sub(r"[–—―─]", "-", normal_text(text)).strip(" ()[]{}|")
    number = group_pattern(decimal)
    both = re.match(rf"^({number}){_BETWEEN}({number})(.*)$", plain, re.IGNORECASE)
    if both and _is_tail(both.group(3)):
        low, high = read_number(both.group(1), decimal), read_number(both.group(2), decimal)
        return (low, high) if low is not None and high is not None and low <= high else NO_LIMITS
    return _one_sided(plain, number, decimal)


def _one_sided(plain: str, number: str, decimal: str) -> Limits:
    known = sorted(comparators("before"), key=len, reverse=True)
    words = "|".join(re.escape(word) for word in (*known, "bis")) or "(?!)"
    one = re.match(rf"^({words})\s*({number})(.*)$", plain, re.IGNORECASE)
    if not one or not _is_tail(one.group(3)):
        return NO_LIMITS
    comparator = {"bis": "<="}.get(one.group(1).lower()) or comparators("before").get(one.group(1).lower())
    limit = read_number(one.group(2), decimal)
    if comparator in {"<", "<="}:
        return None, limit
    return (limit, None) if comparator in {">", ">="} else NO_LIMITS


def _is_tail(text: str) -> bool:
    # A unit may follow the limits, nothing else.
    tail = text.strip(" ()[]{}|")
    return not tail or bool(unit_readings(tail))
