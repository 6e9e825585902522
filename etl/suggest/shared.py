"""Which texts of a column may be shown: those that at least five subjects share. Without subjects, none."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from etl.disclosure import SMALLEST
from etl.suggest.content import Content


@dataclass(frozen=True)
class Shared:
    """The texts of a column that enough subjects share, with records and subjects; and how many texts are not shown."""

    texts: tuple[tuple[str, int, int], ...] = ()
    hidden: int = 0
    hidden_records: int = 0

    def names(self) -> dict[str, int]:
        """Return the records of each text that may be shown."""
        return {text: records for text, records, _ in self.texts}


def shared(frame: pl.DataFrame, column: str, subjects: Sequence[str]) -> Shared:
    """Count the records and subjects of each text of a column.

    subjects: every column that may tell who a record is about. A text is shown if enough different values of each of
    them stand beside it, so that a wrong guess only hides more.
    """
    text = pl.col(column).str.strip_chars()
    own = [name for name in subjects if name != column]
    counts = [
        pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name).str.strip_chars()).n_unique().alias(f"subjects {at}")
        for at, name in enumerate(own)
    ]  # fmt: skip
    found = (
        frame.filter(text.is_not_null() & (text != ""))
        .group_by(text.alias("text"))
        .agg(pl.len().alias("records"), *counts)
        .sort("records", "text", descending=[True, False])
    )
    fewest = pl.min_horizontal(f"subjects {at}" for at in range(len(own))) if own else pl.lit(0)
    found = found.with_columns(fewest.alias("subjects"))
    is_shown = pl.col("subjects") >= SMALLEST if own and column not in subjects else pl.lit(value=False)
    kept = found.filter(is_shown)
    rows = tuple(kept.select("text", "records", "subjects").iter_rows())
    records = sum(found["records"].to_list()) - sum(row[1] for row in rows)
    return Shared(rows, found.height - kept.height, records)


def sentinels(content: Content, shown: Shared) -> list[str]:
    """Return the shown texts of a column of numbers that are probably written where there is no result."""
    known, apart = _known()
    counts = shown.names()
    numbers = content.numbers
    found = []
    for text in counts:
        if text in known["negative"]:
            others = numbers.filter(numbers != float(text))
            if (
                not others.is_empty()
                and not (others.filter(~others.is_in(_numbers(known["negative"]))) < 0).any()
            ):
                found.append(text)
        elif text in known["repeated"]:
            others = numbers.filter(~numbers.is_in(_numbers(known["repeated"])))
            highest = others.max()
            if isinstance(highest, float) and float(text) > apart * highest:
                found.append(text)
    return found


def _numbers(texts: Sequence[str]) -> list[float]:
    return [float(text) for text in texts]


@cache
def _known() -> tuple[dict[str, list[str]], float]:
    read = tomllib.loads((files("schemas.wording") / "sentinels.toml").read_text("utf-8"))
    return {"negative": read["negative"], "repeated": read["repeated"]}, read["apart"]
