"""What may leave the hospital: no count of few subjects, and none from which such a count follows.

It concerns counts of subjects crossed with an attribute, not row counts of data quality.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

# Counts from 1 to SMALLEST - 1 are not shown: the usual rule of statistical offices for health data.
SMALLEST = 5

Row = list[int | None]


def is_small(count: int) -> bool:
    """Tell whether a count of subjects is too small to be shown."""
    return 0 < count < SMALLEST


def suppress(counts: Sequence[int]) -> Row:
    """Hide small counts of a list whose sum is known, and as many others as it takes to protect them."""
    hidden = {index for index, count in enumerate(counts) if is_small(count)}
    # Zeros last: they say the least.
    spare = sorted(
        (index for index in range(len(counts)) if index not in hidden),
        key=lambda index: counts[index] or 10**12,
    )
    while hidden and spare and not _is_protected([counts[index] for index in hidden]):
        hidden.add(spare.pop(0))
    return [None if index in hidden else count for index, count in enumerate(counts)]


def total(counts: Sequence[int]) -> int | None:
    """Return a sum that may be shown beside its suppressed parts, or None."""
    hidden = [count for count, shown in zip(counts, suppress(counts), strict=True) if shown is None]
    is_telling = is_small(sum(counts)) or (hidden and not _is_protected(hidden))
    return None if is_telling else sum(counts)


def _is_protected(hidden: Sequence[int]) -> bool:
    """Tell whether hidden counts stay unknown to a reader who knows their sum, and that none of them is zero unless one is."""
    least = 0 if 0 in hidden else 1
    return len(hidden) > 1 and sum(hidden) - least * (len(hidden) - 1) >= SMALLEST


@dataclass(frozen=True)
class Suppressed:
    """A table as it may be shown: its cells, and the sums of its rows."""

    cells: list[Row]
    totals: Row


def suppress_table(table: Sequence[Sequence[int]]) -> Suppressed:
    """Hide small counts of a table whose row and column sums are known, and what would give them away.

    What is hidden is a block of whole rows by whole columns. Within a block the bounds of a cell that follow from the
    sums are known exactly (Frechet 1940), so the block grows until they are wide; else the sums of its rows go as well.
    """
    small = [(y, x) for y, counts in enumerate(table) for x, count in enumerate(counts) if is_small(count)]
    rows, columns = {y for y, _ in small}, {x for _, x in small}
    while small and not all(_is_wide(table, rows, columns, cell) for cell in small):
        more_rows = sorted(set(range(len(table))) - rows, key=lambda y: sum(table[y]))
        more_columns = sorted(set(range(len(table[0]))) - columns, key=lambda x: sum(row[x] for row in table))
        if more_columns and (len(columns) < 2 <= len(rows) or not more_rows):
            columns.add(more_columns[0])
        elif more_rows:
            rows.add(more_rows[0])
        else:
            break
    is_safe = all(_is_wide(table, rows, columns, cell) for cell in small)
    return Suppressed(
        [
            [None if y in rows and x in columns else count for x, count in enumerate(counts)]
            for y, counts in enumerate(table)
        ],
        [
            None if is_small(sum(counts)) or (y in rows and not is_safe) else sum(counts)
            for y, counts in enumerate(table)
        ],
    )


def _is_wide(
    table: Sequence[Sequence[int]], rows: Collection[int], columns: Collection[int], cell: tuple[int, int]
) -> bool:
    """Tell whether the sums of a hidden block leave a cell of it unknown by at least SMALLEST."""
    y, x = cell
    row = sum(table[y][each] for each in columns)
    column = sum(table[each][x] for each in rows)
    whole = sum(table[each][other] for each in rows for other in columns)
    return min(row, column) - max(0, row + column - whole) >= SMALLEST


def share(numerator: int, denominator: int) -> tuple[int | None, int | None]:
    """Return failing and all subjects as far as both the failing and the others may be counted."""
    if is_small(denominator):
        return None, None
    if is_small(numerator) or is_small(denominator - numerator):
        return None, denominator
    return numerator, denominator
