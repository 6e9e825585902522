"""Which lines below the first line of a header belong to it: groups above, names in two languages, units below.

A line is taken by itself only if it cannot be a record: it says again who the subject is, it says Value and Unit below
an analyte, or it has units below analytes and nothing below the subject. Anything else is declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from etl.harmonize.headers import HeaderMeasure, match_headers
from etl.harmonize.names import read_name
from etl.harmonize.spelling import is_unstated, unit_readings
from etl.readers.base import Decision, Extend, Heading
from etl.sites.model import FeedMapping
from schemas.columns import COLUMNS, header_key
from schemas.errors import DefinitionError

Names = tuple[str, ...]
# What stands below the name of an analyte when its results have several columns.
_BESIDE_VALUE = frozenset({
    "value", "unit", "flag", "comparator", "ref_text", "ref_low", "ref_high", "collected_at", "collected_date",
    "collected_time", "method", "comment",
})  # fmt: skip
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"[<>≤≥~]?\s*\d")
_VALUE = re.compile(r"[<>≤≥~]?\s*\d[\d.,:/ -]*")


def extender(feed: FeedMapping | None, file: str) -> Extend:
    """Return what tells a reader which lines below a header belong to it, by what the feed declares and they say."""

    def extend(names: Sequence[str], rows: Sequence[Sequence[str]], is_declared: bool) -> Heading:  # noqa: FBT001 - as Extend says
        joined, decisions = tuple(names), list[Decision]()
        lines = feed.header_lines if feed and is_declared else None
        for row in rows:
            cells = tuple(cell.strip() for cell in row)
            told = next(_readings(joined, cells, decisions, lines, feed), None)
            if told is None:
                break
            kind, basis, following = told
            if feed and basis == "declared" and _is_record(joined, cells, feed, has_units=kind == "units"):
                raise _refused(file, f"Its line {len(decisions) + 2} has values, as a record has.", feed)
            seen: dict[str, int | str] = {"cells": sum(map(bool, cells))}
            decisions.append(Decision(f"header_line:{len(decisions) + 2}", kind, basis, seen))
            joined = following
        if feed and len(decisions) + 1 < (lines or 1) + (feed.unit_row is True):
            why = f"Below its line {len(decisions) + 1} comes no other one of as many columns."
            raise _refused(file, why, feed)
        return Heading(joined, len(decisions), tuple(decisions))

    return extend


def _refused(file: str, why: str, feed: FeedMapping) -> DefinitionError:
    fix = f"correct header_row or unit_row under feeds: {feed.feed}: in the mapping of {feed.site}"
    return DefinitionError(f"The header of {file} is not as the mapping declares it.", why, fix)


def _is_record(names: Names, row: Names, feed: FeedMapping, *, has_units: bool) -> bool:
    """Tell a record from a line of a declared header: it has a number of its subject, or values where units stand."""
    mapped = {header_key(header) for header in feed.columns.get("subject", ())}
    of_subject = (
        cell for name, cell in zip(names, row, strict=True)
        if header_key(name) in mapped or "subject" in fields_named(name)
    )  # fmt: skip
    return any(map(_DIGIT.search, of_subject)) or (has_units and any(map(_VALUE.fullmatch, row)))


def _readings(
    names: Names, row: Names, above: list[Decision], lines: int | None, feed: FeedMapping | None
) -> Iterator[tuple[str, str, Names]]:
    """Yield what a line below some lines of a header can be, the surest first: its kind, the basis, the names then.

    lines: how many lines the header has, where that is declared.
    """
    unit_row = feed.unit_row if feed else None
    is_declared = lines is not None and len(above) + 1 < lines
    if any(each.value == "units" for each in above):
        return
    if lines is None or is_declared:
        basis = "declared" if is_declared else "content"
        if joined := _translated(names, row, _mapped(feed)):
            yield "translation", basis, joined
        if joined := _grouped(names, row):
            yield "group", basis, joined
    if is_declared:
        yield "words", "declared", _joined(names, row)
    elif unit_row:
        yield "units", "declared", _with_declared_units(names, row)
    elif unit_row is None and (joined := _with_units(names, row)):
        yield "units", "content", joined


def _mapped(feed: FeedMapping | None) -> frozenset[str]:
    """Return the keys of the headers that a mapping names."""
    if feed is None:
        return frozenset()
    headers = [header for listed in feed.columns.values() for header in listed]
    return frozenset(map(header_key, (*headers, *feed.measures)))


def _translated(names: Names, row: Names, mapped: frozenset[str]) -> Names | None:
    """Return the names that are known of two lines that say the same; None if the lower does not name the subject again."""
    if names == row:
        return None  # the header again
    names_subject, chosen = False, []
    for name, cell in zip(names, row, strict=True):
        upper, lower = fields_named(name), fields_named(cell)
        above, below = measure_named(name), measure_named(cell)
        if _NUMBER.match(cell) and not (lower or below):
            return None  # a record has numbers, also that of a subject called Patient or ID
        is_other = above and below and (above.analyte != below.analyte or _differ(above.unit, below.unit))
        if is_other or (upper and lower and not upper & lower):
            return None
        names_subject |= "subject" in upper & lower
        ranked = (
            not name,
            header_key(cell) in mapped and header_key(name) not in mapped,
            bool(below and below.unit) and not (above and above.unit),
            bool(below or lower) and not (above or upper),
        )
        is_lower = bool(cell) and any(ranked) and not (name and header_key(name) in mapped)
        chosen.append(cell if is_lower else name)
    return tuple(chosen) if names_subject else None


def _grouped(names: Names, row: Names) -> Names | None:
    """Join words such as Value and Unit with the names above them; None unless one of these is an analyte's."""
    labels = _spread(names, row)
    valued = {
        label for label, cell in zip(labels, row, strict=True) if label and "value" in fields_named(cell)
    }
    if not any(read_name(label).hit for label in valued):
        return None
    joined = []
    for name, label, cell in zip(names, labels, row, strict=True):
        if cell and not (fields_named(cell) & _BESIDE_VALUE if label in valued else fields_named(cell)):
            return None
        joined.append(f"{label} {cell}" if cell and label in valued else cell or name)
    return tuple(joined)


