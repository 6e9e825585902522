from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from etl.associate.diagnostics import (
    events_per_variable,
    is_separated,
    is_separated_within_sets,
    linearity,
    variance_inflation,
)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], True),  # complete
        ([1, 2, 2, 3], [0, 0, 1, 1], True),  # quasi-complete: they meet at 2
        ([1, 3, 2, 4], [0, 0, 1, 1], False),
        ([5, 1, 2, 9], [0, 1, 1, 0], True),
    ],
)
def test_separation_on_one_term(x, y, expected):
    assert is_separated(np.array(x, dtype=float)[:, None], np.array(y, dtype=float)) is expected


def test_separation_by_two_terms_together():
    # Neither term parts the groups alone; their sum does (cases above 3, controls below).
    x = np.array([[0, 2], [2, 0], [1, 1], [0, 4], [4, 0], [2, 2]], dtype=float)
    y = np.array([0, 0, 0, 1, 1, 1], dtype=float)
    assert not is_separated(x[:, :1], y)
    assert not is_separated(x[:, 1:], y)
    assert is_separated(x, y)


def test_separation_within_sets_looks_only_at_differences():
    # Overall the groups overlap, within each pair the case is always higher.
    x, y = np.array([[2.0], [1.0], [12.0], [11.0]]), np.array([1.0, 0, 1, 0])
    assert not is_separated(x, y)
    assert is_separated_within_sets(x, y, np.array([1, 1, 2, 2]))
    assert not is_separated_within_sets(x[[0, 1, 3, 2]], y, np.array([1, 1, 2, 2]))


def test_inflation_by_hand():
    # Two terms with r = 0.6: 1/(1 - 0.36) = 1.5625 for both.
    x = np.array([1.0, -1, 1, -1])
    z = np.array([1.0, 1, -1, -1])
    assert variance_inflation(np.column_stack([x, 0.6 * x + 0.8 * z])) == pytest.approx([1.5625, 1.5625])
    assert variance_inflation(x[:, None]).tolist() == [1.0]


def test_events_per_variable_count_the_smaller_group():
    assert events_per_variable(np.array([1.0] * 12 + [0.0] * 30), 3) == 4.0


def test_linearity_is_the_likelihood_ratio_of_x_ln_x():
    # The same two likelihoods, climbed by another optimiser.
    rng = np.random.default_rng(2)
    x = rng.uniform(0.5, 8, 150)
    y = (rng.random(150) < 1 / (1 + np.exp(-3 * np.log(x) + 3))).astype(float)

    def best(*columns: np.ndarray) -> float:
        matrix = np.column_stack([np.ones(150), *columns])

        def loss(beta: np.ndarray) -> float:
            eta = matrix @ beta
            return float(np.logaddexp(0, eta).sum() - y @ eta)

        return -optimize.minimize(loss, np.zeros(matrix.shape[1]), method="BFGS", options={"gtol": 1e-6}).fun

    p = stats.chi2.sf(2 * (best(x, x * np.log(x)) - best(x)), 1)
    assert linearity(x[:, None], y, 0) == pytest.approx(p, rel=1e-4)


def test_linearity_needs_positive_values():
    assert linearity(np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 0.0]), 0) is None
