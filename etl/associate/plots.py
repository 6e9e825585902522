"""The charts of the report. Single subjects are drawn only when their points are handed over for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from etl.associate.model import AnalysisFrames, Curve, Estimate, Summary, Trend
from etl.associate.svg import LEFT, RIGHT, Canvas, ticks

Floats = NDArray[np.float64]
ROW = 24  # pixels of a line in a forest or a box in a flow


@dataclass(frozen=True)
class Points:
    """Single subjects' values for a strip (by group) and for scatters (by trend id): never in a page that is shared."""

    by_group: Mapping[str, Floats] = field(default_factory=dict)
    pairs: Mapping[str, tuple[Floats, Floats]] = field(default_factory=dict)


def take_points(frames: AnalysisFrames, exposure: str, scores: Sequence[str]) -> Points:
    """Collect the points of one exposure by group and of its pairs with scores within cases."""
    from etl.associate.model import CASE, CONTROL
    from etl.associate.prepare import group, values

    cases = group(frames.subjects, CASE)
    x = values(cases, exposure)
    strip = {name: values(group(frames.subjects, name), exposure) for name in (CASE, CONTROL)}
    pairs = {f"{exposure}~{s}": (x, values(cases, s)) for s in scores if s in cases.columns}
    return Points(
        {name: v[np.isfinite(v)] for name, v in strip.items()},
        {k: (a[np.isfinite(a + b)], b[np.isfinite(a + b)]) for k, (a, b) in pairs.items()},
    )


def draw_boxes(summaries: Sequence[Summary], label: str, points: Mapping[str, Floats]) -> str:
    """Draw quartiles, 5th to 95th percentile and mean by group, with a strip of points where they are given."""
    drawn = [s for s in summaries if s.median is not None]
    ends = [v for s in drawn for v in (s.p05, s.q1, s.q3, s.p95, s.mean) if v is not None]
    ends += [float(v) for s in drawn for v in points.get(s.group, ())]
    if not ends:
        return ""
    canvas = Canvas(f"{label} by group", (0, len(drawn)), (min(ends), max(ends)))
    canvas.axes("group", label, x_ticks=False)
    for i, s in enumerate(drawn):
        _box(canvas, s, i + 0.5)
        strip = points.get(s.group, ())
        for j, value in enumerate(strip):  # spread by order, so that a page is the same every time
            canvas.dot(i + 0.74 + 0.16 * ((j * 0.618) % 1), float(value), 2, "point")
        canvas.text(
            canvas.x(i + 0.5), canvas.size[1] - 28, f"{s.group} (n = {'hidden' if s.n is None else s.n})"
        )
    return canvas.render()


def draw_scatter(trend: Trend, x_label: str, y_label: str, points: tuple[Floats, Floats] | None) -> str:
    """Draw the fitted line with the means of equal-sized groups, or the subjects where they are given."""
    shown = list(zip(*points, strict=True)) if points is not None else [(a, b) for a, b, _ in trend.means]
    if len(shown) < 2:
        return ""
    xs, ys = [float(a) for a, _ in shown], [float(b) for _, b in shown]
    span = (min(xs), max(xs))
    line = [trend.intercept + trend.slope * x for x in span]
    canvas = Canvas(f"{y_label} against {x_label}", _wider(span), _wider((min(ys + line), max(ys + line))))
    canvas.axes(x_label, y_label)
    for x, y in zip(xs, ys, strict=True):
        canvas.dot(x, y, 2.5 if points is not None else 5, "point" if points is not None else "dot")
    canvas.path(span, line)
    return canvas.render()


def draw_forest(estimates: Sequence[Estimate], names: Sequence[str], title: str) -> str:
    """Draw odds ratios with intervals on a log axis; what leaves the axis ends in an arrow, no estimate in a dash."""
    known = [e for e in estimates if e.value]
    if not known:
        return ""
    ends = [math.log10(v) for e in known for v in (e.value, e.low, e.high) if v and math.isfinite(v)]
    low, high = max(min([*ends, 0.0]), -4) - 0.1, min(max([*ends, 0.0]), 4) + 0.1
    height = ROW * len(estimates) + 70
    canvas = Canvas(title, (low - 0.9 * (high - low), high), (0, len(estimates)), (760, height))
    for tick in _decades(low, high):
        canvas.line(
            (math.log10(tick), 0), (math.log10(tick), len(estimates)), "zero" if tick == 1 else "grid"
        )
        canvas.text(canvas.x(math.log10(tick)), height - 26, f"{tick:g}")
    canvas.text((canvas.x(low) + canvas.size[0] - RIGHT) / 2, height - 8, "odds ratio (log scale)")
    for i, (estimate, name) in enumerate(zip(estimates, names, strict=True)):
        y = len(estimates) - i - 0.5
        canvas.text(LEFT - 40, canvas.y(y) + 4, name, "start")
        _interval(canvas, estimate, y, (low, high))
    return canvas.render()


