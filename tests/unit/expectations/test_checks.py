"""Every check passes on a sound warehouse and fails on one that is broken for it; counts are by hand (broken.toml)."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from expectations import Suite, load_suites, run_suites

BROKEN = tomllib.loads((Path(__file__).parent / "broken.toml").read_text())
CHECKS = {check.id: check for suite in load_suites() for check in suite.checks}


def run(connection, parameters, *checks):
    from datetime import datetime

    suites = [Suite("test", "conformance", checks)] if checks else load_suites()
    return run_suites(connection, suites, parameters, run_id="run1", checked_at=datetime(2024, 3, 2))


def test_sound_warehouse_has_no_finding(sound, parameters):
    results = run(sound, parameters)
    assert [(result.check_id, result.scope, result.status) for result in results if result.is_finding] == []
    # These need answers of two months, two units of one analyte, a computed value, urea, glucose, blood counts, a stated age, a second delivery, candidates in the file of subjects, or an empty result.
    idle = {result.check_id for result in results if result.status == "not_applicable"}
    assert idle == {
        "age_agrees_with_birth_date",
        "answers_absent_by_month",
        "delivery_not_smaller",
        "derived_agrees_with_reported",
        "glucose_and_hba1c",
        "haemoglobin_and_mcv",
        "held_open",
        "source_units_agree",
        "urea_agrees_with_urea_nitrogen",
        "value_absent_by_reason",
    }


def test_empty_warehouse_passes_nothing(empty, parameters):
    assert {result.status for result in run(empty, parameters)} == {"not_applicable"}


def test_every_check_can_fail():
    assert sorted(BROKEN) == sorted(CHECKS)


@pytest.mark.parametrize("check_id", sorted(CHECKS))
def test_broken_warehouse_fails(check_id, sound, parameters):
    sound.execute(BROKEN[check_id]["sql"])
    scope, numerator, denominator = BROKEN[check_id]["expected"]
    (result,) = [each for each in run(sound, parameters, CHECKS[check_id]) if each.scope == scope]
    assert (result.status, result.numerator, result.denominator) == ("failed", numerator, denominator)
    assert result.percentage == pytest.approx(100 * numerator / denominator)


@pytest.fixture
def linked(sound):
    """The sound warehouse, where results and answers of north are under numbers of their own, linked over a third one."""
    for table in ("lab_result", "response", "score"):
        sound.execute(
            f"update core.{table} set subject_id = 'lab_' || subject_id where subject_id like 'north%'"
        )
    sound.execute(
        "insert into core.subject_link (subject_id, linked_subject_id)"
        " select distinct unnest([subject_id, subject_id[5:]]), 'ward_' || subject_id[5:]"
        " from core.lab_result where site = 'north'"
    )
    return sound


@pytest.mark.parametrize(
    "check_id", ["cases_have_b12", "cases_have_irls", "lab_subjects_known", "response_subjects_known"]
)
def test_what_is_known_of_a_subject_is_found_over_a_link(check_id, linked, parameters):
    assert {each.status for each in run(linked, parameters, CHECKS[check_id])} == {"passed"}


@pytest.mark.parametrize(
    ("check_id", "sql", "numerator"),
    [
        (
            "no_irls_in_control",
            (
                "insert into core.response (subject_id, instrument, item, value, row_state)"
                " values ('lab_north_31', 'irls', '1', 0, 'current')"
            ),
            1,
        ),
        (  # the ten results of the subject
            "collected_not_before_birth",
            (
                "update core.subject_attribute set value = '2024-06'"
                " where subject_id = 'north_01' and attribute = 'birth_date'"
            ),
            10,
        ),
    ],
)
def test_a_fatal_check_looks_over_links(check_id, sql, numerator, linked, parameters):
    linked.execute(sql)
    (result,) = [each for each in run(linked, parameters, CHECKS[check_id]) if each.scope == "site=north"]
    assert (result.status, result.numerator) == ("failed", numerator)


def test_a_corrected_copy_is_no_small_delivery(sound, parameters):
    """600 rows, then 300, then one row that the site corrected: half is not much smaller, and the one row is no delivery."""
    load = "insert into meta.load (load_id, file_id, run_id, site, feed, delivery, loaded_at, read) values "
    sound.execute(f"{load} ('next', 'next', 'run2', 'north', 'lab', 'increment', '2024-04-01', 300)")
    sound.execute(f"{load} ('fix', 'fix', 'run3', 'north', 'lab', 'correction', '2024-04-02', 1)")
    results = run(sound, parameters, CHECKS["delivery_not_smaller"])
    assert [(each.scope, each.status) for each in results] == [("site=north, feed=lab", "passed")]
