"""From a frame to a design: complete cases, numbers, indicators of categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.associate.model import CASE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """A model's data: y (1 case, 0 control), x without an intercept, the matched set of each row.

    constants lists terms left out because they do not vary; references the level that an indicator is against.
    """

    names: tuple[str, ...]
    x: Floats
    y: Floats
    sets: NDArray[np.int64]
    left_out: int
    constants: tuple[str, ...]
    references: Mapping[str, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Rows in the model."""
        return len(self.y)

    @property
    def n_case(self) -> int:
        """Cases in the model."""
        return int(self.y.sum())

    def column(self, name: str) -> Floats:
        """Return one term."""
        return self.x[:, self.names.index(name)]


def make_design(subjects: pl.DataFrame, terms: Sequence[str], set_column: str | None = None) -> Design:
    """Take the rows complete in all terms; text becomes one indicator a level, the commonest level being reference."""
    needed = [*terms, *([set_column] if set_column else [])]
    frame = subjects.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None)).drop_nulls(needed)
    columns: dict[str, Floats] = {}
    references: dict[str, str] = {}
    for term in terms:
        series = frame[term]
        if series.dtype.is_numeric() or series.dtype == pl.Boolean:
            columns[term] = series.cast(pl.Float64).to_numpy()
        else:
            found, reference = _indicators(series.cast(pl.String), term)
            columns |= found
            references |= dict.fromkeys(found, reference)
    x = np.column_stack(list(columns.values())) if columns else np.empty((len(frame), 0))
    y = (frame["cohort_group"] == CASE).cast(pl.Float64).to_numpy()
    sets = (
        frame[set_column].rank("dense").cast(pl.Int64).to_numpy()
        if set_column
        else np.zeros(len(frame), np.int64)
    )
    left_out = len(subjects) - len(frame)
    whole = Design(tuple(columns), np.asarray(x, dtype=np.float64), y, sets, left_out, (), references)
    return _take(whole, np.ones(len(frame), dtype=bool))


def informative_sets(design: Design) -> tuple[Design, int]:
    """Keep the matched sets that still hold a case and a control; return also how many sets were left out."""
    present, index = np.unique(design.sets, return_inverse=True)
    members, cases = np.bincount(index), np.bincount(index, design.y)
    is_complete = (cases > 0) & (cases < members)
    return _take(design, is_complete[index]), len(present) - int(is_complete.sum())


def _take(design: Design, rows: NDArray[np.bool_]) -> Design:
    """Keep some rows, and the terms that vary in them."""
    x = design.x[rows]
    varies = np.ptp(x, axis=0) > 0 if len(x) else np.zeros(x.shape[1], dtype=bool)
    names = tuple(n for n, v in zip(design.names, varies, strict=True) if v)
    constants = tuple(n for n, v in zip(design.names, varies, strict=True) if not v)
    left_out = design.left_out + int((~rows).sum())
    return replace(
        design,
        names=names,
        x=x[:, varies],
        y=design.y[rows],
        sets=design.sets[rows],
        left_out=left_out,
        constants=(*design.constants, *constants),
    )


def _indicators(series: pl.Series, term: str) -> tuple[dict[str, Floats], str]:
    """Return an indicator of each level but the commonest, and that level."""
    levels = series.value_counts().sort("count", series.name, descending=[True, False])[series.name].to_list()
    found = {f"{term}: {level}": (series == level).cast(pl.Float64).to_numpy() for level in levels[1:]}
    return found, levels[0] if levels else ""
