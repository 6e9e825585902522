"""Where small cells are hidden: one function given by the caller sees every table of counts before it is shown.

Nothing is rendered that did not pass here. What the function hides also takes away the numbers that would give it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from etl.associate.model import AssociationReport, Beside, Estimate, Summary

Counts = tuple[tuple[int | None, ...], ...]

# Returns a table of the same shape with None for each cell to hide, complementary cells included.
Suppress = Callable[[Counts], Counts]

HIDDEN = "hidden: too few subjects"
# Sections whose numbers rest on one model: a hidden row count hides their n, not the estimate.
MODELLED = ("model", "sensitivity")
# Columns of the flow that fall from step to step, so that a difference is a count of those who left.
LEFT = ("n_case", "n_control")


def disclose(report: AssociationReport, suppress: Suppress) -> AssociationReport:
    """Return the report as it may be shown."""
    tables = tuple(replace(t, counts=suppress(t.counts)) for t in report.tables)
    hidden = {
        (t.id, row) for t in tables for row, cells in zip(t.rows, t.counts, strict=True) if None in cells
    }
    rows = {row for table, row in hidden if table == "model/rows"}
    estimates = tuple(_estimate(e, hidden, suppress) for e in report.estimates)
    summaries = _summaries(report.summaries, suppress)
    found = {e.id: (e.n, e.value) for e in estimates}
    found |= {f"summary/{s.variable}/{s.group}": (s.n, s.mean) for s in summaries}
    return replace(
        report,
        tables=tables,
        flow=_flow(report.flow, suppress),
        summaries=summaries,
        estimates=estimates,
        beside=tuple(_beside(b, *found.get(b.estimate, (None, None))) for b in report.beside),
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
    if is_hidden or _one(estimate.n, suppress) != estimate.n:
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
        is_small = _one(s.n, suppress) != s.n
        kept = (
            Summary(s.variable, s.unit, s.group, n, missing) if is_small else replace(s, n=n, missing=missing)
        )
        found.append(kept)
    return tuple(found)


def _beside(beside: Beside, n: int | None, value: float | None) -> Beside:
    """Show no more beside a published figure than under the estimate itself."""
    if value is None:
        return replace(beside, n=None, is_same=None, ours="hidden" if beside.n is not None else beside.ours)
    return replace(beside, n=n)


def _flow(flow: tuple[dict[str, object], ...], suppress: Suppress) -> tuple[dict[str, object], ...]:
    """Hide small counts of each column, and those that differ from the next shown one by a small count.

    Seen from the end: the last count is the number analysed, which other tables show as well.
    """
    names = [name for name, value in flow[0].items() if isinstance(value, int)] if flow else []
    columns = {}
    for name in names:
        counts = [_count(step[name]) for step in flow]
        columns[name] = _falling(counts, suppress) if name in LEFT else [_one(n, suppress) for n in counts]
    return tuple(
        step | {name: counts[at] for name, counts in columns.items()} for at, step in enumerate(flow)
    )


def _falling(counts: list[int | None], suppress: Suppress) -> list[int | None]:
    shown: list[int | None] = []
    last: int | None = None
    for count in reversed(counts):
        gap = None if count is None or last is None else count - last
        is_hidden = _one(count, suppress) != count or (gap is not None and _one(gap, suppress) != gap)
        shown.append(None if is_hidden else count)
        last = last if is_hidden else count
    return shown[::-1]


def _one(count: int | None, suppress: Suppress) -> int | None:
    return suppress(((count,),))[0][0]


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
