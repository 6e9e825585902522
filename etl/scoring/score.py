"""Responses to scores: totals, subscales and components, with what each rests on."""

from __future__ import annotations

import polars as pl

from etl.scoring.forms import Form
from etl.scoring.rules import missing_expr
from etl.scoring.wide import ID, SUBJECT, forms_in, spread
from schemas.instruments import Scale

SCORE_SCHEMA = {
    ID: pl.String,
    SUBJECT: pl.String,
    "instrument": pl.String,
    "version": pl.String,
    "scale": pl.String,
    "value": pl.Float64,
    "value_reported": pl.Float64,
    "basis": pl.String,
    "score_status": pl.String,
}


def score(responses: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of core.score, one row an administration and scale.

    responses: administration_id, subject_id, instrument, version (may be null), item, value, absent_reason; a reported
    total or component is a row whose item is the scale's id. A score comes from the items where there are any; the
    reported number stands beside it and never replaces it. score_status: complete; prorated; incomplete (too few
    answers, value null); invalid (an answer outside its range, two answers to one item, more sleep than time in bed;
    value null); unverified (the rule was not read in a source, or the version is unresolved); not_applicable.
    Rows come in no particular order.
    """
    parts = [_score_form(form, rows) for form, rows in forms_in(responses)]
    id_type = {ID: responses.schema[ID], SUBJECT: responses.schema[SUBJECT]}
    empty = pl.DataFrame(schema={**SCORE_SCHEMA, **id_type})
    return pl.concat([empty, *parts])


def reported_scores(form: Form, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the totals and components that a file states; two different ones for one scale leave it null."""
    value = pl.col("value").cast(pl.Float64)
    return (
        rows.filter(pl.col("item").is_in([scale.id for scale in form.scales]), pl.col("value").is_not_null())
        .group_by(ID, pl.col("item").alias("scale"))
        .agg(
            pl.col(SUBJECT).first(),
            pl.when(value.n_unique() == 1).then(value.first()).alias("value_reported"),
        )
    )


def _score_form(form: Form, rows: pl.DataFrame) -> pl.DataFrame:
    wide = spread(form, rows)
    reported = reported_scores(form, rows)
    computed = pl.concat(_score_scale(form, scale, wide) for scale in form.scales)
    if reported.is_empty():
        return _finish(form, computed.with_columns(value_reported=pl.lit(None, pl.Float64)))
    scores = computed.join(reported.drop(SUBJECT), on=[ID, "scale"], how="left")
    alone = reported.join(wide, on=ID, how="anti").with_columns(
        value=pl.lit(None, pl.Float64), score_status=pl.lit("incomplete"), has_items=False
    )
    return _finish(form, pl.concat([scores, alone.select(scores.columns)]))


def _score_scale(form: Form, scale: Scale, wide: pl.DataFrame) -> pl.DataFrame:
    value = pl.col(scale.id)
    is_open = scale.id in form.open_scales
    items = list(form.version.items_of(scale.id))
    return wide.select(
        ID,
        SUBJECT,
        pl.lit(scale.id).alias("scale"),
        (pl.lit(None, pl.Float64) if is_open else pl.when(value.is_finite()).then(value)).alias("value"),
        _status(form, scale).alias("score_status"),
        pl.any_horizontal(pl.col(items).is_not_null()).alias("has_items"),
    )


def _status(form: Form, scale: Scale) -> pl.Expr:
    value = pl.col(scale.id)
    is_prorated = (missing_expr(scale) > 0) & pl.lit(scale.rule == "mean_prorate")
    if scale.rule == "none":
        return pl.lit("not_applicable")
    if scale.id in form.open_scales:
        return pl.lit("unverified")
    return (
        pl.when(value.is_null())
        .then(pl.lit("incomplete"))
        .when(~value.is_finite())
        .then(pl.lit("invalid"))
        .when(pl.lit(not scale.is_verified) | (is_prorated & pl.lit(not scale.is_missing_verified)))
        .then(pl.lit("unverified"))
        .when(is_prorated)
        .then(pl.lit("prorated"))
        .otherwise(pl.lit("complete"))
    )


def _finish(form: Form, scores: pl.DataFrame) -> pl.DataFrame:
    """Let a reported score stand where no item of its scale was answered."""
    is_alone = ~pl.col("has_items") & pl.col("value_reported").is_not_null()
    return scores.select(
        ID,
        SUBJECT,
        pl.lit(form.instrument.id).alias("instrument"),
        pl.lit(form.version_id, pl.String).alias("version"),
        "scale",
        pl.when(is_alone)
        .then(pl.when(_is_possible(form)).then("value_reported"))
        .otherwise("value")
        .alias("value"),
        "value_reported",
        pl.when(is_alone).then(pl.lit("reported_only")).otherwise(pl.lit("items")).alias("basis"),
        pl.when(is_alone).then(_reported_status(form)).otherwise("score_status").alias("score_status"),
    )


def _is_possible(form: Form) -> pl.Expr:
    """Tell whether a reported number lies within its scale, and the scale has a score at all."""
    ranges = {s.id: (s.low, s.high) for s in form.scales if s.low is not None}
    low = pl.col("scale").replace_strict(
        {k: low for k, (low, _) in ranges.items()}, default=None, return_dtype=pl.Float64
    )
    high = pl.col("scale").replace_strict(
        {k: up for k, (_, up) in ranges.items()}, default=None, return_dtype=pl.Float64
    )
    return pl.col("value_reported").is_between(low, high).fill_null(value=False)


def _reported_status(form: Form) -> pl.Expr:
    unverified = [s.id for s in form.scales if not s.is_verified or form.is_total_open]
    without = [s.id for s in form.scales if s.rule == "none"]
    return (
        pl.when(pl.col("scale").is_in(without))
        .then(pl.lit("not_applicable"))
        .when(~_is_possible(form))
        .then(pl.lit("invalid"))
        .when(pl.col("scale").is_in(unverified))
        .then(pl.lit("unverified"))
        .otherwise(pl.lit("complete"))
    )
