"""Printed reference ranges, as seen in Chinese, German and Anglo-American exports; limits read by eye."""

from __future__ import annotations

import polars as pl
import pytest

from etl.harmonize.numbers import parse_ranges

PRINTED = [
    ("180-914", ".", 180, 914),
    ("180--914", ".", 180, 914),
    ("187～883", ".", 187, 883),
    ("180.00—914.00", ".", 180, 914),
    ("(132-835)", ".", 132, 835),
    ("[132 - 835]", ".", 132, 835),
    ("≥5.9", ".", 5.9, None),
    (">5.9", ".", 5.9, None),
    ("<15", ".", None, 15),
    ("<=15", ".", None, 15),
    ("＜15", ".", None, 15),
    ("bis 40", ".", None, 40),
    ("up to 40", ".", None, 40),
    ("小于15", ".", None, 15),
    ("7 ~ 40", ".", 7, 40),
    ("0.70 - 1.40 mg/dL", ".", 0.7, 1.4),
    ("150 to 400 10^9/L", ".", 150, 400),
    ("180 bis 914", ".", 180, 914),
    ("180至914", ".", 180, 914),
    ("3,1-20,5", ",", 3.1, 20.5),
    ("1.000-2.000", ",", 1000, 2000),
    ("1,000-2,000", ".", 1000, 2000),
    ("2.1–8.8", ".", 2.1, 8.8),
    ("2.1−8.8", ".", 2.1, 8.8),
    (" ~ ", ".", None, None),
    ("", ".", None, None),
    (None, ".", None, None),
    ("3,1-20,5", ".", None, None),
    ("914-180", ".", None, None),
    ("男:130-175;女:115-150", ".", None, None),
    ("卵泡期:1.2-3;排卵期:4-5", ".", None, None),
    ("M 13.5-17.5 F 12-15.5", ".", None, None),
    ("130-175 115-150", ".", None, None),
    ("negative", ".", None, None),
    ("阴性", ".", None, None),
    ("~5", ".", None, None),
    ("180", ".", None, None),
    ("2021-03-05", ".", None, None),
]


@pytest.mark.parametrize(("text", "decimal", "low", "high"), PRINTED)
def test_printed_range(text, decimal, low, high):
    parsed = parse_ranges(pl.Series([text], dtype=pl.String), decimal)
    assert parsed.row(0) == (text, low, high)


def test_one_row_a_distinct_text():
    assert parse_ranges(pl.Series(["1-2", "1-2", None]), ".").height == 2
