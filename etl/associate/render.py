"""The report as JSON, CSV and one self-contained page. Every renderer takes a report that was disclosed."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from etl.associate.baseline import baseline, labels
from etl.associate.catalogue import catalogue
from etl.associate.disclosure import Suppress, disclose
from etl.associate.model import CASE, CONTROL, AssociationReport, Estimate
from etl.associate.plots import Points, draw_boxes, draw_flow, draw_forest, draw_roc, draw_scatter
from etl.associate.ratios import covariate_ratios, exposure_ratios, univariable_ratios
from etl.associate.settings import settings
from schemas.published import load_published

NOT_IN_CSV = ("table", "row")
IN_CSV = ("data", "content_digest")  # of the provenance, beside every estimate


@dataclass(frozen=True)
class Rendered:
    """The three forms of one report."""

    json: str
    csv: str
    html: str


def render(
    report: AssociationReport, suppress: Suppress, watermark: str = "", points: Points | None = None
) -> Rendered:
    """Hide what `suppress` hides and render the rest.

    watermark: a sentence printed across the page and kept in the JSON and CSV, such as why the report is a draft.
    points: draws single subjects into the page, which then says that it must not be shared.
    """
    shown = disclose(report, suppress)
    return Rendered(to_json(shown, watermark), to_csv(shown, watermark), to_html(shown, watermark, points))


def to_json(report: AssociationReport, watermark: str = "") -> str:
    """Write everything; JSON has no infinity, so an unbounded limit is the text Infinity."""
    document = _plain({"watermark": watermark or None} | dataclasses.asdict(report))
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)


def to_csv(report: AssociationReport, watermark: str = "") -> str:
    """Write the estimates, one a line, each with the data that it rests on."""
    schema = {f.name: _TYPES.get(str(f.type), pl.String) for f in dataclasses.fields(Estimate)}
    rows = [dataclasses.asdict(e) for e in report.estimates]
    frame = pl.DataFrame(rows, schema=schema, orient="row").drop(NOT_IN_CSV)
    rests_on = {name: pl.lit(report.provenance.get(name, "")) for name in IN_CSV}
    return frame.with_columns(**rests_on, watermark=pl.lit(watermark)).write_csv()


def to_html(report: AssociationReport, watermark: str = "", points: Points | None = None) -> str:
    """Write one page without a link to anything outside it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("etl.associate", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {"number": number, "p": p_value, "interval": interval, "count": count}
    environment.filters |= {"ratio": ratio, "ratio_interval": ratio_interval, "difference": difference}
    environment.filters |= {"correlation": correlation, "correlation_interval": correlation_interval}
    charts = draw(report, points or Points())
    exposure = str(report.protocol["exposure"])
    return environment.get_template("report.html.j2").render(
        report=report,
        watermark=watermark,
        charts=charts,
        baseline=baseline(report),
        models=exposure_ratios(report, "model"),
        covariates=covariate_ratios(report),
        alone=univariable_ratios(report),
        scenarios=exposure_ratios(report, "sensitivity"),
        settings=settings(report.study),
        catalogue=catalogue(report.study, report.flow, report.checks) if report.study else (),
        labels=labels(report) | {exposure: _name(report, exposure)},
        bands=[s for s in report.summaries if s.group not in (CASE, CONTROL)],
        studies=load_published().study,
        has_points=bool(points),
    )


def draw(report: AssociationReport, points: Points) -> dict[str, str]:
    """Draw every chart that the report has data for, by name."""
    exposure, unit = str(report.protocol["exposure"]), str(report.protocol["unit"])
    groups = [s for s in report.summaries if s.variable == exposure and s.group in (CASE, CONTROL)]
    bands = [s for s in report.summaries if s.variable == exposure and s.group not in (CASE, CONTROL)]
    label = f"{_name(report, exposure)} ({unit})"
    charts = {
        "flow": draw_flow(report.flow),
        "groups": draw_boxes(groups, label, points.by_group),
        "bands": draw_boxes(bands, label, {}),
        "models": _forest(report, "model", "odds ratio per 1 SD by model"),
        "sensitivity": _forest(report, "sensitivity", "odds ratio per 1 SD by scenario"),
    }
    for trend in report.trends:
        y_label = f"{_name(report, trend.y)} (points)"
        charts[trend.id] = draw_scatter(trend, label, y_label, points.pairs.get(trend.id))
    for curve in report.curves:
        found = {
            name: report.estimate(f"roc/{curve.marker}/{name}")
            for name in ("auc", "cut-off", "sensitivity", "specificity")
        }
        charts["roc"] = draw_roc(replace(curve, marker=_name(report, curve.marker)), found)
    return charts


def number(value: float | None, digits: int = 3) -> str:
    """Print a number to that many significant digits."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "not bounded"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.{digits}g}".rstrip(".")


def ratio(value: float | None) -> str:
    """Print a ratio: three decimals from 0.1 to 10, so that 1.001 is not 1.00, else three significant digits."""
    if value is None or not math.isfinite(value) or not 0.1 <= value < 10:
        return number(value)
    return f"{value:.3f}"


def ratio_interval(estimate: Estimate) -> str:
    """Print both limits of a ratio, or a dash."""
    return "-" if estimate.low is None else f"{ratio(estimate.low)} to {ratio(estimate.high)}"


def correlation(value: float | None) -> str:
    """Print a coefficient to three decimals."""
    return "-" if value is None else f"{round(value, 3) + 0.0:.3f}"


def correlation_interval(estimate: Estimate) -> str:
    """Print both limits of a coefficient, or a dash."""
    return "-" if estimate.low is None else f"{correlation(estimate.low)} to {correlation(estimate.high)}"


def difference(estimate: Estimate) -> str:
    """Print a difference and its interval to the digits that the width of the interval allows."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return number(estimate.value)
    width = estimate.high - estimate.low
    if not math.isfinite(width) or width <= 0:
        return f"{number(estimate.value)} ({interval(estimate)})"
    decimals = max(0, 1 - math.floor(math.log10(width)))
    # Adding zero turns -0.0 into 0.0.
    value, low, high = (
        f"{round(v, decimals) + 0.0:,.{decimals}f}" for v in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} ({low} to {high})"


def p_value(value: float | None) -> str:
    """Print a p-value as journals do."""
    if value is None or math.isnan(value):
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def interval(estimate: Estimate) -> str:
    """Print both limits, or a dash."""
    return "-" if estimate.low is None else f"{number(estimate.low)} to {number(estimate.high)}"


def count(value: int | None) -> str:
    """Print a count, or that it is hidden."""
    return "hidden" if value is None else f"{value:,}"


def _name(report: AssociationReport, variable: str) -> str:
    return labels(report).get(variable, variable)


def _forest(report: AssociationReport, section: str, title: str) -> str:
    exposure = report.protocol["exposure"]
    rows = [e for e in report.estimates if e.section == section and e.id.endswith(f"/{exposure}/1 SD")]
    return draw_forest(rows, [e.row for e in rows], title)


_TYPES: dict[str, Any] = {"float | None": pl.Float64, "int | None": pl.Int64}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    return value
