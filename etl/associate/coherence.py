"""Whether published figures agree with each other, and what would make them agree.

A figure is never corrected: the finding says what does not fit and what would.
"""

from __future__ import annotations

from collections.abc import Iterator

from etl.associate import arithmetic as calc
from etl.associate.model import Finding
from etl.associate.tables import odds_ratio
from schemas.published import (
    CorrelationFigure,
    DiscriminationFigure,
    MeanFigure,
    OddsRatioFigure,
    Printed,
    ProportionFigure,
    Published,
    TwoByTwoFigure,
)

CONSISTENT, INCONSISTENT, OPEN = "consistent", "inconsistent", "open"

# A spread that differs from the known one by more than this factor is not the same measure. A judgement, not a source.
SD_FACTOR = 2.0
# Normal, exact and mid-p limits differ a little; this many units of the last printed digit are let pass. A judgement.
LIMIT_UNITS = 2


def check_published(published: Published, alternative: tuple[str, float]) -> list[Finding]:
    """Check every figure; `alternative` is the exposure's other unit and how many of its units one of ours is."""
    found: list[Finding] = []
    for figure in published.figure:
        if isinstance(figure, CorrelationFigure):
            found.append(check_correlation(figure))
        elif isinstance(figure, OddsRatioFigure):
            found.extend(check_odds_ratio(figure, alternative))
        elif isinstance(figure, TwoByTwoFigure):
            found.append(check_two_by_two(figure))
        elif isinstance(figure, DiscriminationFigure):
            found.append(check_discrimination(figure))
        elif isinstance(figure, ProportionFigure):
            found.append(check_proportion(figure))
        else:
            found.append(check_mean(figure, alternative))
    return found


def check_correlation(figure: CorrelationFigure) -> Finding:
    """Compare r, n and p: every r that rounds to the printed one against every p that rounds to the printed one."""
    r, p, n = figure.r, figure.p, figure.n
    implied = calc.p_from_r(r.value, n)
    least, most = calc.p_range(r.bounds, n)
    if p.agrees(least, most):
        return _finding(
            figure, "r, n, P", CONSISTENT, f"r = {r.text} at n = {n} gives P = {_p(implied)}, as printed."
        )
    sentence = (
        f"r = {r.text} with P {_equals(p)} is impossible at n = {n}: that r gives P = {_p(implied)} "
        f"({_p(least)} to {_p(most)} before rounding)."
    )
    return _finding(figure, "r, n, P", INCONSISTENT, sentence, tuple(_correlations_that_fit(figure)))


def check_odds_ratio(figure: OddsRatioFigure, alternative: tuple[str, float]) -> Iterator[Finding]:
    """Compare estimate, interval and p; then restate the estimate, since it means nothing without its unit."""
    if figure.low and figure.high:
        yield _check_interval(figure, figure.low, figure.high)
    elif figure.p and not figure.p.comparator:
        se = calc.se_from_p(figure.value.value, figure.p.value)
        low, high = calc.limits(figure.value.value, se)
        sentence = f"No interval is printed; P = {figure.p.text} implies {_g(low)} to {_g(high)}."
        yield _finding(figure, "OR, CI, P", OPEN, sentence)
    if figure.unit == "pg/mL":
        yield _restate(figure, alternative)


def check_two_by_two(figure: TwoByTwoFigure) -> Finding:
    """Compute the odds ratio from the printed counts."""
    woolf, exact = odds_ratio(figure.cells)
    if woolf.value is None or woolf.low is None or woolf.high is None:
        return _finding(figure, "counts, OR", OPEN, "A margin of the table is empty.")
    near = _near(figure.low, woolf.low) and _near(figure.high, woolf.high)
    verdict = CONSISTENT if near and figure.value.agrees(woolf.value, woolf.value) else INCONSISTENT
    sentence = (
        f"{figure.case_exposed}/{figure.case_n} against {figure.control_exposed}/{figure.control_n} gives "
        f"OR {woolf.value:.2f} ({woolf.low:.2f} to {woolf.high:.2f} by Woolf, {exact.low:.2f} to {exact.high:.2f} "
        f"exact); printed {figure.value.text} ({figure.low.text} to {figure.high.text})."
    )
    return _finding(figure, "counts, OR", verdict, sentence)


def check_discrimination(figure: DiscriminationFigure) -> Finding:
    """Compare odds ratio, AUC and spread: two normal groups of equal SD have ln(OR) = d/SD and AUC = Phi(d/sqrt 2)."""
    implied = calc.sd_from(figure.odds_ratio.value, figure.auc.value)
    known = figure.sd.value
    agrees = known / SD_FACTOR <= implied <= known * SD_FACTOR
    sentence = (
        f"OR {figure.odds_ratio.text} per {figure.unit} with AUC {figure.auc.text} implies an SD of {implied:.2f} "
        f"{figure.unit}; the SD known for this marker is {figure.sd.text}."
    )
    fitting = calc.odds_ratio_from(known, figure.auc.value)
    would = (
        f"an OR of {_g(fitting)} per {figure.unit}, from that AUC and that SD",
        f"an OR of {figure.odds_ratio.text} for another step than 1 {figure.unit}, or near separation",
    )
    return _finding(
        figure, "OR, AUC, SD", CONSISTENT if agrees else INCONSISTENT, sentence, () if agrees else would
    )


