"""Suspicions about whole files. The cohorts and defects are those of benchmarks/bench_scoring.py, on few seeds here.

The full measure over severities and seeds, with what the checks cannot see, is printed by the benchmark.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest

from etl.scoring.validity import FILE_FINDING_SCHEMA, file_findings

_SPEC = importlib.util.spec_from_file_location(
    "bench_scoring", Path(__file__).parents[3] / "benchmarks" / "bench_scoring.py"
)
bench = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(bench)
CASES = list(bench.defects())


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}-{case[3]}" for case in CASES])
def test_a_planted_defect_is_found(case):
    assert bench.is_found(case, bench.SEVERITIES["patients"], seed=1)


@pytest.mark.parametrize("total", bench.WRONG_TOTALS, ids=[f"{a}-{b}" for a, b in bench.WRONG_TOTALS])
def test_the_total_of_another_score_is_named(total):
    assert bench.finds_wrong_total(*total, bench.SEVERITIES["patients"], 1)


@pytest.mark.parametrize("name", bench.SCORED)
def test_a_clean_file_raises_nothing(name):
    assert [bench.false_alarms(name, severity, 7) for severity in bench.SEVERITIES.values()] == [
        [],
        [],
        [],
        [],
    ]


def _clean(name: str, seed: int = 3) -> pl.DataFrame:
    rng = bench.np.random.default_rng(seed)
    return bench.as_responses(bench.VERSIONS[name], bench.draw_cohort(bench.VERSIONS[name], 0.5, rng))


def test_a_finding_counts_and_explains_and_shows_no_answer():
    shifted = _clean("irls_10").with_columns(pl.col("value") + 1)
    found = file_findings(shifted)
    assert found.schema == FILE_FINDING_SCHEMA
    (finding,) = found.rows(named=True)
    assert (finding["check_id"], finding["instrument"], finding["denominator"]) == (
        "items_shifted_up",
        "irls",
        800,
    )
    assert finding["numerator"] == (shifted["value"] == 5).sum()
    assert finding["sentence"]
    assert finding["advice"]


def test_answers_that_were_held_are_seen_as_written():
    shifted = _clean("irls_10").with_columns(
        value_source=(pl.col("value") + 1).cast(pl.String),
        value=pl.when(pl.col("value") < 4).then(pl.col("value") + 1),
    )
    assert file_findings(shifted)["check_id"].to_list() == ["items_shifted_up"]


def test_code_three_of_hamd_item_16_is_named_and_is_no_other_version():
    coded = _clean("hamd_17").with_columns(
        value=pl.when((pl.col("item") == "16") & (pl.col("value") == 2)).then(3.0).otherwise("value")
    )
    assert file_findings(coded).select("check_id", "item").rows() == [("not_assessed_code", "16")]


def test_the_most_depressed_answers_to_yes_or_no_are_no_straight_line():
    answers = _clean("gds_15")
    severe = pl.col("administration_id").cast(pl.Int64) < 24
    assert file_findings(answers.with_columns(value=pl.when(severe).then(1.0).otherwise("value"))).is_empty()


@pytest.mark.parametrize("name", ["irls_10", "sds_20"])
def test_an_item_always_at_its_lowest_score_is_not_reported(name):
    case = ("constant_item", name, bench.constant_at_lowest, name)
    assert not any(bench.is_found(case, bench.SEVERITIES["healthy"], seed) for seed in range(5))


def test_too_few_administrations_give_no_statement():
    few = (
        _clean("irls_10")
        .filter(pl.col("administration_id").cast(pl.Int64) < 19)
        .with_columns(pl.col("value") + 1)
    )
    assert file_findings(few).is_empty()


def test_a_few_mistyped_totals_are_no_other_version():
    answers = _clean("hamd_24")
    totals = bench.score(answers).filter(pl.col("scale") == "total").with_columns(item=pl.lit("total"))
    mistyped = pl.int_range(pl.len()) < 5
    stated = totals.with_columns(value=pl.when(mistyped).then(pl.col("value") + 10).otherwise("value"))
    assert file_findings(pl.concat([answers, stated.select(answers.columns)])).is_empty()


def test_latencies_in_hours():
    hours = pl.DataFrame({"administration_id": [str(n) for n in range(30)]}).with_columns(
        subject_id=pl.col("administration_id"), instrument=pl.lit("psqi"), version=pl.lit("order_a"), item=pl.lit("2"),
        value=pl.Series([0.25, 0.5, 1.0] * 10),
    )  # fmt: skip
    assert file_findings(hours)["check_id"].to_list() == ["latency_in_hours"]
    assert file_findings(hours.with_columns(pl.col("value") * 60)).is_empty()


def _hours(*texts: str) -> pl.DataFrame:
    rows = [(str(n), text) for n, text in enumerate(texts)]
    return pl.DataFrame(rows, schema=["administration_id", "value_source"], orient="row").with_columns(
        subject_id=pl.col("administration_id"), instrument=pl.lit("psqi"), version=pl.lit("order_a"), item=pl.lit("4"),
        value=pl.col("value_source").str.replace(",", ".").cast(pl.Float64),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["6.45", "7.30", "8.00", "6.15", "7.00"], ["sleep_hours_as_clock"]),
        (["6.75", "7.30", "8.00", "6.15", "7.00"], []),  # 75 is no minute
        (["6.50", "7.25", "8.00", "6.00", "7.50"], []),  # quarters of an hour
        (["6.5", "7.3", "8", "6.4", "7"], []),
        (["0.3125", "0.2917", "0.25", "0.33", "0.29"], ["sleep_in_days"]),  # 7.5, 7, 6, 8 and 7 hours
    ],
)
def test_hours_of_sleep_in_another_notation(texts, found):
    assert file_findings(_hours(*texts * 6))["check_id"].to_list() == found


def test_a_file_in_which_some_forms_are_shorter_is_named_with_their_number():
    answers = _clean("hamd_24").with_columns(
        value=pl.when(
            (pl.col("item").cast(pl.Int64) < 18) | (pl.col("administration_id").cast(pl.Int64) % 4 > 0)
        ).then("value")
    )  # every fourth form of 80 ends at item 17
    found = file_findings(answers).select("check_id", "numerator", "denominator").rows()
    assert found == [("forms_of_several_versions", 20, 80)]


def test_single_forms_with_gaps_are_no_other_version():
    few = (pl.col("item").cast(pl.Int64) < 18) | (pl.col("administration_id").cast(pl.Int64) > 1)
    assert file_findings(_clean("hamd_24").with_columns(value=pl.when(few).then("value"))).is_empty()


def test_no_responses_give_no_findings():
    assert file_findings(_clean("irls_10").clear()).is_empty()
