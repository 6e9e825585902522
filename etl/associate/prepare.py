"""From the mart's rows to analysis rows: groups that exist, censored values by policy, deficiency with three values."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
from numpy.typing import NDArray

from etl.associate.model import CASE, CONTROL, AnalysisFrames
from etl.associate.protocol import AssociationProtocol, Censoring, Deficiency
from schemas.errors import DefinitionError

Floats = NDArray[np.float64]

BELOW, ABOVE = ("<", "<="), (">", ">=")
DIVISOR = {"limit": 1.0, "half": 2.0, "root2": math.sqrt(2), "exclude": 1.0}


def prepare(frames: AnalysisFrames, protocol: AssociationProtocol) -> tuple[pl.DataFrame, list[str]]:
    """Return the subjects of the two groups, ready for analysis, and notes on what was set aside.

    Adds `measured` (the exposure as it came), `comparator` and `deficient`. Raises DefinitionError for a frame that
    is not one row a subject with a group and the exposure.
    """
    subjects = frames.subjects
    _check(subjects, protocol)
    known = subjects.filter(pl.col("cohort_group").is_in([CASE, CONTROL]))
    notes = _notes(subjects, known, protocol)
    comparator = f"{protocol.exposure}_comparator"
    has = pl.col(comparator).cast(pl.String) if comparator in known.columns else pl.lit(None, pl.String)
    known = known.with_columns(
        pl.col(pl.Float32, pl.Float64).fill_nan(None),
        measured=pl.col(protocol.exposure).cast(pl.Float64).fill_nan(None),
        comparator=has,
    )
    if "deficient" not in known.columns:
        known = known.with_columns(deficient=_is_deficient(protocol.deficiency))
    hidden = [s.name for s in protocol.score if s.cases_only and s.name in known.columns]
    known = known.with_columns(pl.when(pl.col("cohort_group") == CASE).then(pl.col(hidden)))
    return censor(known, protocol.exposure, protocol.censoring), notes


def censor(subjects: pl.DataFrame, exposure: str, policy: Censoring) -> pl.DataFrame:
    """Set the exposure of censored rows by a policy; values above a limit stay at it or are left out."""
    below = pl.col("comparator").is_in(BELOW)
    above = pl.col("comparator").is_in(ABOVE)
    left_out = (below | above) & pl.lit(policy == "exclude")
    value = pl.when(below).then(pl.col("measured") / DIVISOR[policy]).otherwise(pl.col("measured"))
    return subjects.with_columns(pl.when(~left_out.fill_null(value=False)).then(value).alias(exposure))


def values(subjects: pl.DataFrame, column: str) -> Floats:
    """Return a column as floats, NaN where it is null or the frame has no such column."""
    if column not in subjects.columns:
        return np.full(len(subjects), np.nan)
    return subjects[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def group(subjects: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the subjects of one group."""
    return subjects.filter(pl.col("cohort_group") == name)


def _is_deficient(threshold: Deficiency) -> pl.Expr:
    """Compare with the threshold; a censored value whose limit does not settle it is unknown."""
    if threshold.below is None:
        raise DefinitionError(
            f"Nothing says who is {threshold.name}.",
            "Neither the protocol nor the rows do.",
            "name its limit in the study file",
        )
    below = threshold.below
    value, comparator = pl.col("measured"), pl.col("comparator")
    return (
        pl.when(comparator.is_in(BELOW))
        .then(pl.when(value <= below).then(statement=True))
        .when(comparator.is_in(ABOVE))
        .then(pl.when(value >= below).then(statement=False))
        .otherwise(value < below)
    )


def _check(subjects: pl.DataFrame, protocol: AssociationProtocol) -> None:
    missing = [c for c in ("subject_id", "cohort_group", protocol.exposure) if c not in subjects.columns]
    if missing:
        raise DefinitionError(
            f"The analysis rows have no column {', '.join(missing)}.",
            "The protocol's models name it.",
            "take it out of the study file, or add it to mart.subject_baseline",
        )
    if subjects["subject_id"].is_duplicated().any():
        raise DefinitionError(
            "The analysis rows are not one row a subject.",
            "A subject counted twice is two subjects.",
            "etl verify; it is a bug if both identities hold",
        )


def _notes(subjects: pl.DataFrame, known: pl.DataFrame, protocol: AssociationProtocol) -> list[str]:
    controls = group(known, CONTROL)
    lost = ["Subjects without a group (case or control) are left out."] if len(known) < len(subjects) else []
    pooled = [
        f"{score.label} is recorded in controls, where it is undefined: set aside, not pooled."
        for score in protocol.score
        if score.cases_only and score.name in known.columns and controls[score.name].is_not_null().any()
    ]
    comparator = f"{protocol.exposure}_comparator"
    is_censored = comparator in known.columns and known[comparator].is_not_null().any()
    policy = [
        f"Censored values enter by the policy '{protocol.censoring}'; the others are under sensitivity."
    ]
    return [*lost, *pooled, *(policy if is_censored else [])]
