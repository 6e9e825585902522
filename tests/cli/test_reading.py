"""The commands that read: sql, status, init, doctor, validate."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import polars as pl
import pytest

EXPORT = "subject_id,test,result,unit,collected\nP1,Vitamin B12,300,pg/mL,2021-03-05 08:12\nP2,Vitamin B12,abc,pg/mL,2021-03-05\n"
QUERY = "select analyte, value, unit from core.lab_result"


@pytest.fixture
def loaded(etl, tmp_path):
    (tmp_path / "labs.csv").write_text(EXPORT)
    assert etl("ingest", "labs.csv", "--site", "north", "-w", "w.duckdb").code == 0
    return etl


def test_sql_speaks_five_formats(loaded, tmp_path) -> None:
    expected = {"analyte": "vitamin_b12", "value": 300.0, "unit": "pg/mL"}
    ran = loaded("sql", QUERY, "-w", "w.duckdb", "--format", "csv")
    assert [{**row, "value": float(row["value"])} for row in csv.DictReader(io.StringIO(ran.out))] == [
        expected
    ]
    assert json.loads(loaded("sql", QUERY, "-w", "w.duckdb", "--json").out) == [expected]
    assert "| vitamin_b12 |" in loaded("sql", QUERY, "-w", "w.duckdb", "--format", "markdown").out
    assert "vitamin_b12" in loaded("sql", QUERY, "-w", "w.duckdb").out
    assert loaded("sql", QUERY, "-w", "w.duckdb", "-o", "out.parquet").code == 0
    assert pl.read_parquet(tmp_path / "out.parquet").to_dicts() == [expected]


def test_sql_writes_no_format_that_the_ending_does_not_name(loaded, tmp_path) -> None:
    ran = loaded("sql", QUERY, "-w", "w.duckdb", "-o", "out.xlsx")
    assert (ran.code, (tmp_path / "out.xlsx").exists()) == (2, False)
    assert "Rows cannot be written as '.xlsx'" in ran.err
    assert loaded("sql", QUERY, "-w", "w.duckdb", "-o", "OUT.CSV").code == 0
    assert (tmp_path / "OUT.CSV").read_text().startswith("analyte,value,unit")


def test_sql_reads_a_file_and_writes_nothing(loaded, tmp_path) -> None:
    (tmp_path / "q.sql").write_text("select count(*) as n from mart.b12_status")
    assert json.loads(loaded("sql", "-f", "q.sql", "-w", "w.duckdb", "--json").out)[0]["n"] >= 0
    ran = loaded("sql", "delete from core.lab_row", "-w", "w.duckdb")
    assert ran.code == 2
    assert json.loads(loaded("sql", QUERY, "-w", "w.duckdb", "--json").out)


@pytest.mark.parametrize(
    "query",
    ["selct 1", "select nothing from core.lab_result", "select value_source::int from quarantine.record"],
)
def test_a_wrong_query_says_what_is_wrong_with_it(loaded, query) -> None:
    ran = loaded("sql", query, "-w", "w.duckdb")
    assert ran.code == 2
    assert ran.err.startswith("Error: ")


def test_a_cell_never_shows_in_an_error_of_a_query(loaded) -> None:
    ran = loaded("sql", "select value_source::date from core.lab_result", "-w", "w.duckdb")
    assert ran.code == 2
    assert "300" not in ran.err


def test_a_missing_warehouse_is_exit_4(etl) -> None:
    ran = etl("sql", "select 1", "-w", "nothing.duckdb")
    assert ran.code == 4
    assert "Try: " in ran.err


def test_status_and_doctor(loaded) -> None:
    status = json.loads(loaded("status", "-w", "w.duckdb", "--json").out)
    assert status["feeds"][0]["accepted"] == 1
    assert status["held"][0]["reason"] == "bad_number"
    assert status["stale"] == status["unbalanced"] == status["broken_ledger"] == []
    doctor = loaded("doctor", "-w", "w.duckdb")
    assert doctor.code == 0
    assert "ledger" in doctor.out


def test_status_lists_files_whose_mapping_changed(loaded, tmp_path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "north.yaml").write_text(
        'site: north\nfeeds:\n  labs: {files: ["labs.csv"], missing: ["abc"]}\n'
    )
    assert len(json.loads(loaded("status", "-w", "w.duckdb", "--json").out)["stale"]) == 1
    assert loaded("ingest", "--refresh", "-w", "w.duckdb").code == 0
    after = json.loads(loaded("status", "-w", "w.duckdb", "--json").out)
    assert after["stale"] == []
    assert after["held"] == []
    # An edit that says nothing new about the file leaves it unchanged, and settled.
    mapping = tmp_path / "sites" / "north.yaml"
    mapping.write_text(mapping.read_text().replace('files: ["labs.csv"]', 'files: ["labs*.csv"]'))
    assert len(json.loads(loaded("status", "-w", "w.duckdb", "--json").out)["stale"]) == 1
    again = json.loads(loaded("ingest", "--refresh", "-w", "w.duckdb", "--json").out)
    assert [each["status"] for each in again["files"]] == ["unchanged"]
    assert json.loads(loaded("status", "-w", "w.duckdb", "--json").out)["stale"] == []


def test_init_makes_a_place_that_editors_and_the_loader_agree_on(etl, tmp_path) -> None:
    assert etl("init", "-w", "w.duckdb").code == 0
    schema = json.loads((tmp_path / "sites" / "mapping.schema.json").read_text())
    assert "feeds" in schema["properties"]
    example = tmp_path / "sites" / "example.yaml.txt"
    example.rename(tmp_path / "sites" / "example.yaml")
    (tmp_path / "LAB_1.csv").write_text(
        "Patientennummer;Analyt;Ergebnis;Einheit;Datum\n1;Kreatinin;0,9;mg/dl;05.03.2021\n"
    )
    ran = etl("ingest", "LAB_1.csv", "--site", "example", "-w", "w.duckdb", "--json")
    assert ran.code == 0, ran.out
    assert json.loads(ran.out)["files"][0]["accepted"] == 1
    assert "kept" in etl("init", "-w", "w.duckdb").out


def test_validate_stores_what_it_finds(loaded) -> None:
    ran = loaded("validate", "-w", "w.duckdb", "--json")
    document = json.loads(ran.out)
    assert ran.code == (1 if document["blocking"] else 0)
    assert ran.err == ""
    stored = json.loads(
        loaded("sql", "select count(*) as n from meta.check_result", "-w", "w.duckdb", "--json").out
    )
    assert stored[0]["n"] == len(document["results"]) > 30


def test_module_and_script_are_the_same(tmp_path) -> None:
    ran = subprocess.run([sys.executable, "-m", "cli", "--help"], capture_output=True, text=True, check=True)
    assert "ingest" in ran.stdout


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("sql -f none.sql", 3),
        ("status -w folder", 4),
        ("init -w labs.csv/w.duckdb", 3),
        ("units explain", 2),
        ("nosuch", 2),
        ("quarantine list --status silly -w w.duckdb", 2),
        ("quarantine list --reason silly -w w.duckdb", 2),
    ],
)
def test_what_cannot_be_done_is_said_in_three_parts(loaded, tmp_path, command, code) -> None:
    (tmp_path / "folder").mkdir()
    ran = loaded(*command.split())
    assert (ran.code, ran.out) == (code, "")
    what, why, fix = ran.err.splitlines()
    assert what.startswith("Error: ")
    assert why.strip()
    assert fix.startswith("  Try: ")


def test_listed_records_are_called_what_they_are(loaded) -> None:
    """One record of the export is held; none was waived."""
    listed = {
        status: loaded("quarantine", "list", "--status", status, "-w", "w.duckdb").out
        for status in ("open", "all", "waived")
    }
    assert "1 records are held." in listed["open"]
    assert "1 records were held, some still are." in listed["all"]
    assert "No record is waived." in listed["waived"]
