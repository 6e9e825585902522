from __future__ import annotations

import math

import pytest

from etl.associate.tables import association, odds_ratio, share_difference


def test_published_counts_give_the_published_odds_ratio():
    # Wali 2018: 59/78 against 52/123, OR 4.24; Woolf by hand: se = sqrt(1/59 + 1/19 + 1/52 + 1/71).
    woolf, exact = odds_ratio([[59, 19], [52, 71]])
    se = math.sqrt(1 / 59 + 1 / 19 + 1 / 52 + 1 / 71)
    assert woolf.value == pytest.approx(59 * 71 / (19 * 52), rel=1e-12)
    assert f"{woolf.value:.2f}" == "4.24"
    assert (woolf.low, woolf.high) == pytest.approx(
        [woolf.value * math.exp(sign * 1.959963984540054 * se) for sign in (-1, 1)]
    )
    assert exact.low < woolf.low < woolf.high < exact.high  # exact is conservative


def test_the_exact_odds_ratio_of_the_tea_tasting():
    # R: ?fisher.test, [[3, 1], [1, 3]]: p = 0.4857, OR 6.408309 (R stops its search earlier than we do).
    # The margins give weights 1, 16, 36, 16, 1, so the upper limit u solves u^4 = 0.975 (1 + 16u + 36u^2 + 16u^3 + u^4),
    # and by symmetry the lower limit is 0.025 for 3 or more: 16l^3 + l^4 = 0.025 (1 + 16l + 36l^2 + 16l^3 + l^4).
    _, exact = odds_ratio([[3, 1], [1, 3]])
    u, low = exact.high, exact.low
    assert exact.value == pytest.approx(6.408309, abs=2e-5)
    assert u**4 == pytest.approx(0.975 * (1 + 16 * u + 36 * u**2 + 16 * u**3 + u**4), rel=1e-6)
    assert 16 * low**3 + low**4 == pytest.approx(
        0.025 * (1 + 16 * low + 36 * low**2 + 16 * low**3 + low**4), rel=1e-6
    )
    assert exact.p == pytest.approx(0.4857, abs=5e-5)


def test_an_empty_cell_is_filled_by_a_half_and_said_so():
    woolf, exact = odds_ratio([[5, 0], [2, 3]])
    assert woolf.value == pytest.approx(5.5 * 3.5 / (0.5 * 2.5))
    assert "1/2" in woolf.note
    assert exact.high == math.inf


def test_an_empty_margin_has_no_odds_ratio():
    assert {t.value for t in odds_ratio([[5, 0], [7, 0]])} == {None}


def test_chi_square_prints_as_r_does():
    # R: ?chisq.test, Agresti 2007, 39: X-squared = 30.07, p = 2.954e-07.
    (chi,) = association([[762, 327, 468], [484, 239, 477]])
    assert chi.value == pytest.approx(30.07, abs=5e-3)
    assert chi.p == pytest.approx(2.954e-07, rel=2e-4)


def test_levels_that_nobody_has_are_left_out():
    chi, fisher = association([[10, 0, 5], [4, 0, 9]])
    assert chi.p is not None
    assert fisher.p is not None
    assert association([[3, 0], [4, 0]])[0].p is None


def test_share_difference_by_hand():
    # 50% against 30%: 0.2 / sqrt((0.25 + 0.21) / 2).
    assert share_difference([5, 5], [7, 3]) == pytest.approx(0.2 / math.sqrt(0.23))
    assert share_difference([5, 5], [50, 50]) == pytest.approx(0)
    assert share_difference([5, 0], [0, 5]) is None
    assert share_difference([0, 0], [1, 2]) is None
