"""What process() hands on: rows for the core tables, held candidates, and counts for the names out of scope."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from etl.readers.base import LOCATOR, ROW
from schemas.reasons import REASONS

HELD_SCHEMA = {
    "record_id": pl.String,
    ROW: pl.Int64,
    LOCATOR: pl.String,
    "stage": pl.String,
    "reasons": pl.List(pl.String),
    "measure": pl.String,
    "comparable": pl.Boolean,
    "raw": pl.Binary,
}

# Reasons that keep a record from being compared with others: there is no content, or no one whose content it is.
INCOMPARABLE = {name for name, reason in REASONS.items() if reason.stage in {"structural", "mapping"}}


@dataclass
class Processed:
    """The candidates of one batch. rows: core table -> frame in the order that it was read.

    results: core.lab_row with `meeting` and `is_first` (see etl.process.lab_ids.with_meeting), where
    `context` is a line number of contexts (core.lab_context), which only ever grows, and `subject` one of subjects,
    which holds those that no earlier batch had (subject, subject_id). scoped: results that are still to be judged.
    """

    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    results: pl.DataFrame | None = None
    contexts: pl.DataFrame | None = None
    subjects: pl.DataFrame | None = None
    scoped: pl.DataFrame | None = None
    held: list[pl.DataFrame] = field(default_factory=list)
    out_of_scope: Counter[str] = field(default_factory=Counter)
    read: int = 0
    withdrawn: int = 0
    attributes: int = 0
    attributes_held: int = 0
    attributes_repeated: int = 0


def stage_of(reasons: pl.Expr) -> pl.Expr:
    """Return the stage of the first reason of a list."""
    stages = {name: reason.stage for name, reason in REASONS.items()}
    return reasons.list.first().replace_strict(stages, default="value", return_dtype=pl.String)


def held_rows(frame: pl.DataFrame, originals: list[str]) -> pl.DataFrame:
    """Shape held candidates: needs record_id, row_number, locator, reasons, measure and the mapped originals.

    The original is kept as JSON of the mapped fields, to be sealed; unmapped fields are never kept.
    """
    raw = pl.struct(originals).struct.json_encode().cast(pl.Binary) if originals else pl.lit(b"{}")
    return frame.select(
        "record_id",
        ROW,
        LOCATOR,
        stage_of(pl.col("reasons")).alias("stage"),
        "reasons",
        "measure",
        (~pl.col("reasons").list.first().is_in(list(INCOMPARABLE))).alias("comparable"),
        raw.alias("raw"),
    ).cast(HELD_SCHEMA)  # type: ignore[arg-type]
