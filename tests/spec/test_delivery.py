"""Identity and re-delivery: increment, snapshot, refresh, crosswalk, re-ordered arrival."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

import schemas
from etl import inspect

HEADER = "subject_id,test,result,unit,collected\n"
SNAPSHOT = """
    site: north
    feeds:
      labs: {files: ["labs*.csv"], delivery: snapshot}
"""


def row(subject: str, value: object, day: str = "2021-03-05 08:12", unit: str = "pg/mL") -> str:
    return f"{subject},Vitamin B12,{value},{unit},{day}\n"


def values(place) -> list[float]:
    return [value for (value,) in place.rows("select value from core.lab_result order by value")]


def test_an_increment_only_adds_and_cumulative_files_repeat_nothing(place) -> None:
    first = place.write("march.csv", HEADER + row("P1", 200))
    second = place.write("april.csv", HEADER + row("P1", 200) + row("P2", 300))
    place.ingest(first)
    (outcome,) = place.ingest(second).files
    assert (outcome.counts.accepted, outcome.counts.duplicate) == (1, 1)
    assert values(place) == [200, 300]
    assert place.problems() == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_arrival_order_does_not_matter(place, places, order) -> None:
    files = [
        HEADER + row("P1", 200) + row("P2", 250),
        HEADER + row("P2", 250) + row("P1", 210),  # contradicts P1's result of the same minute
        HEADER + row("P3", "haemolysed") + row("P1", 200),
    ]
    reference = places("reference")
    for at, text in enumerate(files):
        reference.ingest(reference.write(f"{at}.csv", text))
    for at in order:
        place.ingest(place.write(f"{at}.csv", files[at]))
    assert place.digest() == reference.digest()
    states = place.rows("select value, row_state from core.lab_result where value is not null order by value")
    assert states == [(200, "conflicting"), (210, "conflicting"), (250, "current")]
    assert place.problems() == []


def test_a_snapshot_replaces_the_last_delivery_and_says_how(place) -> None:
    place.map(SNAPSHOT)
    place.ingest(
        place.write("old/labs1.csv", HEADER + row("P1", 200) + row("P2", 300)),
        place.write("old/labs2.csv", HEADER + row("P3", 400)),
    )
    report = place.ingest(
        place.write("new/labs1.csv", HEADER + row("P1", 200) + row("P2", 310) + row("P4", 500))
    )
    assert vars(report.changes["north/labs"]) == {"unchanged": 1, "changed": 1, "vanished": 1, "new": 1}
    assert values(place) == [200, 310, 500]
    assert report.files[0].counts.duplicate == 0  # the last delivery is no reason to call a row repeated
    assert place.rows("select status, count(*) from meta.load group by status order by status") == [
        ("active", 1),
        ("withdrawn", 2),
    ]
    assert place.problems() == []


def test_two_deliveries_in_one_command_are_told_apart_by_a_person(place) -> None:
    """Years of one export look like two deliveries of it; the words say what was done, and what to type if it is wrong."""
    from etl.terminal import ingest_summary

    place.map(SNAPSHOT)
    old = place.write("labs1.csv", HEADER + row("P1", 200) + row("P2", 300))
    assert "one delivery" not in ingest_summary(place.ingest(old))
    new = place.write("labs2.csv", HEADER + row("P1", 200) + row("P2", 310))
    assert "Its 2 files were taken for one delivery" in ingest_summary(place.ingest(old, new))
    assert "one delivery" not in ingest_summary(place.ingest(old, new))  # nothing was replaced or added
    place.ingest(new)
    assert "Its 2 files were taken for one delivery" in ingest_summary(place.ingest(old, new))


def test_bytes_whose_load_left_load_again(place) -> None:
    place.map(SNAPSHOT)
    first = place.write("a/labs.csv", HEADER + row("P1", 200))
    second = place.write("b/labs.csv", HEADER + row("P1", 210))
    for export in (first, second, first):
        place.ingest(export)
    assert values(place) == [200]
    assert place.problems() == []


def test_a_snapshot_that_is_not_whole_replaces_nothing(place) -> None:
    place.map(SNAPSHOT)
    place.ingest(place.write("old/labs1.csv", HEADER + row("P1", 200)))
    report = place.ingest(
        place.write("new/labs1.csv", HEADER + row("P1", 210)), place.write("new/labs2.csv", b"")
    )
    assert report.exit_code() == 3
    assert values(place) == [200]


def test_a_declared_unit_refreshes_what_was_held(place) -> None:
    export = place.write("labs.csv", HEADER + row("P1", 145, unit="") + row("P2", 200))
    (before,) = place.ingest(export).files
    assert (before.counts.accepted, before.counts.held) == (1, 1)
    place.map('site: north\nfeeds:\n  labs: {files: ["labs.csv"], units: {vitamin_b12: pmol/L}}\n')
    (after,) = place.ingest(export).files
    assert after.status == "refreshed"
    # 145 pmol/L x 1.35537 (cyanocobalamin, 1355.37 g/mol)
    assert values(place) == pytest.approx([196.52865])
    assert place.rows("select unit_basis from core.lab_result") == [("declared",)]
    # The row that states pg/mL contradicts the declaration, and nobody knows which of the two is right.
    assert place.rows("select reasons from quarantine.record") == [(["declaration_conflict"],)]
    assert place.problems() == []


def test_refresh_finds_the_loaded_files_by_itself(place) -> None:
    place.ingest(place.write("labs.csv", HEADER + row("P1", 145, unit="")))
    place.map('site: north\nfeeds:\n  labs: {files: ["labs.csv"], units: {vitamin_b12: pmol/L}}\n')
    report = place.ingest(is_refresh=True)
    assert [each.status for each in report.files] == ["refreshed"]
    assert len(values(place)) == 1


def test_a_refreshed_file_gives_its_place_to_its_repeats_and_takes_it_back(place) -> None:
    first = place.write("first.csv", HEADER + row("P1", 200) + row("P5", 5000000))
    second = place.write("second.csv", HEADER + row("P1", 200) + row("P5", 5000000))
    place.ingest(first)
    place.ingest(second)
    place.map('site: north\nfeeds:\n  labs: {files: ["first.csv"], missing: ["-9"]}\n')
    place.ingest(first)
    assert values(place) == [200]
    assert place.rows("select count(*) from quarantine.record") == [(1,)]
    assert place.problems() == []


def test_a_crosswalk_makes_two_identifiers_one_subject(place) -> None:
    place.map(
        """
        site: north
        feeds:
          labs: {files: ["labs.csv"]}
          ids:
            files: ["ids.csv"]
            kind: crosswalk
            links: {from: {column: old, issuer: north}, to: {column: new, issuer: south}}
        """
    )
    place.map('site: south\nfeeds:\n  labs: {files: ["other.csv"]}\n', site="south")
    place.ingest(
        place.write("labs.csv", HEADER + row("1001", 200)), place.write("ids.csv", "old,new\n1001,S-1\n")
    )
    place.ingest(place.write("other.csv", HEADER + row("S-1", 300)), site="south")
    from etl.sql import run_sql

    assert (
        run_sql(place.warehouse, "select count(distinct subject_id) as n from core.lab_result")["n"][0] == 2
    )
    assert (
        run_sql(place.warehouse, "select count(distinct subject_id) as n from staging.lab_result")["n"][0]
        == 1
    )


def test_only_what_a_shape_is_read_by_makes_it_stale(tmp_path, monkeypatch) -> None:
    copy = tmp_path / "schemas"
    shutil.copytree(Path(schemas.__file__).parent, copy)
    monkeypatch.setattr(inspect, "files", lambda _: copy)
    read = inspect.registry_digest.__wrapped__
    shapes = ("lab_long", "item_long", "wide", "condition", "subjects")
    before = {shape: read(shape) for shape in shapes}
    with (copy / "instruments" / "psqi.toml").open("a") as file:
        file.write("# changed\n")
    assert {shape for shape in shapes if read(shape) != before[shape]} == {"item_long", "wide"}


def test_a_new_plan_reaches_rows_that_two_files_hold(place) -> None:
    """Each of the files leaves and comes again; the other's old rows must not take the place of the new ones."""
    rows = row("P1", 145, unit="") + row("P2", 200, unit="pmol/L")
    first = place.write("first.csv", HEADER + rows + row("P3", 150, unit=""))
    second = place.write("second.csv", HEADER + rows + row("P4", 160, unit=""))
    place.ingest(first, second)
    assert place.rows("select count(*) from quarantine.record") == [(3,)]
    units = "units: {vitamin_b12: {unit: pg/mL, override: true}}"
    place.map(f'site: north\nfeeds:\n  labs: {{files: ["*.csv"], {units}}}\n')
    report = place.ingest(is_refresh=True)
    assert [each.status for each in report.files] == ["refreshed", "refreshed"]
    # pg/mL is the unit of the warehouse: every number stays as it is written.
    assert values(place) == pytest.approx([145, 150, 160, 200])
    assert place.rows("select distinct unit_basis from core.lab_result") == [("declared",)]
    assert place.rows("select count(*) from quarantine.record") == [(0,)]
    assert place.rows("select count(*), count(*) filter (where promoted) from meta.duplicate") == [(2, 0)]
    assert place.problems() == []
