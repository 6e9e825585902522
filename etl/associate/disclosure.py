"""Where small cells are hidden: one function given by the caller sees every table of counts before it is shown.

Nothing is rendered that did not pass here. What the function hides also takes away the numbers that would give it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from etl.associate.model import AssociationReport, Estimate, Summary

Counts = tuple[tuple[int | None, ...], ...]

# Returns a table of the same shape with None for each cell to hide, complementary cells included.
Suppress = Callable[[Counts], Counts]

HIDDEN = "hidden: too few subjects"
# Sections whose numbers rest on one model: a hidden row count hides their n, not the estimate.
MODELLED = ("model", "sensitivity")


def disclose(report: AssociationReport, suppress: Suppress) -> AssociationReport:
    """Return the report as it may be shown."""
    tables = tuple(replace(t, counts=suppress(t.counts)) for t in report.tables)
    hidden = {
        (t.id, row) for t in tables for row, cells in zip(t.rows, t.counts, strict=True) if None in cells
    }
    rows = {row for table, row in hidden if table == "model/rows"}
    return replace(
        report,
        tables=tables,
        flow=_flow(report.flow, suppress),
        summaries=_summaries(report.summaries, suppress),
        estimates=tuple(_estimate(e, hidden, suppress) for e in report.estimates),
        diagnostics=tuple(
            replace(d, n=None, n_case=None, n_control=None, left_out=None, events_per_variable=None)
            if d.model in rows
            else d
            for d in report.diagnostics
        ),
    )


def _estimate(estimate: Estimate, hidden: set[tuple[str, str]], suppress: Suppress) -> Estimate:
    is_hidden = any(
        e == estimate.table and row in (estimate.row, row * (not estimate.row)) for e, row in hidden
    )
    if estimate.section in MODELLED:
        return replace(estimate, n=None, n_case=None, n_control=None) if is_hidden else estimate
    if is_hidden or suppress(((estimate.n,),)) != ((estimate.n,),):
        return replace(
            estimate, n=None, value=None, low=None, high=None, p=None, p_holm=None, p_bh=None, note=HIDDEN
        )
    return estimate


def _summaries(summaries: tuple[Summary, ...], suppress: Suppress) -> tuple[Summary, ...]:
    """Treat the groups of one variable as a table of measured and missing."""
    shown: dict[tuple[str, str], tuple[int | None, ...]] = {}
    for variable in dict.fromkeys(s.variable for s in summaries):
        mine = [s for s in summaries if s.variable == variable]
        counts = suppress(tuple((s.n, s.missing) for s in mine))
        shown |= {(s.variable, s.group): cells for s, cells in zip(mine, counts, strict=True)}
    found = []
    for s in summaries:
        n, missing = shown[s.variable, s.group]
        is_small = suppress(((s.n,),)) != ((s.n,),)
        kept = (
            Summary(s.variable, s.unit, s.group, n, missing) if is_small else replace(s, n=n, missing=missing)
        )
        found.append(kept)
    return tuple(found)


def _flow(flow: tuple[dict[str, object], ...], suppress: Suppress) -> tuple[dict[str, object], ...]:
    names = [k for k, v in flow[0].items() if isinstance(v, int)] if flow else []
    counts = suppress(tuple(tuple(_count(step[name]) for name in names) for step in flow)) if names else ()
    return (
        tuple(step | dict(zip(names, cells, strict=True)) for step, cells in zip(flow, counts, strict=True))
        or flow
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
