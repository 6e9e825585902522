"""The use case: results are stored, judged by severity, and compared with the run before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from etl.terminal import validation_summary
from etl.validate import compare, last_validation, validate
from expectations import CheckResult, findings, worst
from schemas.errors import UsageError

DAY = datetime(2024, 3, 2)
RESULT = CheckResult(
    "run1", "plausibility", "c", "plausibility", "atemporal", "fatal", "all", "passed", 0, 9, 0.0, 0.0, "s", "r", "a", DAY
)  # fmt: skip


def result(check_id, status, severity="fatal"):
    return replace(RESULT, check_id=check_id, status=status, severity=severity)


def test_runs_are_stored_and_compared(sound):
    first = validate(sound, run_id="run1", as_of=DAY)
    assert first.is_clean
    assert first.exit_code() == 0
    sound.execute(
        "update core.score set value = 41, value_reported = 41 where subject_id = 'north_01' and version = 'irls_10'"
    )
    second = validate(sound, run_id="run2", as_of=datetime(2024, 3, 3))
    assert [each.key for each in second.changes.new] == [("score_in_range", "instrument=irls")]
    assert (second.exit_code(), second.is_clean, second.previous_run_id) == (1, False, "run1")
    stored = last_validation(sound)
    assert stored is not None
    assert set(stored.results) == set(second.results)
    assert stored.changes == second.changes
    validate(sound, run_id="run2", as_of=datetime(2024, 3, 3))  # the same run again replaces its results
    rows = sound.execute("select count(*) from meta.check_result where run_id = 'run2'").fetchall()
    assert rows == [(len(second.results),)]


def test_changes():
    before = [result(name, "failed") for name in ("mended", "still", "gone", "idle", "broke")] + [
        result("fine", "passed")
    ]
    after = [
        result("mended", "passed"),
        result("still", "failed"),
        result("idle", "not_applicable"),
        result("broke", "error"),
        result("fine", "failed"),
    ]
    changes = compare(after, before)
    names = {kind: [each.check_id for each in group] for kind, group in vars(changes).items()}
    assert names == {
        "new": ["fine"],
        "persisting": ["still", "broke"],
        "resolved": ["mended"],
        "unsettled": ["gone", "idle"],
    }


@pytest.mark.parametrize(
    ("fail_on", "blocking"),
    [("fatal", ["f", "e"]), ("convention", ["f", "c", "e"]), ("any", ["f", "c", "t", "e"])],
)
def test_severity_decides_what_blocks(fail_on, blocking):
    results = [
        result("f", "failed"),
        result("c", "failed", "convention"),
        result("t", "failed", "characterization"),
        result("e", "error", "characterization"),
        result("p", "passed"),
        result("n", "not_applicable"),
    ]
    assert [each.check_id for each in findings(results, fail_on)] == blocking


def test_order_of_statuses():
    statuses = ["passed", "failed", "not_applicable", "error"]
    for index, status in enumerate(statuses):
        assert worst([result("c", each) for each in statuses[: index + 1]]) == status
    assert worst([]) == "not_applicable"


def test_an_empty_warehouse_is_not_clean(empty):
    report = validate(empty, run_id="run1", as_of=DAY)
    assert not report.is_clean
    assert report.status == "not_applicable"
    assert "stands in the way" not in validation_summary(report)


def test_an_unknown_severity_is_a_usage_error(empty):
    with pytest.raises(UsageError, match="grave"):
        validate(empty, run_id="run1", as_of=DAY, fail_on="grave")


def test_a_threshold_file_is_used(sound, tmp_path):
    sound.execute(
        "update core.lab_result set collected_at = null where row_number <= 4 and site = 'north'"
    )  # 6.7 %
    path = tmp_path / "thresholds.csv"
    path.write_text(
        "check_id,scope,threshold,notes\ncollected_at_present,site=north,7,paper records until 2019\n"
    )
    report = validate(sound, run_id="run1", as_of=DAY, fail_on="convention", thresholds=path)
    (north,) = [each for each in report.results if each.key == ("collected_at_present", "site=north")]
    assert (north.status, north.threshold) == ("passed", 7.0)
    assert "paper records until 2019" in north.reason
