"""Correlation of two measures: Pearson, and Spearman corrected for ties, with intervals and multiplicity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """A coefficient; r is None when a measure is constant or fewer than three pairs are complete."""

    method: str
    n: int
    missing: int
    r: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


def pearson(x: Floats, y: Floats, level: float = 0.95) -> Correlation:
    """Correlate complete pairs by Pearson; the interval is Fisher's z with standard error 1/sqrt(n - 3)."""
    return _correlate("Pearson, Fisher z interval", x, y, level)


def spearman(x: Floats, y: Floats, level: float = 0.95) -> Correlation:
    """Correlate mid-ranks; p from t with n - 2 degrees of freedom.

    The interval has standard error sqrt((1 + r^2/2)/(n - 3)) (Bonett and Wright, Psychometrika 2000;65:23-28).
    """
    return _correlate("Spearman, tie-corrected, Bonett-Wright interval", x, y, level)


def adjust(p_values: Sequence[float | None], method: str) -> list[float | None]:
    """Correct a family of p-values: `holm` or `bh` (Benjamini-Hochberg); what is None stays None."""
    from scipy import stats

    known = np.array([p for p in p_values if p is not None])
    if not len(known):
        return list(p_values)
    corrected = iter(_holm(known) if method == "holm" else stats.false_discovery_control(known, method="bh"))
    return [None if p is None else float(next(corrected)) for p in p_values]


def _holm(p: Floats) -> Floats:
    """Multiply the i-th smallest of m by m - i, never letting a larger p end up smaller (Holm 1979)."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected: Floats = np.minimum(stepped, 1.0)[np.argsort(order)]
    return corrected


def _correlate(method: str, x: Floats, y: Floats, level: float) -> Correlation:
    from scipy import stats

    complete = np.isfinite(x) & np.isfinite(y)
    x, y = x[complete], y[complete]
    n, missing = len(x), int((~complete).sum())
    if n < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Correlation(method, n, missing)
    by_rank = method.startswith("Spearman")
    result = stats.spearmanr(x, y) if by_rank else stats.pearsonr(x, y)
    r, p = float(result.statistic), float(result.pvalue)
    low, high = _interval(r, n, level, (1 + r * r / 2) if by_rank else 1.0)
    return Correlation(method, n, missing, r, low, high, p)


def _interval(r: float, n: int, level: float, inflation: float) -> tuple[float | None, float | None]:
    from scipy import stats

    if n < 4 or abs(r) >= 1:
        return None, None
    half = float(stats.norm.ppf((1 + level) / 2)) * np.sqrt(inflation / (n - 3))
    z = np.arctanh(r)
    return float(np.tanh(z - half)), float(np.tanh(z + half))
