"""Compute what depends on a few columns once per distinct combination, across batches."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

# A column of ever new values must not grow memory with the file; the memo then starts afresh.
CAPACITY = 1_000_000


class Memo:
    """A growing table of answers, joined to frames by one key column.

    compute gets one row per new key (with the columns asked for beside it) and returns the key and its answers.
    """

    def __init__(self, key: str, compute: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
        self._key = key
        self._compute = compute
        self._known: pl.DataFrame | None = None

    def attach(self, frame: pl.DataFrame, beside: list[str] | None = None) -> pl.DataFrame:
        """Return the frame, in its order, with the answers for its keys. A null key has null answers."""
        distinct = (
            frame.select(self._key, *(beside or [])).unique(self._key, keep="any").drop_nulls(self._key)
        )
        known = self._known
        fresh = distinct if known is None else distinct.join(known, on=self._key, how="anti")
        if known is None or fresh.height:
            answers = self._compute(fresh)
            is_full = known is not None and known.height + fresh.height > CAPACITY
            if known is None:
                known = answers
            elif is_full:
                known = self._compute(distinct)
            else:
                known = pl.concat([known, answers])
            self._known = known
        return frame.join(known, on=self._key, how="left", maintain_order="left")
