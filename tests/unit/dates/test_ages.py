"""Ages as printed; expected years by hand."""

from __future__ import annotations

import polars as pl
import pytest

from etl.harmonize.ages import parse_ages


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("45", 45),
        ("45岁", 45),
        ("45Y", 45),
        ("３月", 0.25),
        ("63.0", 63),
        ("45 Jahre", 45),
        ("45 years old", 45),
        ("45,5", 45.5),
    ],
)
def test_years(text: str, years: float) -> None:
    assert parse_ages(pl.Series([text])).row(0) == (text, years, None)


@pytest.mark.parametrize("text", ["200", "-1", "adult", "45-50", "45 kg"])
def test_no_age(text: str) -> None:
    assert parse_ages(pl.Series([text])).row(0) == (text, None, "bad_number")


@pytest.mark.parametrize("text", [None, "", " "])
def test_nothing_is_not_held(text: str | None) -> None:
    assert parse_ages(pl.Series([text], dtype=pl.String)).row(0) == (text, None, None)
