"""Conditional logistic regression for matched sets."""

from __future__ import annotations

import numpy as np

from etl.associate.design import Design
from etl.associate.fit import Fit, no_fit

METHOD = "conditional logistic, Wald interval"
FLAT = (
    1e-4  # of the score at the estimate, columns being standardised: above it the climb did not reach the top
)


def fit_conditional(design: Design, level: float = 0.95) -> Fit:
    """Fit within matched sets of at least one case and one control (see informative_sets).

    A term that never varies within a set has no estimate; separation within sets is reported, not estimated.
    """
    from scipy import stats
    from statsmodels.discrete.conditional_models import ConditionalLogit

    problem = _problem(design)
    if problem:
        return no_fit(METHOD, design.names, problem)
    scale = design.x.std(axis=0, ddof=1)
    x = (design.x - design.x.mean(axis=0)) / scale
    model = ConditionalLogit(design.y, x, groups=design.sets)
    # BFGS finds the region from anywhere but stops early; Newton's steps from there reach the top.
    start = model.fit(disp=0, skip_hessian=True, warn_convergence=False).params
    result = model.fit(start_params=start, method="newton", disp=0, warn_convergence=False)
    if np.abs(model.score(np.asarray(result.params))).max() > FLAT:
        return no_fit(METHOD, design.names, "no convergence")
    beta, se = np.asarray(result.params) / scale, np.asarray(result.bse) / scale
    half = stats.norm.ppf((1 + level) / 2) * se
    return Fit(METHOD, design.names, beta, se, beta - half, beta + half, np.asarray(result.pvalues))


def _problem(design: Design) -> str:
    from etl.associate.diagnostics import is_separated_within_sets

    if not design.n or not design.names:
        return "no matched set has complete rows of a case and a control"
    within = design.x - _set_means(design)
    if np.linalg.matrix_rank(within / design.x.std(axis=0, ddof=1)) < within.shape[1]:
        return "a term does not vary within the matched sets, or terms are linearly dependent"
    if is_separated_within_sets(design.x, design.y, design.sets):
        return "the matched sets are separated: no finite estimate"
    return ""


def _set_means(design: Design) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    _, index = np.unique(design.sets, return_inverse=True)
    counts = np.bincount(index)
    sums = np.column_stack([np.bincount(index, column) for column in design.x.T])
    means: np.ndarray[tuple[int, int], np.dtype[np.float64]] = (sums / counts[:, None])[index]
    return means
