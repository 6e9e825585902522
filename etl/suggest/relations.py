"""What columns tell side by side: whether some bound another, and whether several say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

import polars as pl

from etl.harmonize.numbers import parse_results
from etl.suggest.content import Content

RECORDS = 5_000  # that are compared
_ALWAYS, _OFTEN, _NUMERIC, _SAME = 0.99, 0.4, 0.9, 0.95
_MOST = 6  # columns of each kind that are tried


def bounded(
    frame: pl.DataFrame,
    contents: Mapping[str, Content],
    low: Sequence[str],
    high: Sequence[str],
    value: Sequence[str],
) -> Iterator[tuple[str, str]]:
    """Yield the columns that are what their headers may say: low and high limits, and a value that lies between.

    Limits are few pairs that repeat; the lower one is lower in every record. Yielded are column and its place.
    """
    numbers = numbers_of(frame, {column: contents[column] for column in (*low, *high, *value)})
    known = [[column for column in columns[:_MOST] if column in numbers] for columns in (low, high, value)]
    for one, other in product(known[0], known[1]):
        if one != other and are_limits(numbers, one, other):
            yield one, "low"
            yield other, "high"
            for middle in known[2]:
                if middle not in {one, other} and share_between(numbers, one, middle, other) >= _OFTEN:
                    yield middle, "value"


def are_limits(numbers: pl.DataFrame, low: str, high: str) -> bool:
    """Tell whether two columns are few pairs that repeat, the first number always the lower one."""
    pairs = numbers.select(pl.col(low).alias("low"), pl.col(high).alias("high")).drop_nulls()
    distinct = pairs.unique().height
    share = pairs.select((pl.col("low") < pl.col("high")).mean()).item()
    return 1 < distinct <= pairs.height / 2 and share >= _ALWAYS


def share_between(numbers: pl.DataFrame, low: str, middle: str, high: str) -> float:
    """Return the share of records in which a number lies between two others."""
    rows = numbers.select(low, middle, high).drop_nulls()
    return float(rows.select(pl.col(middle).is_between(pl.col(low), pl.col(high)).mean()).item() or 0)


def same(frame: pl.DataFrame, columns: Sequence[str]) -> bool:
    """Tell whether columns say the same: equal numbers wherever two are plain ones, in most of the records."""
    return all(_are_same(frame, one, other) for one, other in combinations(columns, 2))


def _are_same(frame: pl.DataFrame, one: str, other: str) -> bool:
    both = frame.select(
        pl.col(one).str.strip_chars().alias("one"), pl.col(other).str.strip_chars().alias("other")
    )
    filled = both.filter((pl.col("one").fill_null("") != "") & (pl.col("other").fill_null("") != ""))
    numbers = filled.select(pl.all().cast(pl.Float64, strict=False)).drop_nulls()
    is_told = numbers.height * 2 > filled.height
    return is_told and numbers.select((pl.col("one") == pl.col("other")).mean()).item() >= _SAME


def sampled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the records that are compared, from the whole length of a table, and at no fixed distance."""
    return frame.sample(min(RECORDS, frame.height), seed=0)


def numbers_of(frame: pl.DataFrame, contents: Mapping[str, Content]) -> pl.DataFrame:
    """Return the columns of results, as numbers of the sampled records."""
    rows = sampled(frame)
    return pl.DataFrame(
        [
            _as_numbers(rows[column], content.decimal)
            for column, content in contents.items()
            if content.share("result") >= _NUMERIC and content.share("clock") == 0
        ]
    )


def _as_numbers(cells: pl.Series, mark: str) -> pl.Series:
    texts = cells.str.strip_chars()
    read = parse_results(texts.unique(), mark, ()).select("source", "value")
    found = texts.alias("source").to_frame().join(read, on="source", how="left", maintain_order="left")
    return found["value"].alias(cells.name)
