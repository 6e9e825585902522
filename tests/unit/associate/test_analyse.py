"""The whole analysis: the synthetic cohort prints as published; thin data give reasons, not errors."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

from etl.associate.analyse import analyse
from etl.associate.model import AnalysisFrames, AssociationReport


@pytest.fixture(scope="module")
def report(cohort) -> AssociationReport:
    return analyse(AnalysisFrames(cohort))


def test_the_synthetic_cohort_prints_the_published_triple(report):
    # Published: OR 0.97 (0.96-0.98) per pg/mL, r = -0.254 (intended) and -0.295, made from Normal(168, 50) against
    # Normal(244, 50); -0.254 at n = 80 has P = 0.023, -0.295 has P = 0.0079.
    odds = report.estimate("model/adjusted/b12/1 pg/mL")
    assert [f"{v:.2f}" for v in (odds.value, odds.low, odds.high)] == ["0.97", "0.96", "0.98"]
    irls, hamd = (report.estimate(f"correlation/pearson/case/b12~{s}") for s in ("irls", "hamd"))
    assert (f"{irls.value:.3f}", f"{irls.p:.3f}") == ("-0.254", "0.023")
    assert (f"{hamd.value:.3f}", f"{hamd.p:.4f}") == ("-0.295", "0.0079")
    assert (irls.n, odds.n_case, odds.n_control) == (80, 80, 80)


def test_ours_stand_beside_the_published(report):
    same = {b.figure: b.is_same for b in report.beside}
    assert same["geng-b12-or"] is True
    assert same["geng-b12-irls"] is False  # r prints -0.254, not -0.025
    assert all(b.estimate for b in report.beside)


def test_the_same_odds_ratio_is_stated_in_both_units(report):
    per_pg, per_pmol = (report.estimate(f"model/crude/b12/1 {unit}").value for unit in ("pg/mL", "pmol/L"))
    assert per_pmol == pytest.approx(per_pg ** (1 / 0.737806))


def test_irls_is_correlated_in_cases_only(report):
    ids = {e.id for e in report.estimates if e.section == "correlation"}
    assert "correlation/pearson/case/b12~irls" in ids
    assert "correlation/pearson/control/b12~irls" not in ids
    assert "correlation/spearman/control/b12~hamd" in ids


def test_every_estimate_has_its_own_id_and_n(report):
    ids = [e.id for e in report.estimates]
    assert len(ids) == len(set(ids))
    assert all(e.n is not None for e in report.estimates)


def test_matched_models_need_matched_sets(cohort, report):
    assert report.estimate("model/crude, matched/b12/1 SD") is not None
    assert (
        report.estimate("model/adjusted, matched/b12/1 SD") is None
    )  # age and sex are held fixed by the sets
    without = analyse(AnalysisFrames(cohort.drop("match_set")))
    assert not [d for d in without.diagnostics if "matched" in d.model]


def test_each_measurement_alone_is_given_per_unit_and_per_sd(cohort, report):
    # One per SD is the one per unit to the power of the SD (numpy's, over the complete rows).
    unit, sd = (report.estimate(f"univariable/homocysteine/{per}") for per in ("1 umol/L", "1 SD"))
    assert sd.value == pytest.approx(unit.value ** cohort["homocysteine"].std())
    assert report.estimate("univariable/b12/1 SD") is None  # that is the crude model


def test_missing_covariates_are_named_and_the_rest_is_fitted(cohort):
    found = analyse(AnalysisFrames(cohort.drop("homocysteine", "age")))
    notes = {d.model: d.notes for d in found.diagnostics}
    assert "not in the data, left out: age, homocysteine" in notes["extended"]
    assert found.estimate("model/extended/b12/1 SD").value is not None


THIN = {
    "no exposure": pl.lit(None, pl.Float64).alias("b12"),
    "constant exposure": pl.lit(200.0).alias("b12"),
    "cases only": pl.lit("case").alias("cohort_group"),
    "no groups": pl.lit(None, pl.String).alias("cohort_group"),
    "exposure in cases only": pl.when(pl.col("cohort_group") == "case").then("b12").alias("b12"),
}


@pytest.mark.parametrize(
    ("change", "size"), [*((c, 160) for c in THIN.values()), *((pl.all(), size) for size in (0, 1, 2, 3, 8))]
)
def test_thin_data_give_reasons_not_errors(cohort, change, size):
    found = analyse(AnalysisFrames(cohort.sample(size, seed=1).with_columns(change)))
    models = [e for e in found.estimates if e.section == "model" and "/b12/" in e.id]
    assert models
    assert all(e.note for e in models if e.value is None)
    assert size == 8 or any(e.value is None for e in models)


def test_only_the_three_required_columns_are_enough(cohort):
    found = analyse(AnalysisFrames(cohort.select("subject_id", "cohort_group", "b12")))
    assert found.estimate("model/adjusted/b12/1 SD").value is not None
    assert {b.figure: b.is_same for b in found.beside}["geng-b12-irls"] is None


def test_full_separation_is_handled_end_to_end(cohort):
    parted = cohort.drop("site", "platform", "ferritin").with_columns(
        b12=pl.col("b12") + 1000 * (pl.col("cohort_group") == "control")
    )
    found = analyse(AnalysisFrames(parted))
    odds = found.estimate("model/crude/b12/1 SD")
    assert odds.method.startswith("Firth")
    assert odds.value < 1
    assert found.estimate("roc/b12/auc").value == 1
    assert "separated" in found.estimate("model/crude, matched/b12/1 SD").note


def test_importing_the_analysis_does_not_import_scipy_or_statsmodels():
    code = "import sys, etl.associate.analyse, etl.associate.render; print({'scipy', 'statsmodels'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
