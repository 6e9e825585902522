"""The arithmetic that ties printed figures together: r, n and P; odds ratio, limits and P; OR, AUC and SD."""

from __future__ import annotations

import math

Z95 = 1.959963984540054  # the 97.5th percentile of the standard normal distribution


def p_from_r(r: float, n: int) -> float:
    """Return the two-sided p of a Pearson correlation: t with n - 2 degrees of freedom."""
    from scipy import stats

    if abs(r) >= 1:
        return 0.0
    t = abs(r) * math.sqrt((n - 2) / (1 - r * r))
    return float(2 * stats.t.sf(t, n - 2))


def p_range(r_bounds: tuple[float, float], n: int) -> tuple[float, float]:
    """Return the least and greatest p of all r between the bounds."""
    low, high = r_bounds
    largest = min(max(abs(low), abs(high)), 1.0)
    smallest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return p_from_r(largest, n), p_from_r(smallest, n)


def r_from_p(p: float, n: int) -> float:
    """Return |r| that has this two-sided p at this n."""
    from scipy import stats

    t = float(stats.t.isf(p / 2, n - 2))
    return t / math.sqrt(t * t + n - 2)


def n_from(r: float, p: float, largest: int = 10**9) -> int:
    """Return the n whose p at this r is nearest to the one given."""
    if r == 0:
        return largest
    low, high = 4, largest
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if p_from_r(r, middle) > p else (low, middle)
    return min((low, high), key=lambda n: abs(p_from_r(r, n) - p))


def centre(low: float, high: float) -> float:
    """Return the estimate that lies midway between the limits on the log scale."""
    return math.sqrt(max(low, 0.0) * high)


def se_from_limits(low: float, high: float) -> float:
    """Return the standard error of the log odds ratio behind a 95% interval."""
    return math.log(high / low) / (2 * Z95)


def se_from_p(odds_ratio: float, p: float) -> float:
    """Return the standard error of the log odds ratio behind a Wald p."""
    from scipy import stats

    return abs(math.log(odds_ratio)) / float(stats.norm.isf(p / 2))


def limits(odds_ratio: float, se: float) -> tuple[float, float]:
    """Return the 95% limits of an odds ratio."""
    return odds_ratio * math.exp(-Z95 * se), odds_ratio * math.exp(Z95 * se)


def p_from_odds_ratio(odds_ratio: float, se: float) -> float:
    """Return the two-sided Wald p."""
    from scipy import stats

    return float(2 * stats.norm.sf(abs(math.log(odds_ratio)) / se))


def sd_from(odds_ratio: float, auc: float) -> float:
    """Return the SD, in the odds ratio's step, of two normal groups of equal spread.

    d = sqrt(2) * Phi^-1(AUC) standard deviations part the groups, and the log odds ratio per unit is d/SD.
    """
    return _distance(auc) / abs(math.log(odds_ratio))


def odds_ratio_from(sd: float, auc: float) -> float:
    """Return the odds ratio per unit, below one, that goes with this SD and AUC."""
    return math.exp(-_distance(auc) / sd)


def _distance(auc: float) -> float:
    from scipy import stats

    return math.sqrt(2) * float(stats.norm.ppf(max(auc, 1 - auc)))
