"""Make answers to the four scales: IRLS, PSQI (order A), HAMA-14 and HAMD-24 (Chinese form)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Answers = Mapping[str, str]

# Highest score of each HAMD item, Chinese 24-item form (777doc); they sum to 76.
HAMD_MAXIMA = (4, 4, 4, 2, 2, 2, 4, 4, 4, 4, 4, 2, 2, 2, 4, 2, 2, 2, 4, 4, 2, 4, 4, 4)
HAMA_MAXIMA = (4,) * 14
IRLS_MAXIMA = (4,) * 10
# Who has symptoms at all has urge, discomfort, some relief, severity and frequency: IRLS items 1, 2, 3, 6 and 7.
IRLS_LEAST = (1, 1, 1, 0, 0, 1, 1, 0, 0, 0)

PSQI_DISTURBANCE = ("5b", "5c", "5d", "5e", "5f", "5g", "5h", "5i", "5j")
PSQI_ITEMS = ("1", "2", "3", "4", "5a", *PSQI_DISTURBANCE, "6", "7", "8", "9")
ITEMS = {
    "irls": tuple(str(number + 1) for number in range(10)),
    "psqi": PSQI_ITEMS,
    "hama": tuple(str(number + 1) for number in range(14)),
    "hamd": tuple(str(number + 1) for number in range(24)),
}


def spread(rng: np.random.Generator, total: int, maxima: tuple[int, ...], least: tuple[int, ...]) -> Answers:
    """Spread a total over items, none below its least or above its maximum; item numbers start at 1."""
    room = np.subtract(maxima, least)
    more = rng.multivariate_hypergeometric(room, total - sum(least))
    return {str(number + 1): str(score) for number, score in enumerate(np.add(least, more))}


def sum_items(answers: Answers) -> int:
    """Return the sum of the answers."""
    return sum(int(answer) for answer in answers.values())


def answer_psqi(rng: np.random.Generator, level: float) -> Answers:
    """Answer the PSQI for a sleeper at a level from 0 (sound) to 1 (very poor).

    Hours slept never exceed the hours in bed. Item 5j stays 0, because it counts only with its text.
    """
    bed_half_hours = int(rng.integers(0, 5))  # after 22:00
    in_bed = 0.5 * int(rng.integers(14, 19))  # 7 to 9 hours
    asleep = np.clip(round(2 * (7.6 - 3.0 * level + rng.normal(0, 0.4))) / 2, 3.0, in_bed - 0.5)
    frequencies = rng.binomial(3, 0.75 * level, size=len(PSQI_DISTURBANCE) + 5).tolist()
    frequencies[len(PSQI_DISTURBANCE)] = 0
    scored = ("5a", *PSQI_DISTURBANCE, "6", "7", "8", "9")
    return {
        "1": _clock(22.0 + bed_half_hours / 2),
        "2": str(5 * max(1, round(2 + 12 * level + rng.normal(0, 1)))),
        "3": _clock(22.0 + bed_half_hours / 2 + in_bed),
        "4": f"{asleep:g}",
        **{item: str(answer) for item, answer in zip(scored, frequencies, strict=True)},
    }


def score_psqi(answers: Answers) -> int:
    """Return the global PSQI score of complete answers.

    Boundaries: Buysse's scoring sheet (7, 6, 5 hours; 15, 30, 60 minutes; 85, 75, 65 %; sums 9 and 18).
    """
    hours = float(answers["4"])
    in_bed = (_hours(answers["3"]) - _hours(answers["1"])) % 24
    efficiency = 100 * hours / in_bed
    latency = _band(int(answers["2"]), (15, 30, 60)) + int(answers["5a"])
    disturbance = sum(int(answers[item]) for item in PSQI_DISTURBANCE)
    return (
        int(answers["6"])
        + _band(latency, (0, 2, 4))
        + sum(hours < limit for limit in (7, 6, 5))
        + sum(efficiency < limit for limit in (85, 75, 65))
        + _band(disturbance, (0, 9, 18))
        + int(answers["7"])
        + _band(int(answers["8"]) + int(answers["9"]), (0, 2, 4))
    )


def _band(value: int, upper: tuple[int, int, int]) -> int:
    """Return how many of the bands' upper limits the value exceeds."""
    return sum(value > limit for limit in upper)


def _clock(hours: float) -> str:
    return f"{int(hours) % 24:02d}:{round(60 * (hours % 1)):02d}"


def _hours(clock: str) -> float:
    hour, minute = clock.split(":")
    return int(hour) + int(minute) / 60
