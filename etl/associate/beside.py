"""Our estimates printed beside the published ones, to the published digits."""

from __future__ import annotations

from etl.associate.model import Beside, Estimate
from etl.associate.part import Part
from schemas.published import CorrelationFigure, Figure, MeanFigure, OddsRatioFigure, Printed, Published

Pairs = list[tuple[Printed, float | None]]


def set_beside(part: Part, published: Published) -> list[Beside]:
    """Pair each figure that names one of our estimates with it, whether or not we have it."""
    ours = {e.id: e for e in part.estimates}
    for s in part.summaries:
        key = f"summary/{s.variable}/{s.group}"
        ours[key] = Estimate(key, "contrast", "mean", s.variable, s.group, "mean", s.n, s.mean, per=s.unit)
    return [_pair(figure, ours.get(figure.ours)) for figure in published.figure if figure.ours]


def _pair(figure: Figure, estimate: Estimate | None) -> Beside:
    pairs = _printed(figure, estimate)
    published = _worded(figure, [printed.text for printed, _ in pairs])
    if estimate is None or estimate.value is None:
        return Beside(figure.id, figure.study, figure.label, published, "-", None, None)
    ours = _worded(figure, [_like(printed, value) for printed, value in pairs], estimate.per)
    same = all(_is_same(printed, value) for printed, value in pairs)
    return Beside(figure.id, figure.study, figure.label, published, ours, estimate.n, same, estimate.id)


def _printed(figure: Figure, estimate: Estimate | None) -> Pairs:
    """Return the printed numbers with ours, in the order in which they are worded."""
    value, low, high, p = (getattr(estimate, name, None) for name in ("value", "low", "high", "p"))
    if isinstance(figure, CorrelationFigure):
        return [(figure.r, value), (figure.p, p)]
    if isinstance(figure, OddsRatioFigure) and figure.low and figure.high:
        limits: Pairs = [(figure.value, value), (figure.low, low), (figure.high, high)]
        return limits + ([(figure.p, p)] if figure.p else [])
    return [(figure.value, value)] if isinstance(figure, OddsRatioFigure | MeanFigure) else []


def _worded(figure: Figure, numbers: list[str], per: str = "") -> str:
    """Word the numbers as a journal does; an odds ratio of ours always says its step, a mean its unit."""
    if isinstance(figure, MeanFigure):
        return f"mean {numbers[0]} {per or figure.unit}"
    first, *rest = numbers
    if isinstance(figure, CorrelationFigure):
        return f"r = {first}, P {_equals(rest[0])}"
    limits = f" ({rest[0]} to {rest[1]})" if len(rest) > 1 else ""
    step = f" per {per}" if per else ""
    p = f", P {_equals(rest[2])}" if len(rest) > 2 else ""
    return f"OR {first}{limits}{step}{p}"


def _equals(number: str) -> str:
    return f"{number[0]} {number[1:].strip()}" if number[:1] in ("<", ">") else f"= {number}"


def _like(printed: Printed, value: float | None) -> str:
    if value is None:
        return "-"
    text = f"{value:.{printed.decimals}f}"
    return f"< {10**-printed.decimals:g}" if value > 0 and float(text) == 0 else text


def _is_same(printed: Printed, value: float | None) -> bool:
    if value is None:
        return False
    return (
        printed.agrees(value, value)
        if printed.comparator
        else f"{value:.{printed.decimals}f}" == printed.text
    )
