"""Role frames: the columns of a record under the names of their roles, as text.

A role's text stands in the column `<role>_text`, so that the harmonized value can have the role's own name. Every
role frame has row_number and, unless it is told not to, locator. A record of a wide file becomes one row per non-empty measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from etl.harmonize.dates import join_date_time
from etl.plan import ResolvedPlan
from etl.readers.base import LOCATOR, ROW, Reader, shared_row
from etl.sites.resolution import Measure, Resolution

NUMBER_ATTRIBUTES = ("education_years", "height", "weight")  # of a subject, read as numbers
# The role that dates a measure of each kind, and the roles of the whole file that stand for it.
DATED_BY = {
    "lab": "collected_at",
    "item": "administered_at",
    "condition": "recorded_at",
    "medication": "recorded_at",
}
_STANDING = {"lab": ("collected_at",)}
_STANDING_ELSE = ("administered_at", "collected_at")


def text(role: str) -> str:
    """Return the column that holds a role's text."""
    return f"{role}_text"


def long_frame(
    frame: pl.DataFrame,
    plan: ResolvedPlan,
    reader: Reader,
    roles: Iterable[str],
    cell: str | None = None,
    *,
    is_located: bool = True,
) -> pl.DataFrame:
    """Return the role frame of a long table: one row a record, located at its value or the given column's cell."""
    cell = cell or plan.resolution.roles.get("value", plan.table.columns[0])
    locator = [_locator(frame, plan, reader, cell)] if is_located else []
    return frame.select(*_columns(plan, roles), ROW, *locator)


def wide_frame(
    frame: pl.DataFrame,
    plan: ResolvedPlan,
    reader: Reader,
    roles: Iterable[str],
    measures: Sequence[Measure],
    *,
    is_located: bool = True,
) -> pl.DataFrame | None:
    """Return the role frame of a wide table: one row per record and non-empty measure; None without measures.

    The header stands for the analyte's name, so that two columns of one analyte stay two candidates.
    """
    own = {"value", "analyte", "unit", "specimen", "instrument", "item"}
    dates = dating(plan.resolution, measures[0].kind) if measures else {}
    if dates:
        own.add(DATED_BY[measures[0].kind])
    shared = [role for role in roles if role not in own]
    parts = [
        frame.select(
            *_columns(plan, shared),
            ROW,
            pl.col(measure.column).alias(text("value")),
            *_measured(measure),
            *([_date(measure, dates)] if dates else []),
            *([_locator(frame, plan, reader, measure.column)] if is_located else []),
        )
        for measure in measures
    ]
    if not parts:
        return None
    return cleaned(pl.concat(parts)).filter(pl.col(text("value")).is_not_null())


def dating(resolution: Resolution, kind: str) -> dict[str | None, pl.Expr]:
    """Return what dates the measures of a kind, by the column of a form; None: what dates all others.

    Empty where no form has a date of its own, so that the roles of the file are read as they are.
    """
    measures = [measure for measure in resolution.measures if measure.kind == kind]
    found: dict[str | None, pl.Expr] = {each.dated: pl.col(each.dated) for each in measures if each.dated}
    if found or kind not in {"lab", "item"}:
        roles = _STANDING.get(kind, _STANDING_ELSE)
        known = (role_expression(resolution, role) for role in roles)
        file_s = next((each for each in known if each is not None), None)
        if file_s is not None and not all(each.dated for each in measures):
            found[None] = file_s
    return found


def _date(measure: Measure, dates: dict[str | None, pl.Expr]) -> pl.Expr:
    return dates.get(measure.dated, pl.lit(None, pl.String)).alias(text(DATED_BY[measure.kind]))


def _measured(measure: Measure) -> list[pl.Expr]:
    known = {
        "measure": measure.column,
        "analyte": measure.column if measure.kind == "lab" else None,
        "analyte_id": measure.analyte,
        "unit": measure.unit,
        "specimen": measure.specimen,
        "instrument": measure.instrument,
        "item": measure.item,
    }
    if measure.option is not None:
        known |= {"text": measure.option, "source_id": measure.field}
    stated = {name: pl.lit(value, pl.String) for name, value in known.items()}
    if measure.unit_column is not None:  # in its place: all measures have their columns in one order
        stated["unit"] = pl.col(measure.unit_column)
    return [value.alias(text(name)) for name, value in stated.items()]


def role_expression(resolution: Resolution, role: str) -> pl.Expr | None:
    """Return the text of a role or attribute: its column, its constant, or a date and a clock time joined."""
    roles = resolution.roles
    if role == "collected_at" and role not in roles and "collected_time" in roles:
        day, clock = roles["collected_date"], roles["collected_time"]
        return pl.struct(day, clock).map_batches(
            lambda both: join_date_time(both.struct.field(day), both.struct.field(clock)),
            return_dtype=pl.String,
        )
    if role == "visit" and "visit_repeat" in roles:
        parts = [pl.col(roles[each]) for each in ("visit", "visit_repeat") if each in roles]
        return pl.concat_str(parts, separator=" #", ignore_nulls=True)  # two forms of one visit stay two
    column = roles.get(role) or resolution.attributes.get(role)
    if column is not None:
        return pl.col(column)
    constant = resolution.constants.get(role)
    return None if constant is None else pl.lit(constant)


def _columns(plan: ResolvedPlan, roles: Iterable[str]) -> list[pl.Expr]:
    found = {role: role_expression(plan.resolution, role) for role in roles}
    return [expression.alias(text(role)) for role, expression in found.items() if expression is not None]


def _locator(frame: pl.DataFrame, plan: ResolvedPlan, reader: Reader, column: str) -> pl.Expr:
    if LOCATOR in frame.columns:
        return pl.col(LOCATOR)
    shared = shared_row(column)
    located = reader.locate(plan.table, column).alias(LOCATOR)
    if shared not in frame.columns:
        return located
    return pl.lit(frame.select(pl.col(shared).alias(ROW)).select(located).to_series())


def cleaned(frame: pl.DataFrame, roles: Iterable[str] | None = None) -> pl.DataFrame:
    """Trim what surrounds the texts of some roles, of all by default, and make blank cells null."""
    wanted = None if roles is None else {text(role) for role in roles}
    texts = [name for name in frame.columns if name.endswith("_text") and (wanted is None or name in wanted)]
    if not texts:
        return frame
    trimmed = pl.col(texts).str.strip_chars()
    return frame.with_columns(pl.when(trimmed != "").then(trimmed).name.keep())
