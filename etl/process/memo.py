"""Compute what depends on a few columns once per distinct combination, across batches."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

# A column of ever new values must not grow memory with the file; the memo then starts afresh.
CAPACITY = 1_000_000
_UNKNOWN = pl.lit(None, pl.UInt32).alias("answer")


class Memo:
    """A growing table of answers, found by one key column.

    Without a capacity an answer keeps its number for good. compute gets one row per new key (with the columns asked for
    beside it) and returns, in any order, a row per key with the key and its answers.
    """

    def __init__(
        self, key: str, compute: Callable[[pl.DataFrame], pl.DataFrame], capacity: int | None = CAPACITY
    ) -> None:
        self._key = key
        self._capacity = capacity
        self._compute = compute
        self._known: pl.DataFrame | None = None

    def attach(self, frame: pl.DataFrame, beside: list[str] | None = None) -> pl.DataFrame:
        """Return the frame, in its order, with the answers for its keys."""
        return self.answer(self.number(frame, beside))

    def number(self, frame: pl.DataFrame, beside: list[str] | None = None) -> pl.DataFrame:
        """Add `answer`, the number of each row's answer, which answer() or answers() turn into the answer itself."""
        numbered = self._numbered(frame) if self._known is not None else frame.with_columns(_UNKNOWN)
        if self._known is not None and not numbered["answer"].null_count():
            return numbered
        unknown = numbered.filter(pl.col("answer").is_null())
        fresh = unknown.select(self._key, *(beside or [])).unique(self._key, keep="any")
        if self._known is None or self._is_full(self._known.height + fresh.height):
            self._known = self._compute(
                frame.select(self._key, *(beside or [])).unique(self._key, keep="any")
            )
        else:
            self._known = pl.concat([self._known, self._compute(fresh)])
        return self._numbered(frame)

    def _numbered(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self._known is None:
            raise RuntimeError("nothing is known yet")
        numbers = self._known.select(self._key).with_row_index("answer")
        return frame.join(numbers, on=self._key, how="left", nulls_equal=True, maintain_order="left")

    def _is_full(self, size: int) -> bool:
        return self._capacity is not None and size > self._capacity

    def answers(self) -> pl.DataFrame:
        """Return the table that the numbers of the last number() count in."""
        if self._known is None:
            raise RuntimeError("no frame was numbered yet")
        return self._known.drop(self._key)

    def answer(self, numbered: pl.DataFrame) -> pl.DataFrame:
        """Put the answers in the place of their numbers; call it before the next number()."""
        return numbered.drop("answer").hstack(self.answers()[numbered["answer"]])
