from __future__ import annotations

import math

import numpy as np
import pytest

from etl.associate.groups import compare, compare_bands, standardised_difference, summarise

# Student's sleep data as printed in the R documentation of t.test.
GROUP_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
GROUP_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def test_t_tests_print_as_r_does():
    # R: t.test(extra ~ group): t = -1.8608, p = 0.07939, interval -3.3654832 to 0.2054832; var.equal: p = 0.07919.
    welch, student, _ = compare(GROUP_1, GROUP_2)
    assert welch.statistic == pytest.approx(-1.8608, abs=5e-5)
    assert welch.p == pytest.approx(0.07939, abs=5e-6)
    assert (welch.low, welch.high) == pytest.approx((-3.3654832, 0.2054832), abs=1e-7)
    assert student.p == pytest.approx(0.07919, abs=5e-6)
    assert welch.estimate == pytest.approx(0.75 - 2.33)


def test_mann_whitney_counts_pairs():
    # U is the number of pairs that the case wins, ties counting half: counted here pair by pair.
    a, b = GROUP_1, GROUP_2
    u = sum(float(x > y) + 0.5 * float(x == y) for x in a for y in b)
    assert compare(a, b)[2].statistic == pytest.approx(u)


def test_nulls_are_left_out_of_every_test():
    with_gaps = np.append(GROUP_1, [np.nan, np.nan])
    assert [t.p for t in compare(with_gaps, GROUP_2)] == [t.p for t in compare(GROUP_1, GROUP_2)]


def test_a_group_of_one_or_a_constant_has_no_test():
    for a, b in ((np.array([1.0]), GROUP_2), (np.ones(4), np.ones(5))):
        assert {t.p for t in compare(a, b)} == {None}


def test_two_different_constants_have_a_difference_but_no_t():
    welch, student, rank = compare(np.ones(4), np.zeros(4))
    assert (welch.estimate, welch.p, student.p) == (1.0, None, None)
    assert rank.p is not None


def test_summary_by_hand():
    # 1, 2, 3, 4, 10: mean 4, sum of squares 9+4+1+0+36 = 50, SD sqrt(12.5); type 7 quartiles 2 and 4.
    s = summarise(np.array([1.0, 2.0, 3.0, 4.0, 10.0, np.nan]), "b12", "pg/mL", "case")
    assert (s.n, s.missing, s.mean, s.median, s.q1, s.q3) == (5, 1, 4.0, 3.0, 2.0, 4.0)
    assert s.sd == pytest.approx(math.sqrt(12.5))
    assert s.p05 is None  # near the extremes in a small group


def test_an_empty_group_is_summarised_without_numbers():
    s = summarise(np.array([np.nan]), "b12", "pg/mL", "case")
    assert (s.n, s.missing, s.mean, s.sd) == (0, 1, None, None)


def test_standardised_difference_by_hand():
    # Means 4 and 1, variances 4 and 2: 3 / sqrt(3) = sqrt(3).
    assert standardised_difference(np.array([2.0, 4.0, 6.0]), np.array([0.0, 2.0])) == pytest.approx(
        math.sqrt(3)
    )
    assert standardised_difference(np.ones(3), np.ones(3)) is None


def test_kruskal_wallis_prints_as_r_does():
    # R: ?kruskal.test, Hollander and Wolfe 1973, 116: chi-squared = 0.77143, p = 0.68.
    bands = [[2.9, 3.0, 2.5, 2.6, 3.2], [3.8, 2.7, 4.0, 2.4], [2.8, 3.4, 3.7, 2.2, 2.0]]
    found = compare_bands([np.array(b) for b in bands])[0]
    assert found.statistic == pytest.approx(0.77143, abs=5e-6)
    assert found.p == pytest.approx(0.68, abs=5e-4)


def test_the_trend_is_jonckheere_terpstra():
    # Without ties in the values: J = pairs in order, E = (N^2 - sum n^2)/4,
    # V = (N^2(2N+3) - sum n^2(2n+3))/72 (Hollander and Wolfe), p from the normal distribution.
    rng = np.random.default_rng(5)
    bands = [rng.normal(mean, 1, n) for mean, n in ((0, 9), (0.4, 12), (0.8, 7))]
    j = sum((y > x) for a, b in ((0, 1), (0, 2), (1, 2)) for x in bands[a] for y in bands[b])
    sizes = np.array([len(b) for b in bands])
    total = sizes.sum()
    expected = (total**2 - (sizes**2).sum()) / 4
    variance = (total**2 * (2 * total + 3) - (sizes**2 * (2 * sizes + 3)).sum()) / 72
    p = math.erfc(abs(j - expected) / math.sqrt(variance) / math.sqrt(2))
    assert compare_bands(bands)[1].p == pytest.approx(p, abs=1e-10)


def test_one_filled_band_has_no_test():
    assert {t.p for t in compare_bands([np.array([1.0, 2.0]), np.array([])])} == {None}
