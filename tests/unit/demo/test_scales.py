"""PSQI vectors: worked out with the scoring sheet's rules. HAMD maximum: 76, the Chinese 24-item form."""

from __future__ import annotations

import numpy as np
import pytest

from etl.demo import scales
from etl.demo.sampling import arrange, stratified_normal, swap_to_correlation


@pytest.mark.parametrize(
    ("bed", "latency", "wake", "hours", "q5a", "disturbance", "last", "score"),
    [
        ("23:00", "10", "07:00", "7.0", "0", "000000000", "0000", 0),
        ("23:00", "60", "07:00", "6.0", "1", "111111111", "1011", 7),
        ("22:30", "15", "06:30", "6.8", "0", "000000000", "0000", 1),
        ("00:30", "61", "06:30", "4.99", "3", "211111111", "3333", 18),
        ("23:00", "31", "06:00", "5.0", "2", "222222222", "2121", 13),
        ("23:00", "31", "06:00", "5.0", "2", "322222222", "2121", 14),
        ("22:00", "90", "08:00", "4", "3", "333333333", "3333", 21),
    ],
)
def test_psqi_vectors(bed, latency, wake, hours, q5a, disturbance, last, score):
    answers = {"1": bed, "2": latency, "3": wake, "4": hours, "5a": q5a}
    answers |= dict(zip(scales.PSQI_DISTURBANCE, disturbance, strict=True))
    answers |= dict(zip("6789", last, strict=True))
    assert scales.score_psqi(answers) == score


def test_psqi_answers_are_possible():
    rng = np.random.default_rng(1)
    for level in np.linspace(0, 1, 200):
        answers = scales.answer_psqi(rng, float(level))
        assert tuple(answers) == scales.PSQI_ITEMS
        hour, minute = (int(part) for part in answers["1"].split(":"))
        up_hour, up_minute = (int(part) for part in answers["3"].split(":"))
        in_bed = (up_hour + up_minute / 60 - hour - minute / 60) % 24
        assert 0 < float(answers["4"]) < in_bed <= 14
        assert answers["5j"] == "0"
        assert all(answers[item] in "0123" for item in ("5a", *scales.PSQI_DISTURBANCE, *"6789"))


def test_hamd_maxima_sum_to_76():
    assert sum(scales.HAMD_MAXIMA) == 76


@pytest.mark.parametrize("total", [5, 6, 22, 39, 40])
def test_irls_totals_are_spread_without_conflict(total):
    answers = scales.spread(np.random.default_rng(total), total, scales.IRLS_MAXIMA, scales.IRLS_LEAST)
    scores = [int(answers[str(item)]) for item in range(1, 11)]
    assert sum(scores) == total
    assert all(0 <= score <= 4 for score in scores)
    # No relief (3) or frequency (7) of "none" beside symptoms: these answers would contradict each other.
    assert scores[2] >= 1
    assert scores[6] >= 1


def test_stratified_normal_has_one_score_a_stratum():
    from scipy.stats import norm

    places = np.sort(norm.cdf(stratified_normal(np.random.default_rng(7), 50)))
    assert np.floor(places * 50).tolist() == list(range(50))


def test_swapping_reaches_the_target_and_keeps_the_values():
    rng = np.random.default_rng(3)
    fixed, moved = rng.normal(size=80), np.round(rng.normal(20, 6, size=80))
    swapped = swap_to_correlation(fixed, moved, -0.254)
    assert np.corrcoef(fixed, swapped)[0, 1] == pytest.approx(-0.254, abs=0.0005)
    assert sorted(swapped) == sorted(moved)


def test_arranged_values_follow_the_order():
    assert arrange(np.array([5.0, 1.0, 3.0]), np.array([0.2, 0.9, 0.5])).tolist() == [1.0, 5.0, 3.0]
