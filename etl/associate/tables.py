"""Counts against counts: odds ratio of a 2x2 table, chi-square, Fisher, standardised difference of shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Counts = Sequence[Sequence[int]]


@dataclass(frozen=True)
class TableTest:
    """One statistic of a table; p belongs to the test that the method names."""

    method: str
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    note: str = ""


def odds_ratio(table: Counts, level: float = 0.95) -> list[TableTest]:
    """Estimate the odds ratio of [[case exposed, case not], [control exposed, control not]] in two ways.

    Woolf: (ad)/(bc) with a normal interval of its logarithm, p from its z; with an empty cell 1/2 is added to each
    (Haldane-Anscombe), and the note says so. Exact: the conditional estimate with Fisher's interval and p.
    An unbounded limit is infinite.
    """
    n = int(np.sum(table))
    if not _has_both_margins(table):
        return [TableTest("Woolf", n), TableTest("exact conditional", n)]
    return [_woolf(table, level), _exact(table, level)]


def association(table: Counts) -> list[TableTest]:
    """Test rows against columns: Pearson chi-square without continuity correction, and Fisher for 2x2."""
    from scipy import stats

    counts = np.asarray(table)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    n = int(counts.sum())
    if min(counts.shape) < 2:
        return [TableTest("chi-square", n, note="one row or column only")]
    chi = stats.chi2_contingency(counts, correction=False)
    note = "expected count below 5" if chi.expected_freq.min() < 5 else ""
    found = [TableTest("chi-square", n, float(chi.statistic), p=float(chi.pvalue), note=note)]
    if counts.shape == (2, 2):
        found.append(TableTest("Fisher exact", n, p=float(stats.fisher_exact(counts).pvalue)))
    return found


def share_difference(cases: Sequence[int], controls: Sequence[int]) -> float | None:
    """Return the standardised difference of two multinomial distributions, never negative.

    Mahalanobis distance of the shares, first level left out (Yang and Dalton, SAS Global Forum 2012, 335); None when
    it is infinite (a level that is all of one group and none of the other).
    """
    if not (sum(cases) and sum(controls)):
        return None
    p, q = (np.asarray(counts, dtype=float) / sum(counts) for counts in (cases, controls))
    p, q = p[1:], q[1:]
    covariance = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    gap = p - q
    solved = np.linalg.pinv(covariance) @ gap
    if not np.allclose(covariance @ solved, gap):
        return None
    return float(np.sqrt(max(float(gap @ solved), 0.0)))


def _woolf(table: Counts, level: float) -> TableTest:
    from scipy import stats

    cells = np.asarray(table, dtype=float)
    note = ""
    if (cells == 0).any():
        cells, note = cells + 0.5, "1/2 added to each cell"
    log_ratio = float(np.log(cells[0, 0] * cells[1, 1] / (cells[0, 1] * cells[1, 0])))
    se = float(np.sqrt((1 / cells).sum()))
    half = float(stats.norm.ppf((1 + level) / 2)) * se
    limits = np.exp([log_ratio - half, log_ratio, log_ratio + half])
    p = float(2 * stats.norm.sf(abs(log_ratio) / se))
    return TableTest(
        "Woolf", int(np.sum(table)), float(limits[1]), float(limits[0]), float(limits[2]), p, note
    )


def _exact(table: Counts, level: float) -> TableTest:
    from scipy import stats

    result = stats.contingency.odds_ratio(table, kind="conditional")
    low, high = result.confidence_interval(level)
    p = float(stats.fisher_exact(table).pvalue)
    return TableTest(
        "exact conditional", int(np.sum(table)), float(result.statistic), float(low), float(high), p
    )


def _has_both_margins(table: Counts) -> bool:
    counts = np.asarray(table)
    return bool((counts.sum(axis=0) > 0).all() and (counts.sum(axis=1) > 0).all())