def check_proportion(figure: ProportionFigure) -> Finding:
    """Look for a whole number of subjects that prints as the percentage."""
    counts = [figure.count] if figure.count is not None else range(figure.n + 1)
    fits = [k for k in counts if figure.percent.agrees(100 * k / figure.n, 100 * k / figure.n)]
    if fits:
        shown = ", ".join(f"{k}/{figure.n}" for k in fits)
        return _finding(figure, "n, %", CONSISTENT, f"{figure.percent.text}% is {shown}.")
    nearest = min(counts, key=lambda k: abs(100 * k / figure.n - figure.percent.value))
    would = (f"{nearest}/{figure.n} is {100 * nearest / figure.n:.{figure.percent.decimals}f}%",)
    sentence = f"No whole number of {figure.n} is {figure.percent.text}%."
    return _finding(figure, "n, %", INCONSISTENT, sentence, would)


def check_mean(figure: MeanFigure, alternative: tuple[str, float]) -> Finding:
    """State what the mean would be under the other unit; which unit is right cannot be known from the figure."""
    unit, factor = alternative
    sentence = (
        f"{figure.value.text} {figure.unit} is {figure.value.value * factor:.0f} {unit}; if the value had been in "
        f"{unit}, it would be {figure.value.value / factor:.0f} {figure.unit}. The label cannot be checked from here."
    )
    return _finding(figure, "unit", OPEN, sentence)


def _check_interval(figure: OddsRatioFigure, low: Printed, high: Printed) -> Finding:
    centre = [calc.centre(a, b) for a, b in zip(low.bounds, high.bounds, strict=True)]
    se = calc.se_from_limits(low.value, high.value)
    implied = calc.p_from_odds_ratio(figure.value.value, se)
    centred = figure.value.agrees(*centre)
    agrees = centred and (figure.p is None or figure.p.agrees(*_p_span(figure, low, high)))
    printed = f"; printed P {_equals(figure.p)}" if figure.p else ""
    middle = calc.centre(low.value, high.value)
    sentence = (
        f"OR {figure.value.text} ({low.text} to {high.text}): the interval is centred on {_g(middle)} and its "
        f"standard error {se:.2g} gives P = {_p(implied)}{printed}."
    )
    would = () if centred else (f"an OR of {_g(middle)} lies in the middle of that interval",)
    return _finding(figure, "OR, CI, P", CONSISTENT if agrees else INCONSISTENT, sentence, would)


def _p_span(figure: OddsRatioFigure, low: Printed, high: Printed) -> tuple[float, float]:
    wide = calc.se_from_limits(max(low.bounds[0], 1e-9), high.bounds[1])
    narrow = calc.se_from_limits(low.bounds[1], high.bounds[0])
    spans = [
        calc.p_from_odds_ratio(max(value, 1e-9), se)
        for value in figure.value.bounds
        for se in (wide, narrow)
        if se > 0
    ]
    return min(spans), max(spans)


def _restate(figure: OddsRatioFigure, alternative: tuple[str, float]) -> Finding:
    unit, factor = alternative
    steps = ", ".join(f"{_g(figure.value.value**step)} per {step}" for step in (10, 50, 100))
    twin = [
        f"{printed.value ** (1 / factor):.3f}"
        for printed in (figure.value, figure.low, figure.high)
        if printed
    ]
    limits = f" ({twin[1]} to {twin[2]})" if len(twin) == 3 else ""
    sentence = (
        f"OR {figure.value.text} is per 1 {figure.unit}: {steps} {figure.unit}. The same data in {unit} give "
        f"{twin[0]}{limits}, so the unit cannot be told from the estimate."
    )
    return _finding(figure, "unit", OPEN, sentence)


def _correlations_that_fit(figure: CorrelationFigure) -> Iterator[str]:
    r, p, n = figure.r, figure.p, figure.n
    if p.comparator:
        yield f"|r| of {calc.r_from_p(p.value, n):.3f} is where P {_equals(p)} begins at n = {n}"
        return
    sign = "-" if r.value < 0 else ""
    least, most = calc.r_from_p(p.bounds[1], n), calc.r_from_p(max(p.bounds[0], 1e-12), n)
    middle = f"{sign}{calc.r_from_p(p.value, n):.{max(r.decimals, 2)}f}"
    yield f"r = {middle} (|r| from {least:.4f} to {most:.4f}) gives P = {p.text} at n = {n}"
    yield f"n of about {calc.n_from(r.value, p.value):,} gives P = {p.text} at r = {r.text}"
    yield f"P = {_p(calc.p_from_r(r.value, n))} belongs to r = {r.text} at n = {n}"
    for other in figure.other_n:
        yield (
            f"(at n = {other} that r gives P = {_p(calc.p_from_r(r.value, other))}: no better)"
            if not p.agrees(*calc.p_range(r.bounds, other))
            else f"n = {other} gives P = {p.text} at r = {r.text}"
        )


def _near(printed: Printed, value: float) -> bool:
    return bool(abs(printed.value - value) <= LIMIT_UNITS * 10**-printed.decimals)


def _finding(
    figure: CorrelationFigure
    | OddsRatioFigure
    | TwoByTwoFigure
    | DiscriminationFigure
    | ProportionFigure
    | MeanFigure,
    check: str,
    verdict: str,
    sentence: str,
    would_fit: tuple[str, ...] = (),
) -> Finding:
    return Finding(figure.id, figure.study, check, verdict, f"{figure.label}: {sentence}", would_fit)


def _equals(p: Printed | None) -> str:
    return (
        "" if p is None else p.text.replace("<", "< ").replace(">", "> ") if p.comparator else f"= {p.text}"
    )


def _p(value: float) -> str:
    return f"{value:.1g}" if value < 0.0001 else f"{value:.4f}" if value < 0.1 else f"{value:.3f}"


def _g(value: float) -> str:
    return f"{value:.3g}"
