"""The charts of the report. Single subjects are drawn only when their points are handed over for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from etl.associate.model import AnalysisFrames, Curve, Estimate, Summary, Trend
from etl.associate.svg import LEFT, RIGHT, Canvas, ticks

Floats = NDArray[np.float64]
Z95 = 1.959963984540054  # the 97.5th percentile of the standard normal distribution
CUT = ("cut-off", "sensitivity", "specificity")
LEFT_COLUMNS = ("n_case", "n_control")  # of a flow
FLOW_ROW, FLOW_WIDTH = 76, 78  # pixels of a box with its gap, letters beside it
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
    canvas.axes("", label, x_ticks=False)
    for i, s in enumerate(drawn):
        _box(canvas, s, i + 0.5)
        strip = points.get(s.group, ())
        for j, value in enumerate(strip):  # spread by order, so that a page is the same every time
            canvas.dot(i + 0.74 + 0.16 * ((j * 0.618) % 1), float(value), 2, "point")
        canvas.text(canvas.x(i + 0.5), canvas.size[1] - 28, s.group)
        canvas.text(canvas.x(i + 0.5), canvas.size[1] - 13, f"n = {_shown(s.n)}")
    return canvas.render()


def draw_scatter(trend: Trend, x_label: str, y_label: str, points: tuple[Floats, Floats] | None) -> str:
    """Draw the fitted line with the means of equal-sized groups, or the subjects where they are given."""
    shown = list(zip(*points, strict=True)) if points is not None else [(a, b) for a, b, _ in trend.means]
    if len(shown) < 2:
        return ""
    xs, ys = [float(a) for a, _ in shown], [float(b) for _, b in shown]
    whiskers = _whiskers(trend) if points is None else []
    span = (min(xs), max(xs))
    line = [trend.intercept + trend.slope * x for x in span]
    heights = [*ys, *line, *(end for _, low, high in whiskers for end in (low, high))]
    canvas = Canvas(f"{y_label} against {x_label}", _wider(span), _wider((min(heights), max(heights))))
    canvas.axes(x_label, y_label)
    for x, low, high in whiskers:
        canvas.line((x, low), (x, high), "whisker")
    for x, y in zip(xs, ys, strict=True):
        canvas.dot(x, y, 2.5 if points is not None else 5, "point" if points is not None else "dot")
    canvas.path(span, line)
    return canvas.render()


def _whiskers(trend: Trend) -> list[tuple[float, float, float]]:
    """Return each mean's place and 95% limits."""
    return [
        (x, y - Z95 * error, y + Z95 * error)
        for (x, y, _), error in zip(trend.means, trend.errors, strict=False)
    ]


def draw_forest(estimates: Sequence[Estimate], names: Sequence[str], title: str) -> str:
    """Draw odds ratios with intervals on a log axis; what leaves the axis ends in an arrow, no estimate in a dash."""
    known = [e for e in estimates if e.value]
    if not known:
        return ""
    ends = [math.log10(v) for e in known for v in (e.value, e.low, e.high) if v and math.isfinite(v)]
    low, high = max(min([*ends, 0.0]), -4) - 0.1, min(max([*ends, 0.0]), 4) + 0.1
    height = ROW * len(estimates) + 70
    # Names stand on the left and numbers on the right of the axis, which takes the middle of the chart.
    span = high - low
    canvas = Canvas(title, (low - 0.9 * span, high + 0.62 * span), (0, len(estimates)), (940, height))
    for tick in _decades(low, high):
        canvas.line(
            (math.log10(tick), 0), (math.log10(tick), len(estimates)), "zero" if tick == 1 else "grid"
        )
        canvas.text(canvas.x(math.log10(tick)), height - 26, f"{tick:g}")
    canvas.text((canvas.x(low) + canvas.x(high)) / 2, height - 8, "odds ratio (log scale)")
    for i, (estimate, name) in enumerate(zip(estimates, names, strict=True)):
        y = len(estimates) - i - 0.5
        canvas.text(LEFT - 40, canvas.y(y) + 4, name, "start")
        _interval(canvas, estimate, y, (low, high))
        canvas.text(canvas.size[0] - RIGHT, canvas.y(y) + 4, _numbers(estimate), "end")
    return canvas.render()


