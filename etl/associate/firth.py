"""Firth's penalised logistic regression: finite estimates when groups are separated.

Firth, Biometrika 1993;80:27-38. Profile penalised likelihood intervals and tests as in Heinze and Schemper,
Stat Med 2002;21:2409-2419: a coefficient is held fixed, the penalty stays that of the full model.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from etl.associate.design import Design
from etl.associate.fit import Fit, Floats, no_fit

METHOD = "Firth penalised logistic, profile likelihood interval"

MAX_STEPS = 100
MAX_HALVINGS = 30
FLAT = 1e-9  # of the penalised score at a maximum, columns being standardised
FLAT_PROFILE = 1e-6  # the likelihood is then right to about 1e-12
STUCK = 1e-5
HALFWAYS = 2  # how often a step along the profile is halved when its maximum is not found
CLOSE = 1e-4  # of the fall at a limit to the fall that was looked for
MAX_CHANGE = 5.0  # of a coefficient in one step
MAX_WIDENINGS = 12  # of the bracket around a limit, each twice the last


@dataclass(frozen=True)
class _State:
    beta: Floats
    likelihood: float  # penalised
    score: Floats
    information: Floats


def fit_firth(design: Design, level: float = 0.95, profiled: Collection[str] | None = None) -> Fit:
    """Fit with Jeffreys' penalty; p from the penalised likelihood ratio, limits from its profile.

    profiled: the terms that need limits and p (all by default); the others have NaN.
    """
    from scipy import stats

    scale = design.x.std(axis=0, ddof=1)
    x = np.column_stack([np.ones(design.n), (design.x - design.x.mean(axis=0)) / scale])
    best = _maximise(x, design.y, np.zeros(x.shape[1]))
    if best is None:
        return no_fit(METHOD, design.names, "no convergence")
    se = np.sqrt(np.diag(np.linalg.inv(best.information)))
    drop = float(stats.chi2.ppf(level, 1)) / 2
    rows = np.full((len(design.names), 3), np.nan)
    for i, name in enumerate(design.names):
        if profiled is None or name in profiled:
            rows[i] = _profile(x, design.y, best, i + 1, se[i + 1], drop)
    low, high, p = rows.T
    return Fit(METHOD, design.names, best.beta[1:] / scale, se[1:] / scale, low / scale, high / scale, p)


def _evaluate(x: Floats, y: Floats, beta: Floats) -> _State:
    eta = np.clip(x @ beta, -500, 500)
    fitted = 1 / (1 + np.exp(-eta))
    weight = fitted * (1 - fitted)
    information = (x * weight[:, None]).T @ x
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0:
        return _State(beta, -np.inf, np.zeros_like(beta), information)
    leverage = weight * np.einsum("ij,ij->i", x, np.linalg.solve(information, x.T).T)
    score = x.T @ (y - fitted + leverage * (0.5 - fitted))
    likelihood = float(y @ eta - np.logaddexp(0, eta).sum() + log_determinant / 2)
    return _State(beta, likelihood, score, information)


def _maximise(
    x: Floats, y: Floats, start: Floats, fixed: int | None = None, flat: float = FLAT
) -> _State | None:
    """Climb by Fisher scoring with step halving; `fixed` keeps one coefficient at its start."""
    free = np.array([j for j in range(x.shape[1]) if j != fixed])
    state = _evaluate(x, y, start)
    for _ in range(MAX_STEPS):
        if not np.isfinite(state.likelihood):
            return None
        if not len(free) or np.abs(state.score[free]).max() < flat:
            return state
        step = np.zeros_like(start)
        step[free] = np.linalg.solve(state.information[np.ix_(free, free)], state.score[free])
        step *= min(1.0, MAX_CHANGE / np.abs(step).max())
        better = _climb(x, y, state, step)
        if better is None:  # no halving helps: the top, as far as floats can tell
            return state if np.abs(state.score[free]).max() < STUCK else None
        state = better
    return None


def _climb(x: Floats, y: Floats, state: _State, step: Floats) -> _State | None:
    for halving in range(MAX_HALVINGS):
        trial = _evaluate(x, y, state.beta + step / 2**halving)
        if trial.likelihood > state.likelihood:
            return trial
    return None


class _Profile:
    """The penalised likelihood with one coefficient held; each maximum is the start of the next."""

    def __init__(self, x: Floats, y: Floats, best: _State, j: int) -> None:
        self.x, self.y, self.best, self.j = x, y, best, j
        self.state = best
        self.falls: dict[float, float] = {}

    def fall(self, value: float) -> float:
        """Return how far the maximum falls when the coefficient has this value; infinite if there is none."""
        if value not in self.falls:
            state = self._reach(value, HALFWAYS)
            self.falls[value] = self.best.likelihood - state.likelihood if state else float("inf")
        return self.falls[value]

    def _reach(self, value: float, halfways: int) -> _State | None:
        """Go along the ridge of the likelihood, in shorter steps where a long one fails."""
        found = _maximise(self.x, self.y, self._predict(value), self.j, FLAT_PROFILE)
        here = float(self.state.beta[self.j])
        if found is None and halfways and self._reach((here + value) / 2, halfways - 1):
            found = self._reach(value, halfways - 1)
        self.state = found or self.state
        return found

    def _predict(self, value: float) -> Floats:
        beta, information = self.state.beta.copy(), self.state.information
        free = np.arange(len(beta)) != self.j
        slope = np.linalg.solve(information[np.ix_(free, free)], information[free, self.j])
        beta[free] -= slope * (value - beta[self.j])
        beta[self.j] = value
        return beta


def _profile(
    x: Floats, y: Floats, best: _State, j: int, se: float, drop: float
) -> tuple[float, float, float]:
    """Return lower limit, upper limit and p of one coefficient; a limit that is not found is infinite."""
    from scipy import stats

    p = float(stats.chi2.sf(max(2 * _Profile(x, y, best, j).fall(0.0), 0.0), 1))
    low, high = (_limit(_Profile(x, y, best, j), step, drop) for step in (-se, se))
    return low, high, p


def _limit(profile: _Profile, step: float, drop: float) -> float:
    from scipy.optimize import brentq

    centre = float(profile.best.beta[profile.j])
    inner, reach = centre, step
    for _ in range(MAX_WIDENINGS):
        outer = centre + reach
        if profile.fall(outer) > drop:
            found = float(brentq(lambda v: min(profile.fall(v), 2 * drop) - drop, inner, outer, xtol=1e-8))
            # Where no maximum can be computed the fall is infinite; the edge of such a gap is not a limit.
            return found if abs(profile.fall(found) - drop) < CLOSE else float(np.copysign(np.inf, step))
        inner, reach = outer, reach * 2
    return float(np.copysign(np.inf, step))
