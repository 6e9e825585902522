"""One row an administration, one column an item, one a scale: what rules and checks are written over."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from etl.scoring.forms import Form, form_of
from etl.scoring.rules import INVALID, score_expr
from schemas.instruments import Item

ID = "administration_id"
SUBJECT = "subject_id"
_ANSWERED = "answered"


def forms_in(responses: pl.DataFrame) -> Iterator[tuple[Form, pl.DataFrame]]:
    """Yield every form of a frame of responses with its rows. Raises DefinitionError for one that is not defined."""
    responses = responses.with_columns(pl.col("version").cast(pl.String))
    pairs = responses.select("instrument", "version").unique().sort("instrument", "version", nulls_last=True)
    for instrument, version in pairs.iter_rows():
        is_form = (pl.col("instrument") == instrument) & pl.col("version").eq_missing(
            pl.lit(version, pl.String)
        )
        yield form_of(instrument, version), responses if pairs.height == 1 else responses.filter(is_form)


def spread(form: Form, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the wide frame with every item and scale of a form as Float64; null: missing, infinite: invalid."""
    answers = rows.filter(pl.col("item").is_in(list(form.version.items)))
    wide = _pivot(form, answers)
    cells = pl.sum_horizontal(pl.col(list(form.version.items)).is_not_null())
    if wide.select((cells != pl.col(_ANSWERED)).any()).item():
        wide = _pivot(form, _with_conflicts(answers))
    wide = wide.drop(_ANSWERED).with_columns(_checked(item) for item in form.version.items.values())
    for scale in form.version.scales.values():
        wide = wide.with_columns(score_expr(scale, form.version).cast(pl.Float64).alias(scale.id))
    return wide


def _pivot(form: Form, answers: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    """Spread the items. Groups by a hash of the id, ten times as fast as by its text; a collision is seen and redone."""
    names = list(form.version.items)
    wide = (
        answers.lazy()
        .select(
            pl.col(ID).hash(seed).alias("_key"),
            pl.col(ID).hash(seed + 1).alias("_proof"),
            pl.int_range(pl.len(), dtype=pl.UInt32).alias("_row"),
            pl.col("item").cast(pl.Enum(names)).to_physical(),
            _value(form).alias("value"),
        )
        .group_by("_key")
        .agg(
            pl.col(
                "_row"
            ).min(),  # first() would make polars keep the groups in order, at four times the cost
            (pl.col("_proof").min() != pl.col("_proof").max()).alias("_collides"),
            pl.col("value").count().alias(_ANSWERED),
            *(pl.when(pl.col("item") == at).then("value").max().alias(name) for at, name in enumerate(names)),
        )
        .collect()
    )
    if wide["_collides"].any():
        return _pivot(form, answers, seed + 2)
    return answers.select(pl.col(ID, SUBJECT).gather(wide["_row"])).hstack(
        wide.drop("_key", "_row", "_collides")
    )


def _value(form: Form) -> pl.Expr:
    """Take answers to open questions away, and let an absent text count as no text."""
    value = pl.col("value").cast(pl.Float64)
    texts = [i.id for i in form.version.items.values() if i.kind == "text"]
    if texts:
        value = pl.when(pl.col("item").is_in(texts)).then(value.fill_null(0.0)).otherwise(value)
    if form.open_items:
        value = pl.when(~pl.col("item").is_in(list(form.open_items))).then(value)
    return value


def _with_conflicts(answers: pl.DataFrame) -> pl.DataFrame:
    """Mark an item answered twice, differently, as invalid; keep one of equal answers."""
    value = pl.col("value")
    return answers.group_by(ID, SUBJECT, "item").agg(
        pl.when(value.drop_nulls().n_unique() > 1).then(INVALID).otherwise(value.max()).alias("value")
    )


def _checked(item: Item) -> pl.Expr:
    """Mark an answer outside the item's range, or between its steps, as invalid."""
    value = pl.col(item.id)
    if item.low is None or item.high is None or item.kind == "text":
        return value
    is_valid = value.is_between(item.low, item.high)
    if item.kind in {"answer", "yes_no"}:
        is_valid &= (value / item.step) % 1 == 0
    return pl.when(value.is_null() | is_valid).then(value).otherwise(INVALID).alias(item.id)