def _numbers(estimate: Estimate) -> str:
    """Word an odds ratio with its interval and the number that it rests on."""
    if estimate.value is None:
        return "no estimate"
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = ("-" if v is None else f"{v:.2g}" if v < 0.1 or v >= 100 else f"{v:.2f}" for v in ends)
    return f"{value} ({low} to {high}), n = {_shown(estimate.n)}"


def draw_roc(curve: Curve, found: Mapping[str, Estimate | None]) -> str:
    """Draw the ROC curve with the diagonal, the area and the cut-off; found: estimates by their last name."""
    canvas = Canvas(f"ROC curve of {curve.marker}", (0, 1), (0, 1), (420, 380))
    canvas.axes("1 - specificity", "sensitivity")
    canvas.line((0, 0), (1, 1), "zero")
    canvas.path(curve.false_positive, curve.true_positive)
    auc = found.get("auc")
    if auc and auc.value is not None and auc.low is not None and auc.high is not None:
        area = f"AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})"
        canvas.text(canvas.x(0.98), canvas.y(0.12), area, "end")
    _mark_cut_off(canvas, *(found.get(name) for name in CUT))
    return canvas.render()


def _mark_cut_off(
    canvas: Canvas, cut: Estimate | None, sensitivity: Estimate | None, specificity: Estimate | None
) -> None:
    if not (cut and sensitivity and specificity):
        return
    if cut.value is None or sensitivity.value is None or specificity.value is None:
        return
    x, y = 1 - specificity.value, sensitivity.value
    canvas.dot(x, y, 4.5)
    canvas.text(canvas.x(x) + 10, canvas.y(y) + 16, f"cut-off {cut.value:.3g} {cut.per}", "start")


def draw_flow(steps: Sequence[Mapping[str, object]]) -> str:
    """Draw the way from all subjects to those analysed; beside it stands who left, and at which rule."""
    if not steps:
        return ""
    boxes = [steps[0], *_telling(steps)] if _telling(steps) else [steps[0], steps[-1]]
    height = FLOW_ROW * len(boxes) + 30
    canvas = Canvas("flow of subjects", (0, 1), (0, len(boxes)), (900, height))
    for i, step in enumerate(boxes):
        top = len(boxes) - i
        title = str(step.get("step", "")) if i == 0 else "Left"
        canvas.box(0, 0.4, top - 0.75, top - 0.1)
        canvas.text(canvas.x(0.2), canvas.y(top - 0.36), "Included" if i == len(boxes) - 1 else title)
        counts = f"{_shown(step.get('n_case'))} cases, {_shown(step.get('n_control'))} controls"
        canvas.text(canvas.x(0.2), canvas.y(top - 0.62), counts)
        if i:
            canvas.line((0.2, top + 0.25), (0.2, top - 0.1))
            _side(canvas, boxes[i - 1], step, top + 0.075)
    return canvas.render()


def _side(canvas: Canvas, before: Mapping[str, object], step: Mapping[str, object], y: float) -> None:
    """Say beside the line who left between two boxes, and the rule."""
    gone = [_gone(before.get(name), step.get(name)) for name in LEFT_COLUMNS]
    if gone == ["0", "0"]:
        return
    rule = f"{step.get('step', '')}: not so"
    if step.get("n_unknown") != 0:
        rule += f"; {_shown(step.get('n_unknown'))} not known, {step.get('unknown_are', '')}"
    lines = ["Left out: {} cases, {} controls".format(*gone), *wrap(rule, FLOW_WIDTH)]
    canvas.line((0.2, y), (0.43, y))
    for at, line in enumerate(lines):
        canvas.text(canvas.x(0.44), canvas.y(y) + 4 + 14 * (at - (len(lines) - 1) / 2), line, "start")


def _gone(before: object, after: object) -> str:
    """Subtract; where one of the two is hidden the difference is too."""
    return str(before - after) if isinstance(before, int) and isinstance(after, int) else "hidden"


def _telling(steps: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Return the steps whose counts are not those of the step before."""
    return [
        step
        for before, step in pairwise(steps)
        if any(step.get(name) != before.get(name) for name in LEFT_COLUMNS)
    ]


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
