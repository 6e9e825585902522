"""A sheet of text cells, the tables on it, and what each of their rows is.

Rows are counted from 1, as on the sheet; places are columns of the grid from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from etl.readers.base import Decision
from etl.readers.evidence import structure
from etl.readers.head import VALUE
from etl.readers.records import Role


@dataclass(frozen=True)
class Merge:
    """Cells that were merged, from the first to the last place, and down to a row; the label is in the first."""

    row: int
    first: int
    last: int
    bottom: int


@dataclass(frozen=True)
class Region:
    """One table: its rows on the sheet, ends included, and its columns. header_row is 0 without a header."""

    first_row: int
    header_row: int
    body_row: int
    last_row: int
    places: tuple[int, ...]
    columns: tuple[str, ...]
    footer_row: int = 0
    told: tuple[Decision, ...] = ()  # why rows below the first one of names are header too


class Grid:
    """A sheet of text cells. merges is None if the format does not tell which cells are merged."""

    def __init__(self, frame: pl.DataFrame, merges: Sequence[Merge] | None = None) -> None:
        self.frame = frame
        self._merges = None if merges is None else {(merge.row, merge.first): merge for merge in merges}

    @cached_property
    def is_filled(self) -> npt.NDArray[np.bool_]:
        """Which cells say anything: rows by places."""
        filled: npt.NDArray[np.bool_] = (
            self.frame.select((pl.all().str.strip_chars() != "").fill_null(value=False)).to_numpy()
            if self.frame.width
            else np.zeros((0, 0), np.bool_)
        )
        return filled

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many cells of each row say anything."""
        counts: npt.NDArray[np.int64] = self.is_filled.sum(axis=1, dtype=np.int64)
        return counts

    def filled(self, row: int) -> dict[int, str]:
        """Return the filled cells of a row by place, trimmed."""
        if not 1 <= row <= self.frame.height:
            return {}
        return {
            place: cell.strip() for place, cell in enumerate(self.frame.row(row - 1)) if cell and cell.strip()
        }

    def rows(self, first: int, last: int, limit: int) -> list[int]:
        """Return up to `limit` rows from first to last that are not blank."""
        return [int(row) + first for row in np.flatnonzero(self.counts[first - 1 : last])[:limit]]

    def spans(self, row: int, end: int) -> dict[int, int]:
        """Return the last place that each filled cell of a row stands for, up to `end`.

        Merged cells tell; where the format is silent, a label stands for the blank cells on its right.
        """
        places = list(self.filled(row))
        if self._merges is not None:
            found = {place: self._merges.get((row, place)) for place in places}
            return {place: merge.last if merge else place for place, merge in found.items()}
        ends = [place - 1 for place in places[1:]] + [end]
        return dict(zip(places, ends, strict=True))

    def bottom(self, row: int) -> int:
        """Return the lowest row that a label of a row was merged down to."""
        merges = (self._merges or {}).get
        return max(
            (merge.bottom for place in self.filled(row) if (merge := merges((row, place)))), default=row
        )

    def tops(self, region: Region) -> dict[int, npt.NDArray[np.int64]]:
        """Return, by place, the row of the cell that stands in each row of the sheet: merged ones reach down."""
        reaching = [merge for merge in (self._merges or {}).values() if merge.bottom > merge.row]
        within = [merge for merge in reaching if region.body_row <= merge.row <= region.last_row]
        found = {
            place: np.arange(1, self.frame.height + 1, dtype=np.int64)
            for place in {merge.first for merge in within}.intersection(region.places)
        }
        for merge in within:
            if merge.first in found:
                found[merge.first][merge.row : min(merge.bottom, region.last_row)] = merge.row
        return found

    def is_covered(self, region: Region) -> npt.NDArray[np.bool_]:
        """Tell the rows of the sheet into which a cell reaches from above: they are records as its own is."""
        own = np.arange(1, self.frame.height + 1, dtype=np.int64)
        covered = np.zeros(self.frame.height, np.bool_)
        for rows in self.tops(region).values():
            covered |= rows < own
        return covered

    @property
    def knows_merges(self) -> bool:
        """The format tells which cells are merged."""
        return self._merges is not None


def roles(grid: Grid, region: Region) -> npt.NDArray[np.uint8]:
    """Return what each row of a region is, from its first row to its last."""
    result = np.zeros(region.last_row - region.first_row + 1, np.uint8)
    body = region.body_row - region.first_row
    cells = grid.frame[region.body_row - 1 : region.last_row].select(
        pl.col(grid.frame.columns[place]).str.strip_chars().fill_null("") for place in region.places
    )
    covered = grid.is_covered(region)[region.body_row - 1 : region.last_row]
    result[body:][_is_total(cells) & ~covered] = Role.TOTAL
    for row in range(region.header_row, region.body_row if region.header_row else 0):
        result[body:][_is_repeated(cells, grid.filled(row))] = Role.REPEATED_HEADER
    if region.footer_row:
        result[region.footer_row - region.first_row :] = Role.FOOTER
    result[:body] = Role.PREAMBLE
    if region.header_row:
        result[region.header_row - region.first_row : body] = Role.HEADER
    result[grid.counts[region.first_row - 1 : region.last_row] == 0] = Role.BLANK
    return result


def _is_repeated(cells: pl.DataFrame, header: dict[int, str]) -> npt.NDArray[np.bool_]:
    """Tell rows that say what a row of the header says."""
    if not header or any(VALUE.fullmatch(name) for name in header.values()):
        return np.zeros(cells.height, np.bool_)
    is_same = pl.all_horizontal(pl.col(name) == header.get(int(name), "") for name in cells.columns)
    flags: npt.NDArray[np.bool_] = cells.select(is_same).to_series().to_numpy()
    return flags


def _is_total(cells: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell rows with totals: a word for it in the first filled cell, and half of the cells empty."""
    first = pl.coalesce(pl.when(pl.col(name) != "").then(pl.col(name)) for name in cells.columns)
    word = first.str.extract(r"^([^:：0-9]*)").str.strip_chars().str.to_lowercase()
    is_sparse = 2 * pl.sum_horizontal(pl.all() != "") <= cells.width
    total = word.is_in(list(structure()["total"]["words"])).fill_null(value=False) & is_sparse
    flags: npt.NDArray[np.bool_] = cells.select(total).to_series().to_numpy()
    return flags
