"""What a file's results tell of each other without a query."""

from __future__ import annotations

import polars as pl


class Alone:
    """Tell cheaply which results of a file repeat or meet each other: in most files none, or a few.

    Three 64-bit numbers a row are kept, for files of up to ROWS rows; a longer file is compared by query. Equal numbers
    of different results only cost a comparison; equal results always have equal numbers.
    """

    ROWS = 20_000_000

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []
        self._rows = 0

    def see(self, rows: pl.DataFrame) -> None:
        """Take up some results: result_id as hex text, meeting, row_number."""
        self._rows += rows.height
        if self._rows <= self.ROWS:
            self._parts.append(rows.select(pl.col("result_id").hash(), "meeting", "row_number"))

    def is_unique(self) -> bool:
        """Tell whether no two results have the same content."""
        if self._rows > self.ROWS:
            return False
        ids = pl.concat(part["result_id"] for part in self._parts) if self._parts else pl.Series()
        return ids.n_unique() == len(ids)

    def meeting_rows(self) -> list[int] | None:
        """Return the rows whose results may supersede or contradict each other; None when only a query can tell."""
        if self._rows > self.ROWS:
            return None
        if not self._parts:
            return []
        rows = pl.concat(part.select("meeting", "row_number") for part in self._parts).drop_nulls()
        if rows["meeting"].n_unique() == rows.height:
            return []
        return rows.filter(pl.col("meeting").is_duplicated())["row_number"].to_list()
