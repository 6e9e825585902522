"""Compute what depends on a few columns once per distinct combination, across batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

# A column of ever new values must not grow memory with the file; the memo then starts afresh.
CAPACITY = 1_000_000
_NO_KEY = "\x1f"  # stands for a null key; a cell cannot hold it, because control bytes are damage


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
        self.forgotten = 0  # answers that are gone; the numbers start afresh
        self._forget()

    def _forget(self) -> None:
        # Categories count the keys in the order of their first coming, one look at each cell; a join takes several.
        self._numbers = pl.Categorical(pl.Categories.random(physical=pl.UInt32))
        self.forgotten += 0 if self._known is None else self._known.height
        self._known = None
        self._newest: pl.Series | None = None  # the categories live as long as a series of them

    def attach(self, frame: pl.DataFrame, beside: list[str] | None = None) -> pl.DataFrame:
        """Return the frame, in its order, with the answers for its keys."""
        return self.answer(self.number(frame, beside))

    def number(self, frame: pl.DataFrame, beside: list[str] | None = None) -> pl.DataFrame:
        """Add `answer`, the number of each row's answer, which answer() or answers() turn into the answer itself."""
        self._newest = frame[self._key].fill_null(_NO_KEY).cast(self._numbers)
        numbered = frame.with_columns(self._newest.to_physical().alias("answer"))
        known = 0 if self._known is None else self._known.height
        if self._known is not None and (frame.is_empty() or int(numbered["answer"].max()) < known):  # type: ignore[arg-type]
            return numbered
        new = numbered.filter(pl.col("answer") >= known).select("answer", self._key, *(beside or []))
        new = new.unique("answer", keep="any").sort("answer")
        if known and self._capacity is not None and known + new.height > self._capacity:
            self._forget()
            return self.number(frame, beside)
        self._learn(new, known)
        return numbered

    def number_by(self, frame: pl.DataFrame, columns: Sequence[str], key: pl.Expr) -> pl.DataFrame:
        """Add `answer` as number() does, where the key follows from columns that few combinations share.

        The key is made once per combination: making a text for each row costs twice as much as grouping them.
        """
        rows = frame.select(columns).with_row_index("row").group_by(columns).agg("row")
        numbered = self.number(rows.with_columns(key.alias(self._key)), list(columns))
        answers = np.empty(frame.height, np.uint32)
        answers[numbered["row"].explode()] = np.repeat(numbered["answer"], numbered["row"].list.len())
        return frame.with_columns(pl.Series("answer", answers))

    def _learn(self, new: pl.DataFrame, known: int) -> None:
        if new.height and new["answer"][-1] != known + new.height - 1:
            raise RuntimeError("the keys are not counted one by one")
        answers = new.select(self._key).join(
            self._compute(new.drop("answer")),
            on=self._key,
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )
        self._known = answers if self._known is None else pl.concat([self._known, answers], rechunk=True)

    def answers(self) -> pl.DataFrame:
        """Return the table that the numbers of the last number() count in."""
        if self._known is None:
            raise RuntimeError("no frame was numbered yet")
        return self._known.drop(self._key)

    def answer(self, numbered: pl.DataFrame, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Put the answers, or some columns of them, in the place of their numbers; call it before the next number()."""
        known = self.answers() if columns is None else self.answers().select(columns)
        empty = [name for name, column in known.to_dict().items() if column.null_count() == known.height]
        found = known.drop(empty)[numbered["answer"]]  # nothing is fetched from a column that holds nothing
        nulls = [pl.lit(None, known.schema[name]).alias(name) for name in empty]
        return numbered.drop("answer").hstack(found).with_columns(nulls)
