"""The demo's planted defects end where the answer key, written without knowledge of the readers, says they should."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from etl.demo import DemoTruth, generate
from etl.ingest import IngestOptions, ingest
from etl.outcome import IngestReport
from etl.sites.mapping import load_sites

# The answer key's word for a finding -> the check that has to show it.
CHECKS = {
    "reported_total_disagrees": "score_agrees_with_report",
    "irls_in_control": "no_irls_in_control",
    "orphan_subject": "lab_subjects_known",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> tuple[Path, DemoTruth, IngestReport]:
    folder = tmp_path_factory.mktemp("demo")
    truth = generate(folder)
    options = IngestOptions(sites=load_sites(folder / "sites"))
    return folder, truth, ingest([str(folder / "exports")], folder / "w.duckdb", options)


def test_the_counts_of_every_file_are_those_of_the_generator(loaded) -> None:
    folder, truth, report = loaded
    outcomes = {str(Path(each.path).relative_to(folder / "exports")): each for each in report.files}
    for file in truth.files:
        counts, detail = outcomes[file.path].counts, outcomes[file.path].detail
        assert (counts.lines, counts.records, counts.read) == (file.lines, file.records, file.candidates), (
            file.path
        )
        assert detail.structural == file.structural


def test_every_planted_defect_ends_where_it_should(loaded) -> None:
    folder, truth, report = loaded
    files = {str(Path(each.path).relative_to(folder / "exports")): each for each in report.files}
    with duckdb.connect(folder / "w.duckdb", read_only=True) as connection:
        for defect in truth.defects:
            query = {
                "held": "select list_contains(reasons, $expected) from quarantine.record",
                "duplicate": "select true from meta.duplicate",
                "superseded": "select row_state = 'superseded' from core.lab_result",
                "accepted": "select $expected is null or absent_reason = $expected from core.lab_result",
            }.get(defect.bucket)
            if query is None or (
                defect.file.endswith(("scales.csv", "skalen.csv")) and defect.bucket == "accepted"
            ):
                continue
            found = connection.execute(
                f"""
                {query} where row_number = $line
                    and file_id in (select file_id from meta.load where load_id = $load)
                """,
                {
                    "line": defect.line,
                    "load": files[defect.file].load_id,
                    **({"expected": defect.reason or defect.absent_reason} if "$expected" in query else {}),
                },
            ).fetchall()
            assert found == [(True,)], defect.id


def test_every_finding_is_shown_by_its_check(loaded) -> None:
    from etl.validation import run_validation

    folder, truth, _ = loaded
    results = run_validation(folder / "w.duckdb").results
    counted = {
        check: sum(each.numerator or 0 for each in results if each.check_id == check)
        for check in CHECKS.values()
    }
    for defect in truth.defects:
        if defect.finding:
            assert counted[CHECKS[defect.finding]] > 0, defect.id


def test_on_the_clean_cohort_nothing_is_held_and_nothing_is_found(tmp_path) -> None:
    from etl.validation import run_validation

    generate(tmp_path, defects=False)
    options = IngestOptions(sites=load_sites(tmp_path / "sites"))
    report = ingest([str(tmp_path / "exports")], tmp_path / "w.duckdb", options)
    totals = report.totals()
    assert (totals["held"], totals["duplicate"], totals["superseded"], totals["attributes_held"]) == (
        0,
        0,
        0,
        0,
    )
    validated = run_validation(tmp_path / "w.duckdb", "any")
    assert [(each.check_id, each.scope) for each in validated.results if each.is_finding] == []
    assert validated.is_clean


def test_the_cohort_comes_back_as_it_was_made(loaded) -> None:
    """80 and 80, with the true B12 (pg/mL), sex and group of every subject, from three units and three languages."""
    from etl.sql import run_sql

    folder, truth, _ = loaded
    rows = run_sql(
        folder / "w.duckdb",
        "select cohort_group, sex, round(b12, 3) as b12 from mart.subject_baseline where is_included",
    )
    ours = sorted(rows.iter_rows())
    made = sorted((each.group, each.sex, round(each.b12, 3)) for each in truth.subjects)
    assert len(ours) == 160
    assert [row[:2] for row in ours] == [row[:2] for row in made]
    assert [row[2] for row in ours] == pytest.approx([row[2] for row in made], abs=0.002)
