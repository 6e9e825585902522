"""Unconditional logistic regression: maximum likelihood, and Firth's method when the groups are separated."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from etl.associate.design import Design
from etl.associate.diagnostics import is_separated
from etl.associate.fit import Fit, Floats, no_fit

METHOD = "logistic, Wald interval"
ROWS_A_PARAMETER = 2  # with fewer there is nothing to estimate. A judgement.


def fit_logistic(design: Design, level: float = 0.95, profiled: Collection[str] | None = None) -> Fit:
    """Fit cases against controls; separated data go to Firth's penalised likelihood, and the method says so.

    profiled: the terms whose limits Firth's method is to find, if not all of them.
    """
    problem = _problem(design)
    if problem:
        return no_fit(METHOD, design.names, problem)
    if is_separated(design.x, design.y):
        from etl.associate.firth import fit_firth

        return fit_firth(design, level, profiled)
    return _fit_maximum_likelihood(design, level)


def _fit_maximum_likelihood(design: Design, level: float) -> Fit:
    from scipy import stats
    from statsmodels.discrete.discrete_model import Logit

    # Standardised columns keep Newton's steps well scaled; the estimates are turned back per unit.
    x, scale = standardise(design.x)
    result = Logit(design.y, np.column_stack([np.ones(design.n), x])).fit(disp=0, maxiter=100)
    if not result.mle_retvals["converged"]:
        return no_fit(METHOD, design.names, "no convergence")
    beta, se = (np.asarray(v)[1:] / scale for v in (result.params, result.bse))
    half = stats.norm.ppf((1 + level) / 2) * se
    p = np.asarray(result.pvalues)[1:]
    return Fit(METHOD, design.names, beta, se, beta - half, beta + half, p)


def standardise(x: Floats) -> tuple[Floats, Floats]:
    """Centre and scale each column; return also the scales."""
    scale = x.std(axis=0, ddof=1)
    return (x - x.mean(axis=0)) / scale, scale


def _problem(design: Design) -> str:
    if not design.names:
        return "no term varies"
    if design.n_case in (0, design.n):
        return "only one group has complete rows"
    if design.n < ROWS_A_PARAMETER * (len(design.names) + 1):
        return "fewer than two rows for each parameter"
    with_intercept = np.column_stack([np.ones(design.n), standardise(design.x)[0]])
    if np.linalg.matrix_rank(with_intercept) < with_intercept.shape[1]:
        return "terms are linearly dependent"
    return ""