def _joined(names: Names, row: Names) -> Names:
    pairs = zip(_spread(names, row), names, row, strict=True)
    return tuple(f"{label} {cell}".strip() if cell else name for label, name, cell in pairs)


def _spread(names: Names, row: Names) -> Names:
    """Return the name above each cell of a lower line: a name stands for the blank cells on its right."""
    labels: list[str] = []
    for name, cell in zip(names, row, strict=True):
        before = labels[-1] if labels else ""
        labels.append(name if name or not cell else before)
        if not cell:
            labels[-1] = ""  # what has nothing below it is no group
    return tuple(labels)


def _with_units(names: Names, row: Names) -> Names | None:
    """Return the names with the units below them; None unless all are units, and one is an analyte's."""
    joined, count = [], 0
    for name, cell in zip(names, row, strict=True):
        if is_unstated(cell) or _is_label(name, cell):
            joined.append(name)
            continue
        stated = _stated(name, cell)
        before, after = measure_named(name), measure_named(stated)
        if not _is_certain(name, cell):
            return None
        joined.append(name if before and before.unit else stated)
        count += after is not None or before is not None
    return tuple(joined) if count else None


def _is_certain(name: str, cell: str) -> bool:
    """Tell whether a text below a name is its unit: one in which the analyte is measured, or any below another name."""
    fields, stated = fields_named(name), _stated(name, cell)
    if fields:
        return bool(fields & fields_named(stated) & COLUMNS.attributes.keys())
    measure = measure_named(name)
    if measure is None:
        return bool(unit_readings(cell)) and any(map(str.isalpha, cell.replace("%", "p")))
    if measure.unit is not None:
        return measure.unit in unit_readings(cell)
    after = measure_named(stated)
    return after is not None and after.unit is not None and after.analyte == measure.analyte


def _with_declared_units(names: Names, row: Names) -> Names:
    return tuple(
        name
        if is_unstated(cell) or _is_label(name, cell) or fields_named(name) & COLUMNS.roles.keys()
        else _stated(name, cell)
        for name, cell in zip(names, row, strict=True)
    )


def _is_label(name: str, cell: str) -> bool:
    """Tell the word for units, below the name of a role: it says what the line is."""
    return "unit" in fields_named(cell) and bool(fields_named(name) & COLUMNS.roles.keys())


def _stated(name: str, unit: str) -> str:
    return f"{name} {unit}" if unit[0] in "([（【" else f"{name} ({unit})"


def fields_named(header: str) -> frozenset[str]:
    """Return the roles and attributes whose known name a header is."""
    return frozenset(candidate.field for candidate in COLUMNS.find(header)) if header else frozenset()


def measure_named(header: str) -> HeaderMeasure | None:
    """Return the analyte and the unit that a header names."""
    return match_headers([header]).get(header) if header else None


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other
