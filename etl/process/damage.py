"""Damaged records: held as they came, each one candidate."""

from __future__ import annotations

from collections import Counter

import polars as pl

from etl.process.candidates import HELD_SCHEMA
from warehouse.keys import Keys


class DamageKeeper:
    """Give damaged records ids that stay the same when the file is read again."""

    def __init__(self, keys: Keys, site: str, feed: str) -> None:
        self._keys = keys
        self._place = (site, feed)
        self._seen: Counter[bytes] = Counter()

    def hold(self, damaged: pl.DataFrame) -> pl.DataFrame:
        """Return held candidates; the id covers the raw bytes and how often they came before in this file."""
        ids = [self._id(raw) for raw in damaged["raw"]]
        return damaged.select(
            pl.Series("record_id", ids, dtype=pl.String),
            "row_number",
            "locator",
            pl.lit("structural").alias("stage"),
            pl.concat_list("reason").alias("reasons"),
            pl.lit(None, pl.String).alias("measure"),
            pl.lit(value=False).alias("comparable"),
            "raw",
        ).cast(HELD_SCHEMA)  # type: ignore[arg-type]

    def _id(self, raw: bytes) -> str:
        self._seen[raw] += 1
        return self._keys.record_id(
            *(part.encode() for part in self._place), raw, str(self._seen[raw]).encode()
        )
