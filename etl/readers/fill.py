"""Columns in which a blank cell stands for the one above it, as the mapping declares: a patient's number written once.

No blank cell is filled by itself: only the site knows whether a number was left out or was never there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from etl.readers.base import ROW, Batch, Range, Reader, Source, Table, shared_row
from etl.readers.wrapped import WrappedReader

_NONE = -1  # no row


class FillDown:
    """Fill the cells of consecutive batches. What stands above a damaged record, a total or a header goes no further."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._above: dict[
            str, tuple[str | None, int]
        ] = {}  # by column: the last cell that says anything, its row
        self._broken = _NONE  # row of the last line beyond which nothing is filled

    def fill(self, batch: Batch) -> Batch:
        """Return a batch with its cells filled, and the row of each cell."""
        if not self._columns:
            return batch
        breaks = np.unique([self._broken, *batch.damaged[ROW], *batch.breaks])
        frame = batch.frame
        if frame.height:
            before = breaks[np.searchsorted(breaks, frame[ROW].to_numpy()) - 1]
            wanted = [column for column in self._columns if column in frame.columns]
            frame = frame.with_columns(
                each for column in wanted for each in self._filled(frame, column, pl.Series(before))
            )
        self._broken = int(breaks[-1])
        return Batch(frame, batch.damaged, batch.breaks)

    def _filled(self, frame: pl.DataFrame, column: str, broken: pl.Series) -> tuple[pl.Series, pl.Series]:
        text, row = self._above.get(column, (None, _NONE))
        says = pl.col(column).str.strip_chars() != ""
        said = frame.select(
            pl.when(says).then(column).forward_fill().fill_null(pl.lit(text, pl.String)).alias(column),
            pl.when(says).then(ROW).forward_fill().fill_null(row).alias("row"),
        )
        self._above[column] = (said[column][-1], said["row"][-1])
        is_near = said["row"] > broken
        found = said.select(
            pl.when(is_near).then(column).alias(column),
            pl.when(is_near).then("row").otherwise(frame[ROW]).alias(shared_row(column)),
        )
        return found[column], found[shared_row(column)]


class FillingReader(WrappedReader):
    """A reader whose records are filled as their table says; its ranges have to be read in order."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._fill = FillDown(())

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read as the reader does, and fill."""
        if part == table.ranges[0]:
            self._fill = FillDown(table.filled)
        yield from map(self._fill.fill, super().read(source, table, part, columns))
