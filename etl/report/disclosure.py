"""What may leave the hospital: no count of few subjects, and none from which such a count follows.

It concerns counts of subjects crossed with an attribute, not row counts of data quality.
"""

from __future__ import annotations

from collections.abc import Sequence

# Counts from 1 to SMALLEST - 1 are not shown: the usual rule of statistical offices for health data.
SMALLEST = 5


def is_small(count: int) -> bool:
    """Tell whether a count of subjects is too small to be shown."""
    return 0 < count < SMALLEST


def suppress(counts: Sequence[int]) -> list[int | None]:
    """Hide small counts of a list whose sum is known, and as many others as it takes to protect them."""
    return _hidden(counts, {index for index, count in enumerate(counts) if is_small(count)})


def suppress_table(table: Sequence[Sequence[int]]) -> list[list[int | None]]:
    """Hide small counts of a table whose row and column sums are known, and what would give them away."""
    rows = [suppress(row) for row in table]
    while True:
        before = sum(cell is None for row in rows for cell in row)
        columns = [
            _hidden(numbers, {index for index, cell in enumerate(shown) if cell is None})
            for numbers, shown in zip(zip(*table, strict=True), zip(*rows, strict=True), strict=True)
        ]
        rows = [
            _hidden(numbers, {index for index, cell in enumerate(shown) if cell is None})
            for numbers, shown in zip(table, zip(*columns, strict=True), strict=True)
        ]
        if sum(cell is None for row in rows for cell in row) == before:
            return rows


def total(counts: Sequence[int]) -> int | None:
    """Return a sum that may be shown, or None."""
    return None if is_small(sum(counts)) else sum(counts)


def share(numerator: int, denominator: int) -> tuple[int | None, int | None]:
    """Return failing and all subjects as far as both the failing and the others may be counted."""
    if is_small(denominator):
        return None, None
    if is_small(numerator) or is_small(denominator - numerator):
        return None, denominator
    return numerator, denominator


def _hidden(counts: Sequence[int], hidden: set[int]) -> list[int | None]:
    """Hide further counts, smallest first, until those hidden cannot be had by subtraction."""
    spare = sorted(
        (index for index in range(len(counts)) if index not in hidden),
        key=lambda index: counts[index] or 10**12,
    )
    while hidden and spare and (len(hidden) < 2 or sum(counts[index] for index in hidden) < SMALLEST):
        hidden = {*hidden, spare.pop(0)}
    return [None if index in hidden else count for index, count in enumerate(counts)]
