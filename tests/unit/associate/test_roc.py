from __future__ import annotations

import math

import numpy as np
import pytest

from etl.associate.roc import GRID, discriminate, wilson


def wins(x: float, y: float) -> float:
    return float(x > y) + 0.5 * float(x == y)


@pytest.fixture
def tied() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    return rng.integers(2, 12, 40).astype(float), rng.integers(0, 10, 55).astype(float)


def test_auc_is_the_share_of_pairs_won_and_the_error_is_de_longs(tied):
    # DeLong et al. 1988 written out as in the paper: all pairs, structural components, their variances.
    a, b = tied
    kernel = np.array([[wins(x, y) for y in b] for x in a])
    auc = kernel.mean()
    s10 = ((kernel.mean(axis=1) - auc) ** 2).sum() / (len(a) - 1)
    s01 = ((kernel.mean(axis=0) - auc) ** 2).sum() / (len(b) - 1)
    found = discriminate(a, b, lower_in_cases=False)
    assert found.auc == pytest.approx(auc, abs=1e-12)
    assert found.se == pytest.approx(math.sqrt(s10 / len(a) + s01 / len(b)), abs=1e-12)


def test_de_long_by_hand():
    # Cases 3 4 6, controls 1 2 5: each case wins 2/3, 2/3, 1 of its pairs and each control loses 1, 1, 1/3.
    # AUC 7/9; variances of the components 1/27 and 4/27, so the squared error is (1/27)/3 + (4/27)/3 = 5/81.
    found = discriminate(np.array([3.0, 4, 6]), np.array([1.0, 2, 5]), lower_in_cases=False)
    assert found.auc == pytest.approx(7 / 9, abs=1e-12)
    assert found.se == pytest.approx(math.sqrt(5) / 9, abs=1e-12)


def test_direction_is_declared_not_taken_from_the_data(tied):
    a, b = tied
    up, down = (discriminate(a, b, lower_in_cases=flag) for flag in (False, True))
    assert up.auc + down.auc == pytest.approx(1)
    assert down.auc < 0.5


def test_youden_by_hand():
    # Cases 1 2 3 8, controls 4 5 6 9, lower in cases: below 3.5 are 3 of 4 cases and no control: J = 0.75.
    found = discriminate(np.array([1.0, 2, 3, 8]), np.array([4.0, 5, 6, 9]), lower_in_cases=True)
    cut = found.cut_off
    assert (cut.value, cut.case_below, cut.case_above, cut.control_below, cut.control_above) == (
        3.5,
        3,
        1,
        0,
        4,
    )


def test_the_area_under_the_grid_is_near_the_auc(tied):
    a, b = tied
    found = discriminate(a, b, lower_in_cases=False)
    assert np.trapezoid(found.curve, GRID) == pytest.approx(found.auc, abs=0.02)
    assert found.curve[-1] == 1
    assert (np.diff(found.curve) >= 0).all()


def test_perfect_and_useless_markers():
    perfect = discriminate(np.array([5.0, 6, 7]), np.array([1.0, 2, 3]), lower_in_cases=False)
    assert (perfect.auc, perfect.high) == (1.0, 1.0)
    useless = discriminate(np.ones(5), np.ones(5), lower_in_cases=False)
    assert (useless.auc, useless.cut_off) == (0.5, None)


def test_a_group_of_one_has_no_auc():
    assert discriminate(np.array([1.0, np.nan]), np.arange(5.0), lower_in_cases=True).auc is None


def test_wilson_by_hand():
    # 3 of 10 at 95%: centre (3 + z^2/2)/(10 + z^2), half-width z/(10 + z^2) * sqrt(3*7/10 + z^2/4).
    z = 1.959963984540054
    centre, half = (3 + z * z / 2) / (10 + z * z), z / (10 + z * z) * math.sqrt(2.1 + z * z / 4)
    assert wilson(3, 10, 0.95) == pytest.approx((centre - half, centre + half))
