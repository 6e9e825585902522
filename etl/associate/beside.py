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
        ours[key] = Estimate(key, "contrast", "mean", s.variable, s.group, "mean", s.n, s.mean)
    return [_pair(figure, ours.get(figure.ours)) for figure in published.figure if figure.ours]


def _pair(figure: Figure, estimate: Estimate | None) -> Beside:
    names, pairs = _printed(figure, estimate)
    published = ", ".join(f"{name} {printed.text}" for name, (printed, _) in zip(names, pairs, strict=True))
    if estimate is None or estimate.value is None:
        return Beside(figure.id, figure.study, figure.label, published, "-", None, None)
    ours = ", ".join(
        f"{name} {_like(printed, value)}" for name, (printed, value) in zip(names, pairs, strict=True)
    )
    same = all(_is_same(printed, value) for printed, value in pairs)
    return Beside(figure.id, figure.study, figure.label, published, ours, estimate.n, same, estimate.id)


def _printed(figure: Figure, estimate: Estimate | None) -> tuple[tuple[str, ...], Pairs]:
    value, low, high, p = (getattr(estimate, name, None) for name in ("value", "low", "high", "p"))
    if isinstance(figure, CorrelationFigure):
        return ("r", "P"), [(figure.r, value), (figure.p, p)]
    if isinstance(figure, OddsRatioFigure) and figure.low and figure.high:
        limits: Pairs = [(figure.value, value), (figure.low, low), (figure.high, high)]
        with_p: Pairs = [(figure.p, p)] if figure.p else []
        return ("OR", "from", "to", "P")[: 3 + len(with_p)], limits + with_p
    if isinstance(figure, OddsRatioFigure | MeanFigure):
        return ("mean" if isinstance(figure, MeanFigure) else "OR",), [(figure.value, value)]
    return (), []


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
