"""No small count is shown, and none follows from what is shown (hand-made tables; then every table of a range)."""

from __future__ import annotations

import itertools

import pytest

from etl.report.disclosure import SMALLEST, share, suppress, suppress_table, total


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([10, 20, 30], [10, 20, 30]),
        ([0, 0, 7], [0, 0, 7]),
        (
            [3, 40, 9],
            [None, 40, None],
        ),  # 3 alone would follow from the sum, so the next smallest goes with it
        ([1, 1, 9, 50], [None, None, None, 50]),  # 1 + 1 = 2 would follow from the sum, and gives both away
        ([4, 0], [None, None]),
        ([4, 4, 30], [None, None, 30]),  # 8 in two cells says nothing of either
        ([2], [None]),
        ([], []),
    ],
)
def test_suppress(counts, shown):
    assert suppress(counts) == shown


def test_no_small_count_follows_from_a_sum():
    for counts in itertools.product([0, 1, 3, 4, 5, 6, 20], repeat=3):
        shown = suppress(counts)
        hidden = [count for count, cell in zip(counts, shown, strict=True) if cell is None]
        assert not any(cell is not None and 0 < cell < SMALLEST for cell in shown)
        if hidden and total(counts) is not None:
            assert len(hidden) > 1
            assert sum(hidden) >= SMALLEST


def test_a_table_is_protected_in_both_directions():
    # 3 hides 30 in its row and 40 in its column; those two need 50 hidden as well, or they follow from the sums.
    assert suppress_table([[3, 30], [40, 50]]) == [[None, None], [None, None]]
    shown = suppress_table([[3, 30, 60], [40, 50, 70], [80, 90, 99]])
    assert shown == [[None, None, 60], [None, None, 70], [80, 90, 99]]


def test_totals_and_shares():
    assert (total([1, 2]), total([2, 3]), total([0, 0])) == (None, 5, 0)
    assert share(0, 30) == (0, 30)
    assert share(6, 30) == (6, 30)
    assert share(4, 30) == (None, 30)
    assert share(27, 30) == (None, 30)  # three pass: the others would be counted
    assert share(2, 4) == (None, None)
