"""What a file's results tell of each other without a query."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.uint64]


class Alone:
    """Tell cheaply which results of a file repeat or meet each other: in most files none, or a few.

    Three numbers of 64 bits a row are kept, for files of up to ROWS rows; a longer file is compared by query, so memory
    stays bounded. Equal numbers of different results only cost a comparison; equal results always have equal numbers.
    """

    ROWS = 8_000_000

    def __init__(self) -> None:
        self._ids: list[Numbers] = []
        self._meetings: list[Numbers] = []
        self._places: list[npt.NDArray[np.int64]] = []
        self._rows = 0

    def see(self, rows: pl.DataFrame) -> None:
        """Take up some results: result_id as hex text, meeting (null: meets nothing), row_number."""
        self._rows += rows.height
        if self._rows > self.ROWS:
            self._ids, self._meetings, self._places = [], [], []
            return
        self._ids.append(rows["result_id"].hash().to_numpy())
        meeting = rows.select("meeting", "row_number").drop_nulls("meeting")
        self._meetings.append(meeting["meeting"].to_numpy())
        self._places.append(meeting["row_number"].to_numpy())

    def is_unique(self) -> bool:
        """Tell whether no two results have the same content."""
        return self._rows <= self.ROWS and not len(_repeated(self._ids))

    def meeting_rows(self) -> list[int] | None:
        """Return the rows whose results may supersede or contradict each other; None when only a query can tell."""
        if self._rows > self.ROWS:
            return None
        shared = _repeated(self._meetings)
        if not len(shared):
            return []
        parts = zip(self._meetings, self._places, strict=True)
        return [int(row) for numbers, rows in parts for row in rows[np.isin(numbers, shared)]]


def _repeated(parts: list[Numbers]) -> Numbers:
    """Return the numbers that stand more than once, each once."""
    if not parts:
        return np.empty(0, np.uint64)
    numbers = np.concatenate(parts)
    numbers.sort()
    return np.unique(numbers[1:][numbers[1:] == numbers[:-1]])
