"""What a corrected copy takes over from the files that it corrects: how their dates and numbers were read."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from etl.plan import ResolvedPlan
from etl.readers.base import Decision
from warehouse.decisions import column_decisions

# What a copy shows by itself; then nothing is taken over.
_WITNESSES = (
    "first_over_12",
    "second_over_12",
    "serial",
    "dot_decimal_only_possible",
    "comma_decimal_only_possible",
)


def is_copy(plan: ResolvedPlan) -> bool:
    """Tell whether a table corrects records that are held."""
    return "corrects" in plan.resolution.roles


def inherit(plan: ResolvedPlan, connection: duckdb.DuckDBPyConnection) -> ResolvedPlan:
    """Settle what the few rows of a corrected copy leave open as all loaded files of its feed have it."""

    def settled(decision: Decision) -> Decision:
        if decision.value is not None or any(decision.evidence.get(each) for each in _WITNESSES):
            return decision
        known = column_decisions(connection, plan.site, plan.feed, decision.about)
        return replace(decision, value=known[0], basis="corrected") if len(known) == 1 else decision

    return replace(plan, decisions=tuple(map(settled, plan.decisions)))
