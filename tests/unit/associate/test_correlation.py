from __future__ import annotations

import math

import numpy as np
import pytest

from etl.associate.correlation import adjust, pearson, spearman


def mid_ranks(values: np.ndarray) -> np.ndarray:
    """Rank by counting, independently of any library."""
    return np.array([(values < v).sum() + ((values == v).sum() + 1) / 2 for v in values])


def plain_r(x: np.ndarray, y: np.ndarray) -> float:
    a, b = x - x.mean(), y - y.mean()
    return float((a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum()))


@pytest.fixture
def tied() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 12, 90).astype(float)
    y = np.round(x / 3 + rng.normal(0, 2, 90))
    x[:7], y[5:11] = np.nan, np.nan
    return x, y


def test_pearson_is_the_product_moment_of_the_complete_pairs(tied):
    x, y = tied
    keep = ~np.isnan(x + y)
    found = pearson(x, y)
    assert (found.n, found.missing) == (79, 11)  # rows 0 to 10 lack x, y or both
    assert found.r == pytest.approx(plain_r(x[keep], y[keep]), abs=1e-12)


def test_spearman_is_pearson_of_mid_ranks_when_values_are_tied(tied):
    x, y = tied
    keep = ~np.isnan(x + y)
    assert spearman(x, y).r == pytest.approx(plain_r(mid_ranks(x[keep]), mid_ranks(y[keep])), abs=1e-12)


def test_intervals_by_hand():
    # r = 0.5: exp(2 atanh r) = 3, so tanh(z + h) = (3 e^2h - 1)/(3 e^2h + 1). At n = 28 the error is 1/5 [Fisher],
    # and sqrt(1 + 0.5^2/2)/5 for ranks [Bonett and Wright 2000].
    from etl.associate.correlation import _interval

    for inflation in (1.0, 1.125):
        half = 1.959963984540054 * math.sqrt(inflation) / 5
        expected = [(3 * math.exp(2 * h) - 1) / (3 * math.exp(2 * h) + 1) for h in (-half, half)]
        assert _interval(0.5, 28, 0.95, inflation) == pytest.approx(expected, abs=1e-12)


def test_spearman_has_the_wider_interval(tied):
    x, y = tied
    found = spearman(x, y)
    half = 1.959963984540054 * math.sqrt((1 + found.r**2 / 2) / (79 - 3))
    assert math.atanh(found.high) - math.atanh(found.low) == pytest.approx(2 * half)


def test_published_correlation_has_the_published_p():
    # Chen 2016: r = 0.340, n = 42, P = 0.0276.
    rng = np.random.default_rng(0)
    x, e = rng.normal(size=42), rng.normal(size=42)
    x -= x.mean()
    e -= e.mean()
    e -= x * (e @ x) / (x @ x)
    y = 0.340 * x / np.sqrt(x @ x) + math.sqrt(1 - 0.340**2) * e / np.sqrt(e @ e)
    assert pearson(x, y).p == pytest.approx(0.0276, abs=5e-5)


@pytest.mark.parametrize("method", [pearson, spearman])
def test_a_constant_or_two_pairs_have_no_coefficient(method):
    constant = method(np.ones(10), np.arange(10.0))
    assert (constant.n, constant.r, constant.p) == (10, None, None)
    assert method(np.array([1.0, 2.0, np.nan]), np.array([1.0, 2.0, 3.0])).r is None


def test_a_perfect_line_has_no_interval():
    found = pearson(np.arange(5.0), 2 * np.arange(5.0))
    assert (found.r, found.low) == (pytest.approx(1.0), None)


def test_multiplicity_by_hand():
    # p = 0.01, 0.04, 0.03 (m = 3). Holm: 3*0.01, then max(2*0.03) = 0.06, then 0.06.
    # Benjamini-Hochberg: 0.04*3/3 = 0.04, min(0.03*3/2, 0.04) = 0.04, 0.01*3 = 0.03.
    p = [0.01, None, 0.04, 0.03]
    assert adjust(p, "holm") == pytest.approx([0.03, None, 0.06, 0.06])
    assert adjust(p, "bh") == pytest.approx([0.03, None, 0.04, 0.04])
    assert adjust([None], "holm") == [None]
