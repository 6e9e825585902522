"""Whether a logistic model can be trusted: separation, events per variable, collinearity, linearity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etl.associate.fit import Floats

SLACK = 1e-7


def is_separated(x: Floats, y: Floats) -> bool:
    """Tell whether some combination of the terms parts cases from controls, completely or almost.

    A linear programme finds it exactly (Konis, DPhil thesis, Oxford 2007): maximise the summed signed scores, each
    at least zero, with coefficients between -1 and 1; more than zero is separation.
    """
    centred = np.column_stack([np.ones(len(y)), (x - x.mean(axis=0)) / x.std(axis=0)])
    return _is_separable(centred * (2 * y - 1)[:, None])


def is_separated_within_sets(x: Floats, y: Floats, sets: NDArray[np.int64]) -> bool:
    """Tell the same for matched sets: the rows are case minus control, pair by pair within a set."""
    order = np.argsort(sets, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(sets[order])) + 1)
    pairs = [x[part][y[part] == 1][:, None, :] - x[part][y[part] == 0][None, :, :] for part in parts]
    differences = np.concatenate([pair.reshape(-1, x.shape[1]) for pair in pairs])
    return _is_separable(differences / x.std(axis=0))


def _is_separable(signed: Floats) -> bool:
    from scipy.optimize import linprog

    found = linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1), method="highs"
    )
    return bool(found.status == 0 and -found.fun > SLACK * len(signed))


def events_per_variable(y: Floats, terms: int) -> float:
    """Divide the smaller group by the number of terms; below 10 is thin (Peduzzi, J Clin Epidemiol 1996;49:1373)."""
    return float(min(y.sum(), len(y) - y.sum()) / max(terms, 1))


def variance_inflation(x: Floats) -> Floats:
    """Return each term's variance inflation factor: the diagonal of the inverse correlation matrix."""
    if x.shape[1] < 2:
        return np.ones(x.shape[1])
    inflation: Floats = np.diag(np.linalg.inv(np.corrcoef(x, rowvar=False)))
    return inflation


def linearity(x: Floats, y: Floats, column: int) -> float | None:
    """Return the p-value of x*ln(x) added to the model (Box and Tidwell, Technometrics 1962;4:531).

    A likelihood ratio test with one degree of freedom. None if x has values at or below zero, or a model fails.
    """
    from scipy import stats

    values = x[:, column]
    if (values <= 0).any():
        return None
    bent = np.column_stack([x, values * np.log(values)])
    straight, curved = _log_likelihood(x, y), _log_likelihood(bent, y)
    if straight is None or curved is None:
        return None
    return float(stats.chi2.sf(max(2 * (curved - straight), 0.0), 1))


def _log_likelihood(x: Floats, y: Floats) -> float | None:
    from statsmodels.discrete.discrete_model import Logit

    if is_separated(x, y):
        return None
    scaled = np.column_stack([np.ones(len(y)), (x - x.mean(axis=0)) / x.std(axis=0)])
    result = Logit(y, scaled).fit(disp=0, maxiter=100)
    return float(result.llf) if result.mle_retvals["converged"] else None
