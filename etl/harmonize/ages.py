"""Ages in years: 45, 45岁, 45Y, 3月."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from etl.harmonize.date_text import clean
from schemas.calendars import CALENDARS

_AGE: Final = re.compile(
    r"(?P<number>\d{1,3}(?:[.,]\d+)?)\s*(?P<unit>[^\W\d_]*)\.?(?:\s*old)?", re.IGNORECASE
)
_OLDEST: Final = 130  # years; nobody was older


def parse_ages(texts: pl.Series) -> pl.DataFrame:
    """Parse ages; one row for each text, in order. Columns: source; value (years); reason (`bad_number` or null)."""
    ages = [None if text is None else _years(clean(text)) for text in texts]
    frame = pl.DataFrame({"source": texts, "value": pl.Series(ages, dtype=pl.Float64)})
    is_bad = pl.col("value").is_null() & (pl.col("source").str.strip_chars() != "")
    return frame.with_columns(reason=pl.when(is_bad).then(pl.lit("bad_number")))


def _years(text: str) -> float | None:
    found = _AGE.fullmatch(text)
    per_year = CALENDARS.ages.get(found["unit"].casefold()) if found else None
    if found is None or per_year is None:
        return None
    years = float(found["number"].replace(",", ".")) / per_year
    return years if years <= _OLDEST else None
