"""Bins whose edges are round numbers, and subjects in each: no bin of few subjects is shown, nor the ends of a column."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from etl.disclosure import suppress
from etl.profile.model import Plot

BINS, FEWEST_BINS = 20, 3
IN_A_BIN = 8  # subjects that a bin has on average, so that most bins can be shown
_YEAR = 12
_MONTHS, _MONTHS_IN_WORDS = (1, 3, 12, 60, 120), ("month", "quarter", "year", "five years", "decade")
_LOW, _HIGH = 0.02, 0.98  # what lies outside is gathered in the first and the last bin


def number_plot(numbers: pl.DataFrame) -> Plot | None:
    """Return the subjects by bins of numbers (columns value and subject), without the ends that few subjects have."""
    values = numbers["value"].filter(numbers["value"].is_finite())
    low, high = values.quantile(_LOW), values.quantile(_HIGH)
    if low is None or high is None or high <= low:
        return None
    bins = max(FEWEST_BINS, min(BINS, numbers["subject"].n_unique() // IN_A_BIN))
    step = _round_step((high - low) / bins)
    first, last = math.floor(low / step), math.floor(high / step)
    place = (pl.col("value") / step).floor().clip(first, last).cast(pl.Int64)
    edges = [f"{step * at:.10g}" for at in range(first, last + 2)]
    return _plot(numbers.with_columns(place.alias("bin")), first, edges, "subjects by value")


def month_plot(months: pl.DataFrame) -> Plot | None:
    """Return the subjects by month up to decade, as they are many (columns value, a date, and subject)."""
    days = months["value"]
    first_year, last_year = days.dt.year().min(), days.dt.year().max()
    if not isinstance(first_year, int) or not isinstance(last_year, int):
        return None
    wanted = max(FEWEST_BINS, months["subject"].n_unique() // IN_A_BIN)
    months_in_all = (last_year - first_year + 1) * 12
    size = next((each for each in _MONTHS if months_in_all / each <= wanted), _MONTHS[-1])
    place = (pl.col("value").dt.year().cast(pl.Int64) * 12 + pl.col("value").dt.month() - 1) // size
    binned = months.with_columns(place.alias("bin"))
    first, last = binned["bin"].min(), binned["bin"].max()
    if not isinstance(first, int) or not isinstance(last, int):
        return None
    names = [_month(at * size, size) for at in range(first, last + 1)]
    return _plot(binned, first, names, f"subjects by {_MONTHS_IN_WORDS[_MONTHS.index(size)]}")


def _month(at: int, size: int) -> str:
    return f"{at // 12:04d}-{at % 12 + 1:02d}" if size < _YEAR else f"{at // 12:04d}"


def _plot(binned: pl.DataFrame, first: int, edges: Sequence[str], title: str) -> Plot | None:
    is_month = " by value" not in title
    size = len(edges) if is_month else len(edges) - 1
    counts = [0] * size
    for place, subjects in binned.group_by("bin").agg(pl.col("subject").n_unique()).iter_rows():
        counts[place - first] = subjects
    shown = suppress(counts)
    kept = [at for at, count in enumerate(shown) if count]
    if not kept:
        return None
    start, end = kept[0], kept[-1] + 1
    return Plot(tuple(edges[start : end + (not is_month)]), tuple(shown[start:end]), title)


def _round_step(wanted: float) -> float:
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= wanted * 0.999)
