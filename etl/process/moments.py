"""Dates of a column, read as the plan decided for the whole column."""

from __future__ import annotations

from datetime import date

import polars as pl

from etl.harmonize.dates import has_clock, parse_dates
from etl.plan import ResolvedPlan

_FIRST_BIRTH = date(1900, 1, 1)  # a spreadsheet's empty day is earlier


def moments(texts: pl.Series, plan: ResolvedPlan, role: str) -> pl.DataFrame:
    """Return at, precision and reason for each text of a role's column.

    A birth in a year to come is a bad date, and two digits of such a year mean the century before.
    """
    within = (_FIRST_BIRTH, plan.latest.date()) if role == "birth_date" else None
    decision = plan.decision(f"dates:{role}")
    order, clock = (decision.value, has_clock(decision.evidence)) if decision else ("iso", True)
    return parse_dates(texts, order, tz=plan.timezone, within=within, clock=clock)
