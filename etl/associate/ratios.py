"""Odds ratios side by side: one row a model, scenario or measurement, one column a step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from etl.associate.model import AssociationReport, Estimate

SD = "1 SD"


@dataclass(frozen=True)
class RatioRow:
    """The odds ratios of one term in one model; all have the same p and the same rows."""

    name: str
    first: Estimate
    by_step: dict[str, Estimate]
    sd: str  # how large one SD is, with its unit


@dataclass(frozen=True)
class RatioTable:
    """Rows and the steps of their columns."""

    steps: tuple[str, ...]
    rows: tuple[RatioRow, ...]


def exposure_ratios(report: AssociationReport, section: str) -> RatioTable:
    """Arrange the exposure's odds ratios of a section, a row a model or scenario."""
    marker = f"/{report.protocol['exposure']}/"
    return _arrange(e for e in report.estimates if e.section == section and marker in e.id)


def univariable_ratios(report: AssociationReport) -> RatioTable:
    """Arrange the odds ratios of each measurement alone; the unit stands in each row, since it differs."""
    table = _arrange(e for e in report.estimates if e.section == "univariable")
    rows = (
        RatioRow(r.name, r.first, {"1 unit" if s != SD else SD: e for s, e in r.by_step.items()}, r.sd)
        for r in table.rows
    )
    return RatioTable(("1 unit", SD), tuple(rows))


def covariate_ratios(report: AssociationReport) -> list[Estimate]:
    """Return the odds ratios of the models' other terms."""
    marker = f"/{report.protocol['exposure']}/"
    return [e for e in report.estimates if e.section == "model" and marker not in e.id]


def _arrange(estimates: Iterable[Estimate]) -> RatioTable:
    rows: dict[str, dict[str, Estimate]] = {}
    for estimate in estimates:
        step, _, _ = estimate.per.partition(" (")
        rows.setdefault(estimate.row, {})[step] = estimate
    steps = dict.fromkeys(step for found in rows.values() for step in found if step != SD)
    arranged = (
        RatioRow(name, next(iter(found.values())), found, _sd(found.get(SD))) for name, found in rows.items()
    )
    return RatioTable((*steps, SD), tuple(arranged))


def _sd(estimate: Estimate | None) -> str:
    return estimate.per.partition(" (")[2].rstrip(")") if estimate else ""
