"""The named scoring rules, each one expression over a wide frame with a column an item.

In that frame null is a missing answer and infinity an impossible one (an answer outside its range, two answers to one
item). Both pass through every rule: a score is null when it is incomplete and not finite when it is invalid.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Final

import polars as pl

from schemas.instruments import Scale, Version

INVALID: Final = float("inf")
_Rule = Callable[[Scale, Version, list[pl.Expr]], pl.Expr]


def score_expr(scale: Scale, version: Version) -> pl.Expr:
    """Return the value of a scale over the columns of its terms."""
    return RULES[scale.rule](scale, version, [_term(name, scale, version) for name in scale.terms])


def missing_expr(scale: Scale) -> pl.Expr:
    """Return how many terms are unanswered and were needed."""
    needed = [t for t in scale.terms if t not in scale.zero_if_missing]
    return pl.sum_horizontal(pl.col(needed).is_null())


def _term(name: str, scale: Scale, version: Version) -> pl.Expr:
    value = pl.col(name)
    item = version.items.get(name)
    if item and item.is_reversed and version.reversal == "scoring":
        value = (item.low or 0) + (item.high or 0) - value
    if name in scale.zero_without:
        value = pl.when(pl.col(scale.zero_without[name]) == 0).then(0.0).otherwise(value)
    return value.fill_null(0.0) if name in scale.zero_if_missing else value


def _sum(_scale: Scale, _version: Version, terms: list[pl.Expr]) -> pl.Expr:
    return reduce(operator.add, terms)


def _mean_prorate(scale: Scale, _version: Version, terms: list[pl.Expr]) -> pl.Expr:
    missing = missing_expr(scale)
    total = pl.sum_horizontal(terms)
    prorated = total * len(terms) / (len(terms) - missing)
    return pl.when(missing <= scale.max_missing).then(prorated)


def _banded(scale: Scale, version: Version, terms: list[pl.Expr]) -> pl.Expr:
    total = _sum(scale, version, terms)
    limit = INVALID if scale.impossible_above is None else scale.impossible_above
    is_impossible = ~total.is_finite() | (total > limit)
    points = pl.lit(float(scale.points[0]))
    for cut, point in zip(scale.cuts, scale.points[1:], strict=True):
        reached = total > cut if scale.closed == "right" else total >= cut
        points = pl.when(reached).then(float(point)).otherwise(points)
    return pl.when(total.is_null()).then(None).when(is_impossible).then(INVALID).otherwise(points)


def _clock_span(_scale: Scale, _version: Version, terms: list[pl.Expr]) -> pl.Expr:
    start, end = terms
    span = (end - start + 24) % 24
    # Rounded because a minute is no finite fraction: 7.5 hours must not come out as 7.4999999.
    return pl.when(span.is_null() | span.is_finite()).then(span.round(9)).otherwise(INVALID)


def _percent(_scale: Scale, _version: Version, terms: list[pl.Expr]) -> pl.Expr:
    part, whole = terms
    ratio = 100 * part / whole
    return pl.when(ratio.is_null() | ratio.is_finite()).then(ratio.round(6)).otherwise(INVALID)


def _half_up(scale: Scale, _version: Version, terms: list[pl.Expr]) -> pl.Expr:
    return (scale.factor * terms[0] + 0.5).floor()


def _rescale(scale: Scale, version: Version, terms: list[pl.Expr]) -> pl.Expr:
    items = [version.items[name] for name in scale.terms]
    low, high = sum(i.low or 0 for i in items), sum(i.high or 0 for i in items)
    return (_sum(scale, version, terms) - low) / (high - low) * 100


def _one_of(_scale: Scale, _version: Version, terms: list[pl.Expr]) -> pl.Expr:
    first, second = terms
    is_conflict = (first > 0) & (second > 0) & (first != second)
    return pl.when(is_conflict).then(INVALID).otherwise(pl.max_horizontal(terms))


def _all_met(scale: Scale, version: Version, terms: list[pl.Expr]) -> pl.Expr:
    total = _sum(scale, version, terms)
    return (
        pl.when(total.is_null() | total.is_finite())
        .then((total == len(terms)).cast(pl.Float64))
        .otherwise(INVALID)
    )


def _none(_scale: Scale, _version: Version, _terms: list[pl.Expr]) -> pl.Expr:
    return pl.lit(None, pl.Float64)


RULES: Final[Mapping[str, _Rule]] = {
    "sum": _sum,
    "mean_prorate": _mean_prorate,
    "banded": _banded,
    "clock_span": _clock_span,
    "percent": _percent,
    "half_up": _half_up,
    "rescale": _rescale,
    "one_of": _one_of,
    "all_met": _all_met,
    "none": _none,
}
