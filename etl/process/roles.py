"""Role frames: the columns of a record under the names of their roles, as text.

A role's text stands in the column `<role>_text`, so that the harmonized value can have the role's own name. Every
role frame has row_number and locator. A record of a wide file becomes one row per non-empty measure.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from etl.harmonize.dates import join_date_time
from etl.plan import ResolvedPlan
from etl.readers.base import LOCATOR, ROW, Reader
from etl.sites.resolution import Measure, Resolution


def text(role: str) -> str:
    """Return the column that holds a role's text."""
    return f"{role}_text"


def long_frame(
    frame: pl.DataFrame, plan: ResolvedPlan, reader: Reader, roles: Iterable[str], cell: str | None = None
) -> pl.DataFrame:
    """Return the role frame of a long table: one row a record, located at its value or the given column's cell."""
    cell = cell or plan.resolution.roles.get("value", plan.table.columns[0])
    return frame.select(*_columns(plan, roles), ROW, _locator(frame, plan, reader, cell))


def wide_frame(
    frame: pl.DataFrame, plan: ResolvedPlan, reader: Reader, roles: Iterable[str], measures: Iterable[Measure]
) -> pl.DataFrame | None:
    """Return the role frame of a wide table: one row per record and non-empty measure; None without measures.

    The header stands for the analyte's name, so that two columns of one analyte stay two candidates.
    """
    shared = [
        role for role in roles if role not in {"value", "analyte", "unit", "specimen", "instrument", "item"}
    ]
    parts = [
        frame.select(
            *_columns(plan, shared),
            ROW,
            pl.col(measure.column).alias(text("value")),
            *_measured(measure),
            _locator(frame, plan, reader, measure.column),
        )
        for measure in measures
    ]
    if not parts:
        return None
    return cleaned(pl.concat(parts)).filter(pl.col(text("value")).is_not_null())


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
    return [pl.lit(value, pl.String).alias(text(name)) for name, value in known.items()]


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
    return pl.col(LOCATOR) if LOCATOR in frame.columns else reader.locate(plan.table, column).alias(LOCATOR)


def cleaned(frame: pl.DataFrame, roles: Iterable[str] | None = None) -> pl.DataFrame:
    """Trim what surrounds the texts of some roles, of all by default, and make blank cells null."""
    wanted = None if roles is None else {text(role) for role in roles}
    texts = [name for name in frame.columns if name.endswith("_text") and (wanted is None or name in wanted)]
    if not texts:
        return frame
    trimmed = pl.col(texts).str.strip_chars()
    return frame.with_columns(pl.when(trimmed != "").then(trimmed).name.keep())
