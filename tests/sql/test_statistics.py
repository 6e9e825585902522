"""SQL statistics against scipy on random cohorts with ties, gaps and constants, to 1e-8."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from warehouse.catalogue import refresh, run_query

TOLERANCE = {"rel": 1e-8, "abs": 1e-8}
SCALES = ("irls", "psqi", "hama", "hamd")
VERSIONS = {"irls": "irls_10", "psqi": "order_a", "hama": "hama_14", "hamd": "hamd_24"}


def cohort(seed: int, size: int = 80) -> dict[str, np.ndarray]:
    """Return subjects with integer values, so that ties are many, and missing ones as nan."""
    random = np.random.default_rng(seed)
    is_case = random.random(size) < 0.5
    b12 = np.round(random.normal(200 + 40 * ~is_case, 50) / 10) * 10
    data = {"is_case": is_case, "b12": np.clip(b12, 10, None)}
    for scale in SCALES:
        values = np.clip(np.round(random.normal(12, 4, size) - data["b12"] / 60), 0, 20)
        data[scale] = np.where(random.random(size) < 0.2, np.nan, values)
    return data


def give_cohort(warehouse, insert, data: dict[str, np.ndarray]) -> None:
    size = len(data["b12"])
    names = [f"s{i:03}" for i in range(size)]
    groups = np.where(data["is_case"], "case", "control").tolist()
    subjects = [[n, g, "female", "1970-01-01"] for n, g in zip(names, groups, strict=True)]
    insert(warehouse, "subject", ["subject_id", "cohort_group", "sex", "birth_date"], subjects)
    draws = [[n, v, "2021-03-05 08:00:00"] for n, v in zip(names, data["b12"].tolist(), strict=True)]
    insert(warehouse, "core.lab_result", ["subject_id", "value", "collected_at"], draws)
    taken = [
        (f"00000000-0000-0000-0000-{k:04}{i:08}", names[i], scale, data[scale][i])
        for k, scale in enumerate(SCALES)
        for i in range(size)
        if not np.isnan(data[scale][i])
    ]
    insert(
        warehouse,
        "core.administration",
        ["administration_id", "subject_id", "instrument", "administered_at"],
        [[i, n, s, "2021-03-05 09:00:00"] for i, n, s, _ in taken],
    )
    insert(
        warehouse,
        "core.score",
        ["administration_id", "subject_id", "instrument", "version", "value"],
        [[i, n, s, VERSIONS[s], float(v)] for i, n, s, v in taken],
    )
    refresh(warehouse)


@pytest.fixture(scope="module", params=range(3), ids=lambda seed: f"cohort {seed}")
def given_cohort(installed, insert, request):
    """A random cohort in the warehouse, and its numbers."""
    data = cohort(request.param)
    installed.execute("begin")
    give_cohort(installed, insert, data)
    yield installed, data
    installed.execute("rollback")


def test_correlations_are_those_of_scipy(given_cohort) -> None:
    warehouse, data = given_cohort
    rows = {row["measure"]: row for row in run_query(warehouse, "exposure_correlation").iter_rows(named=True)}
    for scale in SCALES:
        known = data["is_case"] & ~np.isnan(data[scale])
        x, y = data["b12"][known], data[scale][known]
        pearson, spearman = stats.pearsonr(x, y), stats.spearmanr(x, y)
        row = rows[scale]
        assert row["n"] == known.sum()
        assert row["pearson_r"] == pytest.approx(pearson.statistic, **TOLERANCE)
        assert row["spearman_rho"] == pytest.approx(spearman.statistic, **TOLERANCE)
        interval = pearson.confidence_interval(0.95)
        assert (row["pearson_low"], row["pearson_high"]) == pytest.approx(tuple(interval), **TOLERANCE)
        # scipy's p is that of t with n - 2 degrees of freedom
        for t, p in ((row["pearson_t"], pearson.pvalue), (row["spearman_t"], spearman.pvalue)):
            assert 2 * stats.t.sf(abs(t), row["n"] - 2) == pytest.approx(p, **TOLERANCE)


def test_group_comparison_is_that_of_scipy(given_cohort) -> None:
    warehouse, data = given_cohort
    rows = {row["measure"]: row for row in run_query(warehouse, "group_comparison").iter_rows(named=True)}
    for measure in ("b12", "psqi", "hama", "hamd"):
        known = ~np.isnan(data[measure])
        case, control = data[measure][known & data["is_case"]], data[measure][known & ~data["is_case"]]
        row = rows[measure]
        welch = stats.ttest_ind(case, control, equal_var=False)
        rank_sum = stats.mannwhitneyu(case, control, method="asymptotic", use_continuity=False)
        assert (row["case_n"], row["control_n"]) == (len(case), len(control))
        assert row["case_sd"] == pytest.approx(case.std(ddof=1), **TOLERANCE)
        quartiles = (row["control_q1"], row["control_median"], row["control_q3"])
        assert quartiles == pytest.approx(tuple(np.quantile(control, [0.25, 0.5, 0.75])), **TOLERANCE)
        assert row["welch_t"] == pytest.approx(welch.statistic, **TOLERANCE)
        assert row["welch_df"] == pytest.approx(welch.df, **TOLERANCE)
        assert row["rank_sum_u"] == pytest.approx(rank_sum.statistic, **TOLERANCE)
        assert 2 * stats.norm.sf(abs(row["rank_sum_z"])) == pytest.approx(rank_sum.pvalue, **TOLERANCE)
    assert rows["irls"]["control_n"] == 0


def test_the_odds_ratio_is_that_of_scipy(given_cohort) -> None:
    warehouse, data = given_cohort
    low = data["b12"] < 200
    table = [[(low & group).sum(), (~low & group).sum()] for group in (data["is_case"], ~data["is_case"])]
    (row,) = run_query(warehouse, "deficiency_by_group", {"profile": "classic_200_pg"}).iter_rows(named=True)
    names = (("case_deficient", "case_not_deficient"), ("control_deficient", "control_not_deficient"))
    assert [[row[name] for name in pair] for pair in names] == table
    ratio = stats.contingency.odds_ratio(np.array(table), kind="sample")
    assert row["odds_ratio"] == pytest.approx(ratio.statistic, **TOLERANCE)
    interval = ratio.confidence_interval(0.95)
    assert (row["odds_ratio_low"], row["odds_ratio_high"]) == pytest.approx(tuple(interval), **TOLERANCE)


def test_mood_by_deficiency_is_that_of_scipy(given_cohort) -> None:
    warehouse, data = given_cohort
    query = run_query(warehouse, "mood_by_deficiency", {"profile": "classic_200_pg"})
    rows = {row["measure"]: row for row in query.iter_rows(named=True)}
    for scale in ("hama", "hamd", "psqi"):
        known = data["is_case"] & ~np.isnan(data[scale])
        low = data["b12"] < 200
        welch = stats.ttest_ind(data[scale][known & low], data[scale][known & ~low], equal_var=False)
        assert rows[scale]["welch_t"] == pytest.approx(welch.statistic, **TOLERANCE)
