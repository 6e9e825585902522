"""Texts of a record that its OMOP concepts supply, where the cells for them are empty."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from etl.harmonize.codes import map_codes
from etl.harmonize.concepts import Concept, concept_ids
from etl.plan import ResolvedPlan

# What a concept supplies: role of the text, role of the concept, and the text.
SUPPLIED: tuple[tuple[str, str, Callable[[Concept], str | None]], ...] = (
    ("code", "analyte_concept", lambda each: each.code),
    ("unit", "unit_concept", lambda each: each.unit),
    ("value", "value_concept", lambda each: each.name),
)


def with_concepts(frame: pl.DataFrame, plan: ResolvedPlan) -> pl.DataFrame:
    """Fill empty cells from the concepts beside them, and the sex; a cell that says something keeps its text."""
    roles = plan.resolution.roles
    filled = [
        pl.when(_is_blank(roles[role]))
        .then(_said(roles[coded], plan, say))
        .otherwise(roles[role])
        .alias(roles[role])
        for role, coded, say in SUPPLIED
        if role in roles and coded in roles
    ]
    return _with_sex(frame.with_columns(filled), plan)


def _with_sex(frame: pl.DataFrame, plan: ResolvedPlan) -> pl.DataFrame:
    """State the sex by its concept where its own text says none; two that differ are written side by side, and held."""
    column, coded = plan.resolution.attributes.get("sex"), plan.resolution.roles.get("sex_concept")
    if column is None:
        return frame
    if coded is None:
        is_coded = column.casefold().endswith("_concept_id")
        own = pl.coalesce(_said(column, plan, lambda each: each.name), _nothing(column))
        return frame.with_columns(own.alias(column)) if is_coded else frame
    pairs = frame.select(
        pl.col(column).alias("text"), _said(coded, plan, lambda each: each.name).alias("name")
    )
    extra = plan.values.get("sex", {})
    stated = [
        map_codes(pairs[each], "sex", extra, header=column)["value"].alias(f"{each}_sex")
        for each in pairs.columns
    ]
    one, other = pl.col("text_sex"), pl.col("name_sex")
    sexes = pairs.with_columns(stated).select(
        pl.when(one.is_null() & other.is_not_null())
        .then("name")
        .when((one != other).fill_null(value=False))
        .then(pl.concat_str("text", "name", separator=" / "))
        .otherwise("text")
        .alias(column)
    )
    return frame.with_columns(sexes[column])


def _is_blank(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().fill_null("") == ""


def _said(column: str, plan: ResolvedPlan, say: Callable[[Concept], str | None]) -> pl.Expr:
    """Return the text of each id's concept; null for an id without one."""
    texts = {key: text for key, concept in plan.concepts.items() if (text := say(concept))}
    return concept_ids(pl.col(column)).replace_strict(texts, default=None, return_dtype=pl.String)


def _nothing(column: str) -> pl.Expr:
    """Return an id that has no concept as it is, so that it is held; 0, which says that there is none, is null."""
    ids = concept_ids(pl.col(column))
    return pl.when(ids.is_not_null()).then(column)
