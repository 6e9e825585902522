"""The descriptive parts: groups side by side, correlations, deficiency, severity bands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from etl.associate.correlation import Correlation, adjust, pearson, spearman
from etl.associate.groups import Floats, compare, compare_bands, standardised_difference, summarise
from etl.associate.model import CASE, CONTROL, CountTable, Estimate, Trend
from etl.associate.part import Part
from etl.associate.prepare import group, values
from etl.associate.protocol import AssociationProtocol, Score, Variable
from etl.associate.tables import association, odds_ratio, share_difference

# A plotted mean stands for at least this many subjects. A judgement.
SUBJECTS_A_MEAN = 10
MEANS = 5

SMD = "difference in standard deviations"


def compare_groups(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Part:
    """Describe and compare every variable that the frame has."""
    part = Part()
    for variable in protocol.variable:
        if variable.name not in subjects.columns or subjects[variable.name].is_null().all():
            continue
        if variable.unit:
            _add_measure(part, subjects, variable, protocol.level)
        else:
            _add_category(part, subjects, variable)
    return part


def correlate(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Part:
    """Correlate the exposure with each score, within cases and within controls, never across them.

    Holm and Benjamini-Hochberg correct over the scores of one method in one group.
    """
    part = Part()
    for subset in (CASE, CONTROL):
        rows = group(subjects, subset)
        scores = [
            s for s in protocol.score if s.name in rows.columns and not (s.cases_only and subset == CONTROL)
        ]
        for short, method in (("pearson", pearson), ("spearman", spearman)):
            found = [
                method(values(rows, protocol.exposure), values(rows, s.name), protocol.level) for s in scores
            ]
            named = [_correlation(c, s, short, subset, protocol) for c, s in zip(found, scores, strict=True)]
            part.estimates += _with_families(named)
        if subset == CASE:
            part.trends += [t for s in scores if (t := _trend(rows, protocol.exposure, s.name))]
    return part


def compare_deficiency(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Part:
    """Count deficient subjects by group with the odds ratio, and compare scores by deficiency within cases."""
    part = Part()
    known = subjects.filter(pl.col("deficient").is_not_null())
    by_group = [group(known, g)["deficient"] for g in (CASE, CONTROL)]
    cells = tuple((int(s.sum()), int((~s).sum())) for s in by_group)
    name = f"B12 {protocol.deficiency.name}"
    part.tables.append(CountTable("deficiency", name, (CASE, CONTROL), ("deficient", "not deficient"), cells))
    like = replace(_contrast("", f"{name}, case against control", "all", table="deficiency"), section="table")
    like = replace(like, id="table/deficiency")
    for test in odds_ratio(cells, protocol.level):
        limits: dict[str, Any] = {"low": test.low, "high": test.high, "p": test.p, "note": test.note}
        part.estimates.append(_as(like, test.method, "odds ratio", test.n, test.value, **limits))
    for test in association(cells):
        part.estimates.append(_as(like, test.method, "test", test.n, test.value, p=test.p, note=test.note))
    cases = group(known, CASE)
    for score in protocol.score:
        if score.name in cases.columns:
            parts = [values(cases.filter(pl.col("deficient") == flag), score.name) for flag in (True, False)]
            like = _contrast(f"deficient/{score.name}", f"{score.label}, deficient minus not deficient", CASE)
            part.estimates += _contrasts(parts[0], parts[1], like, protocol.level)
    return part


def compare_severity(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Part:
    """Describe the exposure by band of each banded score in cases, with rank tests of difference and trend."""
    part = Part()
    cases = group(subjects, CASE)
    for score in protocol.score:
        if not score.bands or score.name not in cases.columns:
            continue
        # A band reaches up to the next whole score, so that no half point falls between two bands.
        value = pl.col(score.name)
        bands = [cases.filter((value >= b.start) & (value < b.end + 1)) for b in score.bands]
        exposures = [values(rows, protocol.exposure) for rows in bands]
        part.summaries += [
            summarise(v, protocol.exposure, protocol.unit, f"{score.label} {b.name}")
            for v, b in zip(exposures, score.bands, strict=True)
        ]
        for test in compare_bands(exposures):
            like = _contrast("", f"{protocol.label(protocol.exposure)} by {score.label} band", CASE)
            like = replace(like, id=f"band/{score.name}", section="band")
            measure = "test" if test.estimate is None else "tau-b"
            part.estimates.append(_as(like, test.test, measure, test.n, test.statistic, p=test.p))
    return part


def _add_measure(part: Part, subjects: pl.DataFrame, variable: Variable, level: float) -> None:
    a, b = (values(group(subjects, g), variable.name) for g in (CASE, CONTROL))
    part.summaries += [summarise(v, variable.name, variable.unit, g) for v, g in ((a, CASE), (b, CONTROL))]
    like = _contrast(variable.name, f"{variable.label}, case minus control", "all", variable.unit)
    part.estimates += _contrasts(a, b, like, level)


def _contrast(key: str, about: str, subset: str, unit: str = "", table: str = "") -> Estimate:
    return Estimate(
        f"contrast/{key}", "contrast", "test", about, subset, "", None, None, per=unit, table=table
    )


def _contrasts(a: Floats, b: Floats, like: Estimate, level: float) -> list[Estimate]:
    found = []
    for test in compare(a, b, level):
        is_rank = test.test == "Mann-Whitney"
        value, measure = (test.statistic, "U") if is_rank else (test.estimate, "mean difference")
        found.append(_as(like, test.test, measure, test.n, value, low=test.low, high=test.high, p=test.p))
    n = int(np.isfinite(a).sum() + np.isfinite(b).sum())
    return [*found, _as(like, SMD, "standardised difference", n, standardised_difference(a, b))]


def _as(
    like: Estimate, method: str, measure: str, n: int, value: float | None, **more: float | str | None
) -> Estimate:
    changes: dict[str, Any] = {"method": method, "measure": measure, "n": n, "value": value, **more}
    return replace(like, id=f"{like.id}/{'smd' if method == SMD else method}", **changes)


def _add_category(part: Part, subjects: pl.DataFrame, variable: Variable) -> None:
    known = subjects.filter(pl.col(variable.name).is_not_null()).with_columns(
        pl.col(variable.name).cast(pl.String)
    )
    levels = sorted(known[variable.name].unique().to_list())
    counts = tuple(
        tuple(int((group(known, g)[variable.name] == level).sum()) for level in levels)
        for g in (CASE, CONTROL)
    )
    table_id = f"group/{variable.name}"
    part.tables.append(
        CountTable(table_id, f"{variable.label} by group", (CASE, CONTROL), tuple(levels), counts)
    )
    like = _contrast(variable.name, f"{variable.label} by group", "all", table=table_id)
    part.estimates += [
        _as(like, t.method, "test", t.n, t.value, p=t.p, note=t.note) for t in association(counts)
    ]
    part.estimates.append(_as(like, SMD, "standardised difference", len(known), share_difference(*counts)))


def _correlation(
    found: Correlation, score: Score, short: str, subset: str, protocol: AssociationProtocol
) -> Estimate:
    return Estimate(
        f"correlation/{short}/{subset}/{protocol.exposure}~{score.name}",
        "correlation",
        "Pearson r" if short == "pearson" else "Spearman rho",
        f"{protocol.label(protocol.exposure)} with {score.label}",
        subset,
        found.method,
        found.n,
        found.r,
        found.low,
        found.high,
        found.p,
    )


def _with_families(estimates: list[Estimate]) -> list[Estimate]:
    p_values = [e.p for e in estimates]
    corrected = zip(estimates, adjust(p_values, "holm"), adjust(p_values, "bh"), strict=True)
    return [replace(e, p_holm=holm, p_bh=bh) for e, holm, bh in corrected]


def _trend(rows: pl.DataFrame, x_name: str, y_name: str) -> Trend | None:
    x, y = values(rows, x_name), values(rows, y_name)
    complete = np.isfinite(x) & np.isfinite(y)
    x, y = x[complete], y[complete]
    if len(x) < 3 or np.ptp(x) == 0:
        return None
    slope, intercept = np.polyfit(x, y, 1)
    count = min(MEANS, len(x) // SUBJECTS_A_MEAN)
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, count) if count > 1 else []
    means = tuple((float(x[i].mean()), float(y[i].mean()), len(i)) for i in parts)
    errors = tuple(float(y[i].std(ddof=1) / np.sqrt(len(i))) for i in parts)
    return Trend(f"{x_name}~{y_name}", x_name, y_name, float(intercept), float(slope), means, errors)
