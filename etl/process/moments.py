"""Dates of a column, read as the plan decided for the whole column."""

from __future__ import annotations

import polars as pl

from etl.harmonize.dates import has_clock, parse_dates
from etl.plan import ResolvedPlan


def moments(texts: pl.Series, plan: ResolvedPlan, role: str) -> pl.DataFrame:
    """Return at, precision and reason for each text of a role's column."""
    decision = plan.decision(f"dates:{role}")
    if decision is None:
        return parse_dates(texts, "iso", tz=plan.timezone)
    return parse_dates(texts, decision.value, tz=plan.timezone, clock=has_clock(decision.evidence))
