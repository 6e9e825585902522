"""What goes into an association analysis and what comes out: flat records, no subject's value among them."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

CASE = "case"
CONTROL = "control"
ALL = "all"


@dataclass(frozen=True)
class AnalysisFrames:
    """The rows to analyse.

    subjects: one row a subject with subject_id, cohort_group (case, control), b12 (pg/mL) and, as far as the study
    has them, b12_comparator, sex, age, match_set, site, platform, the scores and the covariates of the protocol.
    An optional Boolean `deficient` overrides the comparison made here: it was made in the threshold's own unit.
    flow: step, n_case, n_control (who is left after the step), n_unknown (of how many the step's rule knows nothing),
    rule (its id), in order; empty when the caller keeps no flow.
    tables: further counts to show, such as who answers which question.
    before_iron: the subjects and those whom only a rule on iron stores left out, if there is such a rule.
    """

    subjects: pl.DataFrame
    flow: pl.DataFrame = field(default_factory=pl.DataFrame)
    tables: tuple[CountTable, ...] = ()
    before_iron: pl.DataFrame | None = None


@dataclass(frozen=True)
class Estimate:
    """One number with its interval; None is undefined, hidden or not asked for."""

    id: str
    section: str  # correlation, contrast, table, band, univariable, model, discrimination, sensitivity
    measure: str  # odds ratio, Pearson r, mean difference, ...
    about: str
    subset: str
    method: str
    n: int | None
    value: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    per: str = ""  # the step of the term with its unit, or the level that it is against
    adjusted_for: str = ""
    n_case: int | None = None
    n_control: int | None = None
    p_holm: float | None = None
    p_bh: float | None = None
    note: str = ""
    table: str = ""  # the count table whose small cells this number would give away
    row: str = ""  # the row of that table; empty for all of them


@dataclass(frozen=True)
class Summary:
    """How one variable is distributed in one group or band."""

    variable: str
    unit: str
    group: str
    n: int | None
    missing: int | None
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    p05: float | None = None
    p95: float | None = None


@dataclass(frozen=True)
class CountTable:
    """Counts of subjects, rows by columns; None is a hidden cell."""

    id: str
    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True)
class Diagnostics:
    """What a reader needs to judge a logistic model."""

    model: str
    method: str
    n: int | None
    n_case: int | None
    n_control: int | None
    left_out: int | None
    parameters: int
    events_per_variable: float | None
    is_separated: bool
    max_vif: float | None
    vif: dict[str, float] = field(default_factory=dict)
    linearity_p: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Curve:
    """A ROC curve on a regular grid, so that no single subject shows as a step."""

    marker: str
    false_positive: tuple[float, ...]
    true_positive: tuple[float, ...]


@dataclass(frozen=True)
class Trend:
    """A straight line and the means in equal-sized groups of the exposure."""

    id: str
    x: str
    y: str
    intercept: float
    slope: float
    means: tuple[tuple[float, float, int], ...]
    errors: tuple[float, ...] = ()  # standard error of each mean of y


@dataclass(frozen=True)
class Finding:
    """What a check says about one published figure."""

    figure: str
    study: str
    check: str
    verdict: str  # consistent, inconsistent, open
    sentence: str
    would_fit: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beside:
    """A published figure and ours, rounded alike."""

    figure: str
    study: str
    label: str
    published: str
    ours: str
    n: int | None
    is_same: bool | None  # None when we have no such estimate
    estimate: str = ""  # the id of ours


@dataclass(frozen=True)
class AssociationReport:
    """Everything an analysis found."""

    protocol: dict[str, object]
    flow: tuple[dict[str, object], ...]
    summaries: tuple[Summary, ...]
    tables: tuple[CountTable, ...]
    estimates: tuple[Estimate, ...]
    diagnostics: tuple[Diagnostics, ...]
    curves: tuple[Curve, ...]
    trends: tuple[Trend, ...]
    findings: tuple[Finding, ...]
    beside: tuple[Beside, ...]
    notes: tuple[str, ...] = ()
    provenance: dict[str, str] = field(default_factory=dict)  # which data, study and validation it rests on
    study: dict[str, object] = field(default_factory=dict)  # the study protocol that chose the subjects
    checks: dict[str, str] = field(default_factory=dict)  # how the last validation ended, by check

    def estimate(self, estimate_id: str) -> Estimate | None:
        """Return the estimate of that id, if the analysis made it."""
        return next((e for e in self.estimates if e.id == estimate_id), None)
