"""What columns of a table of results are by their cells alone: the value, its limits, the subject, the only day.

The names of the analytes and their units say which numbers can be results, and which of these are limits of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

import polars as pl

from etl.harmonize.names import read_name
from etl.harmonize.spelling import parse_unit
from etl.suggest.content import Content
from etl.suggest.fits import Fit, fit
from etl.suggest.relations import are_limits, numbers_of, sampled, share_between
from schemas.analytes import registry

Told = tuple[str, str, str]  # column, field, why
_MOST, _WIDE, _FEWEST = (
    0.9,
    10,
    3,
)  # share of plausible values; how far a limit may lie beside; distinct analytes
_OFTEN = 0.4


def told(frame: pl.DataFrame, contents: Mapping[str, Content]) -> list[Told]:
    """Return what single columns are, where one alone can be it."""
    days = [column for column, content in contents.items() if fit("dates", content, column) is Fit.YES]
    found: list[Told] = [(days[0], "collected_date", "its only dates")] if len(days) == 1 else []
    names = [column for column, content in contents.items() if fit("analytes", content, column) is Fit.YES]
    units = [column for column, content in contents.items() if fit("units", content, column) is Fit.YES]
    if len(names) == 1 and len(units) == 1:
        usual = _usual(sampled(frame), names[0], units[0])
        numbers = numbers_of(frame, contents)
        plausible = [
            column
            for column in numbers.columns
            if column not in {*names, *units} and _are_usual(numbers[column], usual)
        ]
        found += _results(numbers.select(plausible))
        found += _subject(frame, contents, names[0])
    return found


def _usual(frame: pl.DataFrame, name: str, unit: str) -> pl.DataFrame:
    """Return the lowest and highest usual number of each record, in its unit; nulls where analyte or unit is unknown."""
    pairs = frame.select(name, unit).unique()
    rows = [(*pair, *_span(*pair)) for pair in pairs.iter_rows()]
    schema = {name: pl.String, unit: pl.String, "low": pl.Float64, "high": pl.Float64}
    spans = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.select(name, unit).join(
        spans, on=[name, unit], how="left", nulls_equal=True, maintain_order="left"
    )


def _span(name: str | None, unit: str | None) -> tuple[float | None, float | None]:
    hit = read_name(name).hit if name else None
    analyte = registry().get(hit.analyte or "") if hit else None
    known = parse_unit(unit) if unit else None
    conversion = analyte.conversion(known) if analyte and known else None
    if analyte is None or conversion is None:
        return None, None
    low, high = ((limit - conversion.offset) / conversion.factor for limit in analyte.soft)
    return low / _WIDE, high * _WIDE


def _are_usual(numbers: pl.Series, usual: pl.DataFrame) -> bool:
    rows = usual.with_columns(numbers.alias("number")).drop_nulls(["low", "high", "number"])
    distinct = rows.select(rows.columns[:1]).n_unique()
    share = rows.select(pl.col("number").is_between(pl.col("low"), pl.col("high")).mean()).item()
    return distinct >= _FEWEST and share is not None and share >= _MOST


def _results(numbers: pl.DataFrame) -> Iterator[Told]:
    """Yield the one column of results, or the one that lies between two that are its limits."""
    why = "its numbers are usual for the analytes in their units"
    if numbers.width == 1:
        yield numbers.columns[0], "value", why
    triples = [
        (low, value, high)
        for low, value, high in permutations(numbers.columns, 3)
        if are_limits(numbers, low, high) and share_between(numbers, low, value, high) >= _OFTEN
    ]
    if len(triples) == 1:
        for column, name in zip(triples[0], ("ref_low", "value", "ref_high"), strict=True):
            yield column, name, f"{why}, and lie between two others or bound them"


def _subject(frame: pl.DataFrame, contents: Mapping[str, Content], name: str) -> Iterator[Told]:
    """Yield the one column of numbers that stand beside several analytes, and more than one of which there are."""
    found = []
    for column, content in contents.items():
        if column == name or fit("identifier", content, column) is not Fit.PASS:
            continue
        several = frame.group_by(column).agg(pl.col(name).n_unique().alias("names"))
        by_name = frame.group_by(name).agg(pl.col(column).n_unique().alias("ids"))
        if (several["names"].mean() or 0) > 2 and (by_name["ids"].min() or 0) > 2:  # type: ignore[operator]
            found.append(column)
    if len(found) == 1:
        yield found[0], "subject", "its only numbers that stand beside several analytes"
