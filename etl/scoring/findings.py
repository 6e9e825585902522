"""What cannot be right within one administration: a stated total against its items, and answers against each other."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from etl.scoring.forms import Form
from etl.scoring.wide import ID, SUBJECT, forms_in, spread
from schemas.instruments import Check

_TOLERANCE = 0.005  # a stated prorated total may be cut to two decimals
_DISAGREES = "reported_score_disagrees"
_AMBIGUOUS = "reported_score_ambiguous"
FINDING_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "check_id": pl.String(),
    ID: pl.String(),
    SUBJECT: pl.String(),
    "instrument": pl.String(),
    "version": pl.String(),
    "scale": pl.String(),
    "value": pl.Float64(),
    "value_reported": pl.Float64(),
    "items": pl.List(pl.String()),
    "origin": pl.List(pl.String()),
    "sentence": pl.String(),
    "advice": pl.String(),
}


def score_findings(scores: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """Return one row a conflict: check_id, administration, scale, both numbers, the items, and where they stand.

    scores: from score(responses). origin: the places of the numbers concerned, as file_id:locator where the responses
    carry these columns, else the items' ids. A finding moves nothing.
    """
    found = [_disagreements(scores, responses)]
    for form, rows in forms_in(responses):
        found.append(_ambiguities(form, rows))
        if form.version.checks:
            wide = spread(form, rows)
            found.extend(_conflicts(form, check, wide) for check in form.version.checks)
    findings = pl.concat(
        [part.select(_drafted(part)) for part in found if part.height] or [_empty(responses)]
    )
    return _with_origin(findings, responses).select(list(FINDING_SCHEMA))


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("form_findings.toml").read_text("utf-8"))


def _empty(responses: pl.DataFrame) -> pl.DataFrame:
    kept = {name: kind for name, kind in FINDING_SCHEMA.items() if name != "origin"}
    return pl.DataFrame(schema={**kept, ID: responses.schema[ID], SUBJECT: responses.schema[SUBJECT]})


def _drafted(part: pl.DataFrame) -> list[pl.Expr]:
    return [
        pl.col(name) if name in part.columns else pl.lit(None, kind).alias(name)
        for name, kind in FINDING_SCHEMA.items()
        if name != "origin"
    ]


def _disagreements(scores: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """Compare what a file states with what its items give."""
    differs = (pl.col("value") - pl.col("value_reported")).abs() > _TOLERANCE
    wrong = scores.filter(pl.col("basis") == "items", differs)
    items = {
        (form.instrument.id, form.version_id, scale.id): [scale.id, *form.version.items_of(scale.id)]
        for form, _ in forms_in(responses.filter(pl.col(ID).is_in(wrong[ID].implode())))
        for scale in form.scales
    }
    keys = zip(wrong["instrument"], wrong["version"], wrong["scale"], strict=True)
    return wrong.with_columns(
        check_id=pl.lit(_DISAGREES),
        items=pl.Series([items.get(key, [key[2]]) for key in keys], dtype=pl.List(pl.String)),
        sentence=pl.lit(_texts()[_DISAGREES]["sentence"]),
        advice=pl.lit(_texts()[_DISAGREES]["advice"]),
    )


def _ambiguities(form: Form, rows: pl.DataFrame) -> pl.DataFrame:
    """Find scales for which one administration states two different numbers."""
    stated = rows.filter(
        pl.col("item").is_in([scale.id for scale in form.scales]), pl.col("value").is_not_null()
    )
    return (
        stated.group_by(ID, pl.col("item").alias("scale"))
        .agg(pl.col(SUBJECT).first(), pl.col("value").n_unique().alias("stated"))
        .filter(pl.col("stated") > 1)
        .with_columns(
            check_id=pl.lit(_AMBIGUOUS),
            instrument=pl.lit(form.instrument.id),
            version=pl.lit(form.version_id, pl.String),
            items=pl.concat_list("scale"),
            sentence=pl.lit(_texts()[_AMBIGUOUS]["sentence"]),
            advice=pl.lit(_texts()[_AMBIGUOUS]["advice"]),
        )
    )


def _conflicts(form: Form, check: Check, wide: pl.DataFrame) -> pl.DataFrame:
    items = [*_items_of(form, check.term), *(i for other in check.others for i in _items_of(form, other))]
    if form.open_items & set(items):
        return wide.clear().select(ID, SUBJECT)
    return wide.filter(_is_conflict(form, check)).select(
        ID,
        SUBJECT,
        pl.lit(check.id).alias("check_id"),
        pl.lit(form.instrument.id).alias("instrument"),
        pl.lit(form.version_id, pl.String).alias("version"),
        pl.lit(check.term if check.term in form.version.scales else None, pl.String).alias("scale"),
        pl.lit(pl.Series([items])).first().alias("items"),
        pl.lit(check.sentence).alias("sentence"),
        pl.lit(check.advice).alias("advice"),
    )


def _items_of(form: Form, term: str) -> tuple[str, ...]:
    return form.version.items_of(term) if term in form.version.scales else (term,)


def _is_conflict(form: Form, check: Check) -> pl.Expr:
    term = pl.col(check.term)
    if check.rule == "above":
        return term > check.limit if check.term not in form.version.scales else _exceeds(form, check)
    if check.rule == "equals":
        return term == check.limit
    return (term == 0) & pl.any_horizontal((pl.col(o) > 0) & pl.col(o).is_finite() for o in check.others)


def _exceeds(form: Form, check: Check) -> pl.Expr:
    """Tell whether a derived number is above the limit, an impossible one (zero hours in bed) included."""
    answers = [pl.col(item) for item in form.version.items_of(check.term)]
    return (pl.col(check.term) > check.limit) & pl.all_horizontal(a.is_finite() for a in answers)


def _with_origin(findings: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """Name the places of the numbers concerned, in the order of the items."""
    if "locator" not in responses.columns:
        return findings.with_columns(origin=pl.col("items"))
    file = pl.col("file_id") if "file_id" in responses.columns else pl.lit(None, pl.String)
    places = responses.select(
        ID,
        "instrument",
        "item",
        pl.concat_str(file, pl.col("locator"), separator=":", ignore_nulls=True).alias("place"),
    )
    numbered = findings.with_row_index("_finding")
    located = (
        numbered.select("_finding", ID, "instrument", pl.col("items").alias("item"))
        .explode("item")
        .with_row_index("_order")
        .join(places, on=[ID, "instrument", "item"], how="inner")
        .sort("_order", "place")
        .group_by("_finding", maintain_order=True)
        .agg(pl.col("place").alias("origin"))
    )
    return numbered.join(located, on="_finding", how="left", maintain_order="left")
