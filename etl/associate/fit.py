"""A fitted logistic model, whatever the method, and its odds ratios per stated step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """Log odds per unit of each term with intervals and p-values; the intercept is left out.

    note is not empty when the estimates are not to be used, and then they are NaN.
    """

    method: str
    names: tuple[str, ...]
    beta: Floats
    se: Floats
    low: Floats
    high: Floats
    p: Floats
    note: str = ""

    def per(self, name: str, step: float) -> tuple[float, float, float, float]:
        """Return odds ratio, its limits and p for a step of that many units (a negative step turns the limits)."""
        i = self.names.index(name)
        low, high = sorted((self.low[i] * step, self.high[i] * step))
        with np.errstate(over="ignore"):
            ratio, low, high = (float(v) for v in np.exp([self.beta[i] * step, low, high]))
        return ratio, low, high, float(self.p[i])


def no_fit(method: str, names: tuple[str, ...], note: str) -> Fit:
    """Return a fit without estimates and the reason."""
    empty = np.full(len(names), np.nan)
    return Fit(method, names, empty, empty, empty, empty, empty, note)
