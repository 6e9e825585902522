"""Corrected copies: which candidate takes the place of which held record.

The record that a row corrects is no part of the row's content, so a corrected copy and a later clean export of the
same result are one result.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from etl.plan import ResolvedPlan
from etl.process.candidates import Processed
from etl.process.roles import text
from etl.readers.base import ROW

CORRECTS = "corrects"
TABLE = "quarantine.correction"
# What a row of results, answers or histories is of; without any of these, a row corrects what it says of its subject.
_OF_RESULTS = ("analyte", "code", "value", "value_number", "instrument", "item", "condition_text", "condition_code",
               "condition_term", "medication_text", "medication_code", "medication_term")  # fmt: skip


def divided(records: pl.DataFrame, plan: ResolvedPlan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows of a corrected copy that are results, and all its rows, of which those name no held record."""
    resolution = plan.resolution
    corrects = resolution.roles.get(CORRECTS)
    if corrects is None or resolution.shape in {"subjects", "crosswalk"}:
        return records, records
    results = [resolution.roles[role] for role in _OF_RESULTS if role in resolution.roles]
    results += [measure.column for measure in resolution.measures]
    is_statement = _says(resolution.attributes.values()) & ~_says(results)
    every = records.with_columns(pl.when(is_statement).then(corrects).alias(corrects))
    return records.filter(~is_statement), every


def _says(columns: Iterable[str]) -> pl.Expr:
    """Tell the records in which any of some columns says anything."""
    said = ((pl.col(name).str.strip_chars() != "").fill_null(value=False) for name in columns)
    return pl.any_horizontal(pl.lit(value=False), *said)


def note_corrections(frame: pl.DataFrame, record_id: str, done: Processed) -> None:
    """Add the links of candidates that name a held record; a name that is no record id is kept as null."""
    if text(CORRECTS) not in frame.columns:
        return
    named = pl.col(text(CORRECTS)).str.strip_chars()
    plain = named.str.to_lowercase().str.replace_all("-", "", literal=True)
    links = frame.filter(named.fill_null("") != "").select(
        pl.col(record_id).alias("record_id"),
        pl.when(plain.str.contains(r"^[0-9a-f]{32}$")).then(plain).alias("corrects"),
        ROW,
    )
    if links.height:
        known = [done.rows[TABLE]] if TABLE in done.rows else []
        done.rows[TABLE] = pl.concat([*known, links])
