"""Where small cells are hidden: one function given by the caller sees every table of counts before it is shown.

Nothing is rendered that did not pass here. What the function hides also takes away the numbers that would give it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from etl.associate.model import AssociationReport, Beside, CountTable, Estimate, Summary

Counts = tuple[tuple[int | None, ...], ...]

# Returns a table of the same shape with None for each cell to hide, complementary cells included.
Suppress = Callable[[Counts], Counts]

HIDDEN = "hidden: too few subjects"
# Sections whose numbers rest on one model: a hidden row count hides their n, not the estimate.
MODELLED = ("model", "sensitivity")
ROWS = ("model/rows", "sensitivity/rows")  # tables of who is in which model
WIDER, IRON = "whatever the iron stores", "sensitivity/iron/"
# Columns of the flow that fall from step to step, so that a difference is a count of those who left.
LEFT = ("n_case", "n_control")


def disclose(report: AssociationReport, suppress: Suppress) -> AssociationReport:
    """Return the report as it may be shown."""
    tables = _apart(tuple(_table(t, suppress) for t in report.tables), suppress)
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


def _table(table: CountTable, suppress: Suppress) -> CountTable:
    """Hide the small cells of a table; the rows of ROWS are no parts of one whole, so each is looked at alone."""
    if table.id in ROWS:
        return replace(table, counts=tuple(row for each in table.counts for row in suppress((each,))))
    return replace(table, counts=suppress(table.counts))


def _apart(tables: tuple[CountTable, ...], suppress: Suppress) -> tuple[CountTable, ...]:
    """Hide the rows of models and scenarios that differ from a shown one by few cases or few controls.

    Who is in one and not in the other is a group that no other table shows. When the subjects before a rule on iron
    are such a row, the tables that count them are hidden too.
    """
    shown: list[tuple[int | None, ...]] = []
    found = []
    is_wider_hidden = False
    for table in tables:
        rows = []
        for name, cells in zip(table.rows, table.counts, strict=True):
            kept = cells
            if table.id in ROWS and (
                None in cells or any(_is_near(cells, other, suppress) for other in shown)
            ):
                kept = (None,) * len(cells)
                is_wider_hidden |= name == WIDER
            elif table.id in ROWS:
                shown.append(cells)
            rows.append(kept)
        found.append(replace(table, counts=tuple(rows)))
    if not is_wider_hidden:
        return tuple(found)
    return tuple(
        replace(t, counts=tuple((None,) * len(row) for row in t.counts)) if t.id.startswith(IRON) else t
        for t in found
    )


def _is_near(cells: tuple[int | None, ...], other: tuple[int | None, ...], suppress: Suppress) -> bool:
    """Tell whether two rows differ by a small count of cases or of controls."""
    gaps = [abs((a or 0) - (b or 0)) for a, b in zip(cells[:2], other[:2], strict=True)]
    return any(_one(gap, suppress) != gap for gap in gaps)


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
    if "n_unknown" in columns:
        columns["n_unknown"] = _as_far_as_counted(columns)
    return tuple(
        step | {name: counts[at] for name, counts in columns.items()} for at, step in enumerate(flow)
    )


def _as_far_as_counted(columns: dict[str, list[int | None]]) -> list[int | None]:
    """Hide of how many a rule knows nothing where those who came to it are hidden: it may be all of them."""
    came = [columns[name] for name in LEFT if name in columns]
    return [
        None if at and any(None in (counts[at - 1], counts[at]) for counts in came) else unknown
        for at, unknown in enumerate(columns["n_unknown"])
    ]


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
