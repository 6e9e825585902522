"""Every view and every query: given rows in, expected rows out."""

from __future__ import annotations


def test_given_rows_give_the_expected_rows(case, check_case) -> None:
    check_case(case)
