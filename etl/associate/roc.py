"""How well one marker tells cases from controls: AUC with DeLong's interval, and Youden's cut-off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GRID = np.linspace(0, 1, 41)


@dataclass(frozen=True)
class CutOff:
    """A threshold with the counts behind its sensitivity and specificity; it was chosen on the same data."""

    value: float
    case_below: int
    case_above: int
    control_below: int
    control_above: int


@dataclass(frozen=True)
class Roc:
    """Discrimination of a marker; `lower_in_cases` says which way it was read, by declaration, not by the data."""

    n_case: int
    n_control: int
    lower_in_cases: bool
    auc: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    cut_off: CutOff | None = None
    curve: Floats | None = None  # true positive rate at GRID


def discriminate(cases: Floats, controls: Floats, *, lower_in_cases: bool, level: float = 0.95) -> Roc:
    """Compute AUC (ties count half), DeLong's standard error (Biometrics 1988;44:837) and a Wald interval in [0, 1]."""
    a, b = cases[np.isfinite(cases)], controls[np.isfinite(controls)]
    if min(len(a), len(b)) < 2:
        return Roc(len(a), len(b), lower_in_cases)
    sign = -1.0 if lower_in_cases else 1.0
    auc, se = _de_long(sign * a, sign * b)
    low, high = _interval(auc, se, level)
    curve = _curve(sign * a, sign * b)
    return Roc(len(a), len(b), lower_in_cases, auc, se, low, high, _youden(a, b, sign), curve)


def wilson(k: int, n: int, level: float) -> tuple[float, float]:
    """Return Wilson's interval of a share."""
    from scipy import stats

    interval = stats.binomtest(k, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def _de_long(a: Floats, b: Floats) -> tuple[float, float]:
    """Return AUC and standard error from placements: each one's share of the other group that it beats."""
    of_cases = (np.searchsorted(np.sort(b), a, "left") + np.searchsorted(np.sort(b), a, "right")) / (
        2 * len(b)
    )
    of_controls = 1 - (np.searchsorted(np.sort(a), b, "left") + np.searchsorted(np.sort(a), b, "right")) / (
        2 * len(a)
    )
    variance = of_cases.var(ddof=1) / len(a) + of_controls.var(ddof=1) / len(b)
    return float(of_cases.mean()), float(np.sqrt(variance))


def _interval(auc: float, se: float, level: float) -> tuple[float, float]:
    from scipy import stats

    half = float(stats.norm.ppf((1 + level) / 2)) * se
    return max(0.0, auc - half), min(1.0, auc + half)


def _youden(a: Floats, b: Floats, sign: float) -> CutOff | None:
    """Take the midpoint of neighbouring values with the greatest sensitivity + specificity, the lowest if several."""
    values = np.unique(np.concatenate([a, b]))
    if len(values) < 2:
        return None
    cuts = (values[:-1] + values[1:]) / 2
    case_below = np.searchsorted(np.sort(a), cuts)
    control_below = np.searchsorted(np.sort(b), cuts)
    youden = -sign * (case_below / len(a) - control_below / len(b))
    best = int(np.argmax(youden))
    below, control = int(case_below[best]), int(control_below[best])
    return CutOff(float(cuts[best]), below, len(a) - below, control, len(b) - control)


def _curve(a: Floats, b: Floats) -> Floats:
    cuts = np.unique(np.concatenate([a, b]))[::-1]
    true = 1 - np.searchsorted(np.sort(a), cuts, "left") / len(a)
    false = 1 - np.searchsorted(np.sort(b), cuts, "left") / len(b)
    # At a vertical step the upper end is the curve.
    x, y = np.concatenate([[0.0], false]), np.concatenate([[0.0], true])
    last = np.append(np.diff(x) > 0, True)
    curve: Floats = np.interp(GRID, x[last], y[last])
    return curve
