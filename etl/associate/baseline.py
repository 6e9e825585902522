"""The baseline table: each variable of the protocol by group, with its difference and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from etl.associate.model import CASE, CONTROL, AssociationReport, CountTable, Estimate, Summary


@dataclass(frozen=True)
class Level:
    """Counts of one level of a category, with shares of the group; None is hidden."""

    name: str
    counts: tuple[int | None, int | None]
    shares: tuple[float | None, float | None]


@dataclass(frozen=True)
class BaselineRow:
    """One variable: summaries of a measurement, or levels of a category."""

    label: str
    unit: str
    case: Summary | None = None
    control: Summary | None = None
    levels: tuple[Level, ...] = ()
    difference: Estimate | None = None
    rank: Estimate | None = None
    smd: Estimate | None = None


def baseline(report: AssociationReport) -> list[BaselineRow]:
    """Arrange what the report holds; nothing is estimated here."""
    return list(_rows(report))


def labels(report: AssociationReport) -> dict[str, str]:
    """Return the printed name of every variable and score."""
    return {
        str(part["name"]): str(part["label"]) for key in ("variable", "score") for part in _parts(report, key)
    }


def _parts(report: AssociationReport, key: str) -> list[Mapping[str, object]]:
    parts = report.protocol.get(key)
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list | tuple) else []


def _rows(report: AssociationReport) -> Iterator[BaselineRow]:
    summaries = {(s.variable, s.group): s for s in report.summaries}
    tables = {table.id: table for table in report.tables}
    for variable in _parts(report, "variable"):
        name, label, unit = (str(variable[key]) for key in ("name", "label", "unit"))
        smd = report.estimate(f"contrast/{name}/smd")
        if (name, CASE) in summaries:
            yield BaselineRow(
                label,
                unit,
                summaries[name, CASE],
                summaries.get((name, CONTROL)),
                difference=report.estimate(f"contrast/{name}/Welch t"),
                rank=report.estimate(f"contrast/{name}/Mann-Whitney"),
                smd=smd,
            )
        elif f"group/{name}" in tables:
            test = report.estimate(f"contrast/{name}/chi-square")
            yield BaselineRow(label, unit, levels=_levels(tables[f"group/{name}"]), rank=test, smd=smd)


def _levels(table: CountTable) -> tuple[Level, ...]:
    cases, controls = table.counts
    return tuple(
        Level(name, (a, b), (_share(a, cases), _share(b, controls)))
        for name, a, b in zip(table.columns, cases, controls, strict=True)
    )


def _share(count: int | None, of: tuple[int | None, ...]) -> float | None:
    """Return the percentage; none where a hidden count keeps the total back."""
    if count is None or None in of or not any(of):
        return None
    return 100 * count / sum(each or 0 for each in of)