def draw_roc(curve: Curve, auc: Estimate | None) -> str:
    """Draw the ROC curve with the diagonal."""
    canvas = Canvas(f"ROC curve of {curve.marker}", (0, 1), (0, 1), (360, 340))
    canvas.axes("1 - specificity", "sensitivity")
    canvas.line((0, 0), (1, 1), "zero")
    canvas.path(curve.false_positive, curve.true_positive)
    if auc and auc.value is not None:
        canvas.text(canvas.x(0.68), canvas.y(0.15), f"AUC {auc.value:.3f}")
    return canvas.render()


def draw_flow(every_step: Sequence[Mapping[str, object]]) -> str:
    """Draw the way from all subjects to those analysed: a box for each step that somebody leaves at, and both ends."""
    steps = _telling(every_step)
    if not steps:
        return ""
    height = (ROW * 2 + 12) * len(steps) + 70
    canvas = Canvas("flow of subjects", (0, 1), (0, len(steps)), (640, height))
    for i, step in enumerate(steps):
        top = len(steps) - i
        canvas.box(0.02, 0.98, top - 0.85, top - 0.1)
        counts = f"{_shown(step.get('n_case'))} cases, {_shown(step.get('n_control'))} controls"
        canvas.text(canvas.x(0.5), canvas.y(top - 0.4), str(step.get("step", "")))
        canvas.text(canvas.x(0.5), canvas.y(top - 0.7), counts)
        if i:
            canvas.line((0.5, top + 0.15), (0.5, top - 0.1))
    return canvas.render()


def _telling(steps: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Leave out the steps after which the counts are those of the step before; the last one always stays."""
    found = list(steps[:1])
    for step in steps[1:-1]:
        if any(step.get(name) != found[-1].get(name) for name in ("n_case", "n_control")):
            found.append(step)
    return [*found, *({**step, "step": "Included after every rule"} for step in steps[1:][-1:])]


def _box(canvas: Canvas, s: Summary, centre: float) -> None:
    if s.q1 is None or s.q3 is None or s.median is None or s.mean is None:
        return
    if s.p05 is not None and s.p95 is not None:
        canvas.line((centre, s.p05), (centre, s.p95), "whisker")
    canvas.box(centre - 0.18, centre + 0.18, s.q1, s.q3)
    canvas.line((centre - 0.18, s.median), (centre + 0.18, s.median), "median")
    canvas.dot(centre, s.mean, 3.5)


def _interval(canvas: Canvas, estimate: Estimate, y: float, bounds: tuple[float, float]) -> None:
    if not estimate.value:
        canvas.text(canvas.x(sum(bounds) / 2), canvas.y(y) + 4, "-")
        return
    low, high = (_log(v, bounds) for v in (estimate.low, estimate.high))
    canvas.line((low, y), (high, y), "whisker")
    for end, mark in ((low, "\N{BLACK LEFT-POINTING TRIANGLE}"), (high, "\N{BLACK RIGHT-POINTING TRIANGLE}")):
        if end in bounds:
            canvas.text(canvas.x(end), canvas.y(y) + 4, mark)
    canvas.dot(_log(estimate.value, bounds), y, 4)


def _log(value: float | None, bounds: tuple[float, float]) -> float:
    if value is None or value <= 0:
        return bounds[0]
    return min(max(math.log10(value), bounds[0]), bounds[1]) if math.isfinite(value) else bounds[1]


def _decades(low: float, high: float) -> list[float]:
    """Choose round ratios: 1, 2 and 5 of each decade on a short axis, else powers of ten."""
    factors = (1, 2, 5) if high - low < 2.5 else (1,)
    powers = range(math.floor(low) - 1, math.ceil(high) + 1)
    found = [f * 10.0**p for p in powers for f in factors if low <= math.log10(f * 10.0**p) <= high]
    return found if len(found) > 1 else [round(10**t, 2) for t in ticks((low, high))]


def _wider(bounds: tuple[float, float]) -> tuple[float, float]:
    room = 0.05 * (bounds[1] - bounds[0])
    return bounds[0] - room, bounds[1] + room


def _shown(value: object) -> str:
    return "hidden" if value is None else str(value)
