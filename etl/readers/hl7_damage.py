"""Which HL7 segments are records, whose they are, and why one cannot be read."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

NOBODY = -1
_VALUE_FIELD, _CODE_FIELD, _STATUS_FIELD = 5, 4, 11  # OBX-5, OBR-4, OBX-11
_RESULTS = ["OBX", "broken"]


def with_reasons(segments: pl.DataFrame, undecodable: Iterable[int], *, is_cut: bool) -> pl.DataFrame:
    """Add pid_line, obr_line, is_record, number and reason to segments (see hl7_lines).

    pid_line, obr_line: the PID and OBR in force, -1 for none. number: of an OBX or OBR within its message. reason: why
    a record is damaged. is_cut: the source ends within the last line.
    """
    frame = _with_records(_with_context(segments))
    lines = frame.filter(pl.col("name") != "blank")["line"]
    places = np.searchsorted(lines.to_numpy(), np.fromiter(undecodable, np.int64), side="right") - 1
    bad = lines.gather(places[places >= 0]).implode()
    last = lines[-1] if is_cut and len(lines) else NOBODY
    return frame.with_columns(pl.when("is_record").then(_reason(bad, last)).alias("reason"))


def _with_context(segments: pl.DataFrame) -> pl.DataFrame:
    line, name = pl.col("line").cast(pl.Int64), pl.col("name")
    starts_anew = pl.col("opens") | pl.col("loses_patient")
    subject = pl.when(name == "PID").then(line).when(starts_anew).then(NOBODY)
    order = pl.when(name == "OBR").then(line).when(starts_anew | (name == "PID")).then(NOBODY)
    return segments.with_columns(
        subject.forward_fill().fill_null(NOBODY).alias("pid_line"),
        order.forward_fill().fill_null(NOBODY).alias("obr_line"),
    )


def _with_records(segments: pl.DataFrame) -> pl.DataFrame:
    """Mark as records: results, orders without results, and broken headers of messages without either."""
    name, line = pl.col("name"), pl.col("line").cast(pl.Int64)
    is_result = name.is_in(_RESULTS)
    answered = segments.filter(is_result)["obr_line"].unique().implode()
    is_record = is_result | ((name == "OBR") & ~line.is_in(answered))
    broken_headers = (name == "MSH") & (pl.col("dialect") == "")
    if segments.select(broken_headers.any()).item():
        speaking = segments.filter(is_record)["message"].unique().implode()
        is_record |= broken_headers & ~pl.col("message").is_in(speaking)
    return segments.with_columns(
        is_record.alias("is_record"),
        pl.when(name == "OBR")
        .then((name == "OBR").cum_sum().over("message"))
        .otherwise(is_result.cum_sum().over("message"))
        .alias("number"),
    )


def _reason(undecodable: pl.Series, last: int) -> pl.Expr:
    """Name the first reason that applies; the text above it is `broken_segment` in three ways."""
    name, text, line = pl.col("name"), pl.col("text"), pl.col("line").cast(pl.Int64)
    fields = text.str.count_matches(pl.col("separator"), literal=True)
    is_short = pl.when(name == "OBR").then(fields < _CODE_FIELD).otherwise(fields < _VALUE_FIELD)
    is_cut = (line == last) & (name == "OBX") & (fields < _STATUS_FIELD)
    return (
        pl.when(name == "broken")
        .then(pl.lit("broken_segment"))
        .when(line.is_in(undecodable))
        .then(pl.lit("undecodable_line"))
        .when(text.str.contains("\0", literal=True))
        .then(pl.lit("control_bytes"))
        .when(pl.col("dialect") == "")
        .then(pl.lit("broken_message"))
        .when(pl.col("is_glued") | is_short | is_cut)
        .then(pl.lit("broken_segment"))
        .when(pl.col("pid_line") == NOBODY)
        .then(pl.lit("no_subject"))
    )
