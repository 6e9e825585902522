"""Draw samples whose statistics hold exactly, so that a small cohort shows what it was made to show."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TOLERANCE = 0.0001
_MOST_SWAPS = 200


def stratified_normal(rng: np.random.Generator, size: int) -> Floats:
    """Return standard normal scores, one from the middle half of each of `size` equally likely strata, shuffled.

    Mean and spread hardly vary from seed to seed, which a plain sample of 80 cannot promise.
    """
    places = (np.arange(size) + rng.uniform(0.25, 0.75, size)) / size
    return rng.permutation(np.array([NormalDist().inv_cdf(place) for place in places]))


def arrange(values: Floats, order: Floats) -> Floats:
    """Return the values permuted so that their ranks follow those of `order`."""
    arranged = np.empty_like(values)
    arranged[np.argsort(order, kind="stable")] = np.sort(values)
    return arranged


def swap_to_correlation(fixed: Floats, moved: Floats, target: float) -> Floats:
    """Swap entries of `moved` until its Pearson correlation with `fixed` is the target.

    A swap leaves every other statistic of `moved` as it was. Each step takes the pair that closes the gap best.
    """
    x, y = fixed - fixed.mean(), moved.astype(np.float64)
    wanted = target * float(np.linalg.norm(x) * np.linalg.norm(y - y.mean()))
    close = _TOLERANCE * abs(wanted / target)
    for _ in range(_MOST_SWAPS):
        gap = wanted - float(x @ (y - y.mean()))
        if abs(gap) < close:
            return y
        gain = -np.subtract.outer(x, x) * np.subtract.outer(y, y)
        i, j = np.unravel_index(np.argmin(np.abs(gain - gap)), gain.shape)
        y[[i, j]] = y[[j, i]]
    raise ArithmeticError("The target correlation was not reached; the values are too coarse for it.")
