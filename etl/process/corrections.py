"""Corrected copies: which candidate takes the place of which held record.

The record that a row corrects is no part of the row's content, so a corrected copy and a later clean export of the
same result are one result.
"""

from __future__ import annotations

import polars as pl

from etl.process.candidates import Processed
from etl.process.roles import text
from etl.readers.base import ROW

CORRECTS = "corrects"
TABLE = "quarantine.correction"


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
