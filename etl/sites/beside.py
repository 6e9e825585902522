"""Columns that stand beside the results of an analyte in a wide file: `B12 value`, `B12 unit`, `B12 date`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache

from etl.sites.resolution import Measure
from schemas.columns import COLUMNS, STANDARDS, header_key

_DATES = ("collected_at", "collected_date")
_SHORTEST = 4  # letters of a Latin word that may end a header: `um` ends too many


def with_columns_beside(
    measures: tuple[Measure, ...], columns: Sequence[str], roles: Mapping[str, str]
) -> tuple[Measure, ...]:
    """Give each result of an analyte the column of its unit, and of its date where the file has none for all.

    Only a header that says what the result's own header says, and ends in the word for a unit or a date, is one.
    roles: the columns of the file's roles.
    """
    taken = {*roles.values(), *(measure.column for measure in measures)}
    free = [column for column in columns if column not in taken]
    units = _named(free, ("unit",))
    dates = {} if any(role in roles for role in (*_DATES, "collected_time")) else _named(free, _DATES)
    names = [_stems(measure) for measure in measures]
    single = {name for found in names for name in found if sum(name in each for each in names) == 1}
    return tuple(
        _with(measure, [units.get(name) for name in found if name in single],
              [dates.get(name) for name in found if name in single and name != header_key(measure.column)])
        for measure, found in zip(measures, names, strict=True)
    )  # fmt: skip


def _with(measure: Measure, units: list[str | None], dates: list[str | None]) -> Measure:
    """Return a measure with the columns beside it; a unit in its own header, or two such columns, leave it as it is."""
    found = [unit for unit in units if unit]
    if len(found) == 1 and measure.unit is None and measure.unit_column is None:
        measure = replace(measure, unit_column=found[0])
    dated = [date for date in dates if date]
    return replace(measure, dated=dated[0]) if len(dated) == 1 and measure.dated is None else measure


def _stems(measure: Measure) -> frozenset[str]:
    """Return the keys of a result's name: its header, and that without the word for a value."""
    if measure.kind != "lab":
        return frozenset()
    return frozenset({header_key(measure.column), *_without(measure.column, ("value",))})


def _named(columns: Collection[str], roles: tuple[str, ...]) -> dict[str, str]:
    """Return the columns whose headers end in a word for a role, by what comes before it; one name, one column."""
    found: dict[str, list[str]] = {}
    for column in columns:
        for stem in _without(column, roles):
            found.setdefault(stem, []).append(column)
    return {stem: named[0] for stem, named in found.items() if len(named) == 1}


def _without(header: str, roles: tuple[str, ...]) -> Iterator[str]:
    """Yield the key of a header without each word for a role at its end."""
    key = header_key(header)
    yield from (key.removesuffix(word) for word in _words(roles) if key.endswith(word) and key != word)


@cache
def _words(roles: tuple[str, ...]) -> frozenset[str]:
    words = (
        header_key(word)
        for role in roles
        for names, listed in COLUMNS.roles[role].names.items()
        if names not in {*STANDARDS, "pinyin"}
        for word in listed
    )
    return frozenset(word for word in words if len(word) >= _SHORTEST or not word.isascii())
