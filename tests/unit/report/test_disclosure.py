"""No small count is shown, and none follows from what is shown (hand-made tables; then every table of a range)."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from scipy.optimize import linprog

from etl.disclosure import SMALLEST, is_small, share, suppress, suppress_table, total


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([10, 20, 30], [10, 20, 30]),
        ([0, 0, 7], [0, 0, 7]),
        # 3 alone would follow from the sum, so the next smallest goes with it.
        ([3, 40, 9], [None, 40, None]),
        # 1 + 1 = 2 would follow from the sum, and gives both away.
        ([1, 1, 9, 50], [None, None, None, 50]),
        ([4, 0], [None, None]),
        # 8 in two cells says nothing of either.
        ([4, 4, 30], [None, None, 30]),
        # Five cells that hold someone and five subjects: each holds one, unless a zero is hidden among them.
        ([1, 1, 1, 1, 1, 0], [None] * 6),
        ([2], [None]),
        ([], []),
    ],
)
def test_suppress(counts, shown):
    assert suppress(counts) == shown


def bounds(shape, sums, shown) -> list[tuple[float, float]]:
    """Return the least and largest value of each cell, by linear programming (scipy), that the shown numbers allow."""
    rows = [(mask, number) for mask, number in sums if number is not None]
    matrix = np.array([mask for mask, _ in rows], float).reshape(len(rows), shape)
    wanted = [number for _, number in rows]
    ranges = [(0, None) if cell is None else (cell, cell) for cell in shown]
    found = []
    for index in range(shape):
        ends = []
        for sign in (1, -1):
            done = linprog(sign * np.eye(shape)[index], A_eq=matrix, b_eq=wanted, bounds=ranges)
            ends.append(sign * done.fun if done.status == 0 else sign * -np.inf)
        found.append((ends[0], ends[1]))
    return found


def test_no_small_count_follows_from_a_sum():
    for counts in itertools.product([0, 1, 3, 4, 5, 6, 20], repeat=3):
        shown = suppress(counts)
        assert not any(cell is not None and is_small(cell) for cell in shown)
        hidden = [count for count, cell in zip(counts, shown, strict=True) if cell is None]
        if hidden and total(counts) is not None:
            # By hand: a hidden cell can hold what the others leave when each of them holds no one, or one.
            others = (len(hidden) - 1) * (0 if 0 in hidden else 1)
            assert len(hidden) > 1
            assert sum(hidden) - others >= SMALLEST


def test_a_table_is_protected_in_both_directions():
    # 3 hides 30 in its row and 40 in its column; those two need 50 hidden as well, or they follow from the sums.
    assert suppress_table([[3, 30], [40, 50]]).cells == [[None, None], [None, None]]
    shown = suppress_table([[3, 30, 60], [40, 50, 70], [80, 90, 99]])
    assert shown.cells == [[None, None, 60], [None, None, 70], [80, 90, 99]]
    assert shown.totals == [93, 160, 269]
    assert suppress_table([[9, 8], [7, 6]]).cells == [[9, 8], [7, 6]]
    # One site only: its sum would give 2 away within 0 to 2 of the other group.
    assert suppress_table([[2, 1]]).totals == [None]


def test_two_small_cells_do_not_give_each_other_away():
    # Two pairs of rows and columns, each with enough hidden cells of its own; a bridge between them would be exact.
    table = [[2, 50, 60, 70], [50, 40, 3, 60], [60, 70, 50, 40], [70, 60, 55, 45]]
    assert_protected(table)


@pytest.mark.parametrize("seed", range(40))
def test_no_small_cell_follows_from_the_sums_of_a_table(seed):
    chance = random.Random(seed)
    width, height = chance.choice([2, 3]), chance.randrange(1, 6)
    assert_protected(
        [[chance.choice([0, 1, 2, 4, 6, 12, 40, 80]) for _ in range(width)] for _ in range(height)]
    )


def assert_protected(table) -> None:
    """Find a wide range for each hidden small cell, also for a reader who knows the sum of every column."""
    height, width = len(table), len(table[0])
    shown = suppress_table(table)
    cells = [cell for row in shown.cells for cell in row]
    places = range(height * width)
    sums = [([int(at // width == y) for at in places], shown.totals[y]) for y in range(height)]
    # Sums of columns are shown nowhere when not even the sums of rows may be.
    if None not in shown.totals:
        columns = [sum(row[x] for row in table) for x in range(width)]
        sums += [([int(at % width == x) for at in places], columns[x]) for x in range(width)]
    flat = [count for row in table for count in row]
    ranges = bounds(height * width, sums, cells)
    for count, cell, (least, largest) in zip(flat, cells, ranges, strict=True):
        if is_small(count):
            assert cell is None
            assert largest - least >= SMALLEST - 1e-6, (table, shown)


def test_totals_and_shares():
    assert (total([1, 2]), total([2, 3]), total([4, 4]), total([0, 0])) == (None, None, 8, 0)
    assert share(0, 30) == (0, 30)
    assert share(6, 30) == (6, 30)
    assert share(4, 30) == (None, 30)
    assert share(27, 30) == (None, 30)  # three pass: the others would be counted
    assert share(2, 4) == (None, None)
