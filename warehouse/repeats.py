"""What a file's results tell of each other without a query: which may repeat, or meet, one that came before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


class Seen:
    """Remember numbers of 64 bits in memory that does not grow (a Bloom filter whose probes share one word).

    A number that came before is always known again. Of those that did not, one in 400 is taken for known while 8 million
    come, and one in 90 of up to 16 million; of more, 16 MB become 32 or 64. Beyond 67 million it suspects more.
    """

    def __init__(self, expected: int, least: int = 1 << 27, most: int = 1 << 29) -> None:
        bits = min(max(least, 1 << max(8 * expected - 1, 0).bit_length()), most)
        self._words = np.zeros(bits // 64, np.uint64)  # pages that no number falls on are never there

    def again(self, values: Numbers) -> Flags:
        """Tell which of some numbers may have come before this call, and remember all."""
        place = (values & np.uint64(len(self._words) - 1)).astype(np.int64)
        bits = _bit(values, 40) | _bit(values, 46) | _bit(values, 52)
        words = self._words[place]
        known: Flags = (words & bits) == bits
        words |= bits
        self._words[place] = words
        # Of numbers that share a word only the last one was written.
        lost = (self._words[place] & bits) != bits
        np.bitwise_or.at(self._words, place[lost], bits[lost])
        return known


def _bit(values: Numbers, shift: int) -> Numbers:
    """Return a word with one bit set, chosen by six bits of each number."""
    return np.uint64(1) << ((values >> np.uint64(shift)) & np.uint64(63))


class Repeats:
    """Divide a file's results into those that are surely new and those that have to be compared.

    A wrong suspicion only costs a comparison; results that meet always have equal numbers.
    """

    MOST = 1_000_000  # meetings beyond this are found by a query

    def __init__(self, expected: int) -> None:
        self._meetings = Seen(expected)
        self._rows: list[pl.Series] = []

    def divide(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows that meet no earlier one, and those that may repeat one.

        rows: meeting (a number that results share which meet or are equal), is_first (of the frame with it), row_number.
        """
        known = self._meetings.again(rows["meeting"].to_numpy())
        known |= ~rows["is_first"].to_numpy()
        rows = rows.drop("meeting", "is_first")
        if not known.any():
            return rows, rows.clear()
        again = pl.Series(known)
        doubtful = rows.filter(again)
        self._rows.append(doubtful["row_number"])
        return rows.filter(~again), doubtful

    def meeting_rows(self) -> pl.Series | None:
        """Return the rows that may meet an earlier result of the file; None when only a query can tell."""
        if not self._rows:
            return pl.Series([], dtype=pl.Int64)
        return None if sum(map(len, self._rows)) > self.MOST else pl.concat(self._rows)
