"""Cases against controls: summaries, tests of a difference, standardised differences, ordered bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etl.associate.model import Summary

Floats = NDArray[np.float64]

# Below this size the 5th and 95th percentile are nearly the extremes, which are single subjects' values.
TAIL_MINIMUM = 20


@dataclass(frozen=True)
class Contrast:
    """One test of a difference; estimate and interval are None where the test has none."""

    test: str
    n: int
    statistic: float | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


def summarise(values: Floats, variable: str, unit: str, group: str) -> Summary:
    """Describe one group; quartiles by linear interpolation (type 7), SD with n - 1."""
    known = values[np.isfinite(values)]
    n, missing = len(known), len(values) - len(known)
    if not n:
        return Summary(variable, unit, group, 0, missing)
    p05, q1, median, q3, p95 = (float(q) for q in np.quantile(known, [0.05, 0.25, 0.5, 0.75, 0.95]))
    sd = float(known.std(ddof=1)) if n > 1 else None
    tails = (p05, p95) if n >= TAIL_MINIMUM else (None, None)
    return Summary(variable, unit, group, n, missing, float(known.mean()), sd, median, q1, q3, *tails)


def compare(cases: Floats, controls: Floats, level: float = 0.95) -> list[Contrast]:
    """Test cases minus controls: Welch's t, Student's t, Mann-Whitney (two-sided, tie-corrected)."""
    from scipy import stats

    a, b = cases[np.isfinite(cases)], controls[np.isfinite(controls)]
    n = len(a) + len(b)
    names = ("Welch t", "Student t", "Mann-Whitney")
    if min(len(a), len(b)) < 2 or np.ptp(np.concatenate([a, b])) == 0:
        return [Contrast(name, n) for name in names]
    tests = [_t_test(a, b, level, name=name, equal_var=name == "Student t") for name in names[:2]]
    rank = stats.mannwhitneyu(a, b, method="asymptotic")
    return [*tests, Contrast(names[2], n, float(rank.statistic), p=float(rank.pvalue))]


def standardised_difference(cases: Floats, controls: Floats) -> float | None:
    """Divide the difference of means by the root of the mean variance (Austin, Stat Med 2009;28:3083)."""
    a, b = cases[np.isfinite(cases)], controls[np.isfinite(controls)]
    if min(len(a), len(b)) < 2:
        return None
    spread = np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    return float((a.mean() - b.mean()) / spread) if spread > 0 else None


def compare_bands(bands: Sequence[Floats]) -> list[Contrast]:
    """Compare ordered bands: Kruskal-Wallis, and Kendall's tau-b of value with band as the trend.

    The tau-b test is the Jonckheere-Terpstra test with its variance corrected for ties.
    """
    from scipy import stats

    known = [band[np.isfinite(band)] for band in bands]
    filled = [band for band in known if len(band)]
    values = np.concatenate([*filled, np.array([])])
    names = ("Kruskal-Wallis", "Kendall tau-b (Jonckheere-Terpstra trend)")
    if len(filled) < 2 or np.ptp(values) == 0:
        return [Contrast(name, len(values)) for name in names]
    rank_sum = stats.kruskal(*filled)
    order = np.concatenate([np.full(len(band), i) for i, band in enumerate(filled)])
    trend = stats.kendalltau(order, values, method="asymptotic")
    tau = float(trend.statistic)
    return [
        Contrast(names[0], len(values), float(rank_sum.statistic), p=float(rank_sum.pvalue)),
        Contrast(names[1], len(values), tau, estimate=tau, p=float(trend.pvalue)),
    ]


def _t_test(a: Floats, b: Floats, level: float, *, name: str, equal_var: bool) -> Contrast:
    from scipy import stats

    difference = float(a.mean() - b.mean())
    if a.var() == 0 and b.var() == 0:  # two constants: the statistic is infinite
        return Contrast(name, len(a) + len(b), estimate=difference)
    result = stats.ttest_ind(a, b, equal_var=equal_var)
    low, high = result.confidence_interval(level)
    return Contrast(
        name,
        len(a) + len(b),
        float(result.statistic),
        difference,
        float(low),
        float(high),
        float(result.pvalue),
    )
