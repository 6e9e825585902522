"""A canary subject goes through every command: what is printed, logged, reported or left behind holds none of it.

Only the closed list of revealing commands may show what a source says, and only ingest may name the files it was given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from .canary import CANARY, CELLS, FILES, HEADER, OTHERS, SHEET, write_exports

# Runs commands one after the other as the command line does, and prints the code and the output of each as JSON.
DRIVER = """
import io, json, os, sys
import cli
from contextlib import redirect_stderr, redirect_stdout
done = []
for arguments in json.loads(sys.argv[1]):
    seen = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    code = 0
    with redirect_stdout(seen), redirect_stderr(seen):
        try:
            with cli._exit_codes():
                code = cli.app(arguments, standalone_mode=False) or 0
        except SystemExit as end:
            code = end.code
    done.append((code, seen.buffer.getvalue().decode("utf-8")))
print("\\x00" + json.dumps(done), flush=True)
os._exit(0)
"""
CRASH = """
from etl.process import labs
def harmonize(self, frame):
    raise ValueError(f'cannot read {frame.rows()}')
labs.LabHarmonizer.harmonize = harmonize
"""
FAILED_QUERY = """
from warehouse.load import FileLoad
def finish(self, counts, detail):
    self._connection.execute('select value_source::integer from core.lab_row').fetchall()
FileLoad.finish = finish
"""


@dataclass(frozen=True)
class Hospital:
    """A folder with exports of the canary subject, and a warehouse beside it."""

    folder: Path

    def etl(self, *arguments: object, patch: str = "") -> tuple[int, str]:
        """Run a command; return its code and all that it printed."""
        return self.run([[str(each) for each in arguments]], patch)[0]

    def run(self, commands: list[list[str]], patch: str = "") -> list[tuple[int, str]]:
        """Run commands in a process of their own; what comes past Python, as from a library, counts for the first."""
        environment = {"TMPDIR": str(self.folder / "tmp"), "ETL_WAREHOUSE": str(self.folder / "w.duckdb")}
        done = subprocess.run(
            [sys.executable, "-c", patch + DRIVER, json.dumps(commands)],
            cwd=self.folder, capture_output=True, text=True, check=True, env={**os.environ, **environment}, timeout=900,
        )  # fmt: skip
        past, _, printed = done.stdout.partition("\0")
        (code, first), *others = json.loads(printed)
        return [(code, first + past + done.stderr), *others]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory) -> Hospital:
    made = Hospital(tmp_path_factory.mktemp("hospital"))
    for name in ("tmp", "exports"):
        (made.folder / name).mkdir()
    write_exports(made.folder / "exports")
    code, printed = made.etl("ingest", "exports", "--site", "north")
    assert code == 0, printed
    assert_silent(printed, but_for=FILES)
    return made


def assert_silent(text: str, but_for: tuple[str, ...] = ()) -> None:
    """Find none of the canary's traces in a text; the message names which one, not the text."""
    found = [
        trace for trace in (*CELLS, SHEET, *FILES) if trace not in but_for and trace.lower() in text.lower()
    ]
    assert found == []


def test_the_canary_is_there_in_every_format(hospital) -> None:
    """The test can fail: of each reader's files something of the canary was accepted, and something held."""
    from etl.readers import READERS

    of_files = "select distinct file.format from meta.source_file as file semi join {} as row using (file_id) order by all"
    tables = ("core.lab_row", "quarantine.record")
    ran = hospital.run([["sql", "--format", "csv", of_files.format(table)] for table in tables])
    accepted, held = (set(text.split()[1:]) for _, text in ran)
    assert held == set(READERS)
    assert accepted == set(READERS) - {
        "odm"
    }  # its columns of results need a mapping; attributes of subjects are held
    query = "select count(distinct file_id) as files from core.lab_result where value = 98761.25"
    assert int(hospital.etl("sql", "--format", "csv", query)[1].split()[1]) >= 10


# A command, and the code with which it ends; findings make some end with 1.
COMMANDS = {
    "ingest exports --site north --json": {0},
    "ingest --refresh --site north": {0},
    "validate": {0, 1},
    "validate --json --fail-on any": {1},
    "status": {0},
    "status --json": {0},
    "doctor": {0, 1},
    "verify": {0},
    "quarantine list": {0},
    "quarantine list --json": {0},
    "quarantine list --records --status all": {0},
    "quarantine explain bad_number --json": {0},
    "trace held_open": {0},
    "trace lab_subjects_known --json": {0},
    "quarantine replay --site north --json": {0},
    "report --out en": {0},
    "report --out zh --language zh --json": {0},
    "profile exports": {0, 3},
    "profile exports --json": {0, 3},
    "map suggest exports --site north --no-input": {0, 1, 2, 3},
    "map coverage exports --site north": {0, 1, 2, 3},
    "map check sites/north.yaml --data exports": {0, 1, 2, 3},
    "instruments list": {0},
    "instruments show irls": {0},
    "instruments score exports/Quillfeather_labs.csv": {0, 1, 2},
    "units list": {0},
    "units show vitamin_b12": {0},
    "units explain vitamin_b12 --unit pg/mL": {0},
    "units unknown": {0},
    "units suspicions": {0},
    "units declarations": {0},
    "units declare --site north --analyte vitamin_b12 --unit pg/mL --who Li --why asked": {0},
    "units revoke 0123456789abcdef --who Li --why asked": {2},
    "query": {0},
    "freeze first --who Li": {0, 1},
    "associate --out association --who Li --despite canary": {0, 1, 2},
    "publish": {0},
    "publish --shift-dates": {0},
    "subject find --site north": {2},
    "subject show nobody": {2},
    "subject erase nobody --who Li --why asked": {2},
    "rebuild": {0},
}
# What these print: what they are asked for, what they reveal by name, or no data of anyone.
ELSEWHERE = {
    "sql",
    "shell",
    "quarantine show",
    "quarantine names",
    "quarantine export",
    "quarantine waive",
    "quarantine assign",
    "init",
    "demo",
}


@pytest.fixture(scope="module")
def printed(hospital) -> dict[str, tuple[int, str]]:
    """What each command printed, and how it ended."""
    return dict(zip(COMMANDS, hospital.run([command.split() for command in COMMANDS]), strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_nothing_of_it(printed, command) -> None:
    code, text = printed[command]
    assert code in COMMANDS[command], text
    assert text
    is_about_files = (
        "exports" in command or "ingest" in command or "replay" in command or "declare " in command
    )
    assert_silent(text, but_for=FILES if is_about_files else ())


def commands_of(group: typer.Typer, prefix: str = "") -> Iterator[str]:
    for each in group.registered_commands:
        assert each.callback is not None
        yield prefix + (each.name or each.callback.__name__.replace("_", "-"))
    for each in group.registered_groups:
        assert each.typer_instance is not None
        yield from commands_of(each.typer_instance, f"{prefix}{each.name} ")


def test_every_command_is_looked_at() -> None:
    import cli

    known = set(commands_of(cli.app))
    tried = {name for name in known for command in COMMANDS if f"{command} ".startswith(f"{name} ")}
    assert known == tried | ELSEWHERE


def test_records_and_rows_are_shown_without_their_cells(hospital) -> None:
    records = hospital.etl("sql", "--format", "csv", "select record_id from quarantine.record")[1].split()[1:]
    row = hospital.etl(
        "sql", "--format", "csv", "select result_id, subject_id from core.lab_result where value > 98000"
    )[1].split()[1]
    commands = [["quarantine", "show", each] for each in records[::7]]
    signed = ["--who", "Li", "--why", "asked"]
    commands += [
        ["quarantine", "assign", records[0], "--to", "Wang", *signed],
        ["quarantine", "waive", records[0], *signed],
    ]
    commands += [["trace", *records, *row.split(","), "--json"], ["trace", row.split(",")[0]]]
    for code, text in hospital.run(commands):
        assert code == 0
        assert_silent(text)


def test_names_in_the_column_of_analytes_are_counted_and_shown_when_asked_for(hospital) -> None:
    """Seven rows of one subject are no shared name; five subjects' are."""
    import duckdb

    with duckdb.connect(hospital.folder / "w.duckdb", read_only=True) as connection:
        listed = connection.execute(
            "select detail ->> 'out_of_scope_names' from meta.load where out_of_scope > 0 and status = 'active'"
        ).fetchall()
    assert [json.loads(names) for (names,) in listed] == [{"Frobnicase": 5}]
    refused, revealed = hospital.run([["quarantine", "names"], ["quarantine", "names", "--reveal", "--json"]])
    assert refused[0] == 2
    assert_silent(refused[1])
    names = {each["name"]: each["rows"] for each in json.loads(revealed[1])}
    assert names == {"Zzyzx Wonderly": 7, "Potassium (Zzyzx Wonderly)": 1}


def test_an_error_of_a_query_quotes_no_cell(hospital) -> None:
    queries = [
        "select value_source::date from core.lab_result",
        "select error(value_source) from core.lab_result",
        "select strptime(value_source, '%Y') from core.lab_result",
        "selec value_source from core.lab_result",
        "select value_sourc from core.lab_result",
    ]
    for code, text in hospital.run([["sql", query] for query in queries]):
        assert code == 2
        assert_silent(text)


@pytest.mark.parametrize("patch", [CRASH, FAILED_QUERY], ids=["in a step", "in a query"])
def test_a_crash_tells_where_it_was_and_nothing_else(hospital, patch) -> None:
    more = hospital.folder / "more.csv"
    more.write_text("\n".join([HEADER, CANARY[0].replace("A1", "E1"), *OTHERS]) + "\n")
    command = ["ingest", str(more), "--site", "north"]
    for code, text in hospital.run([command, [*command, "--json"]], patch):
        assert code == 70
        assert "internal error" in text
        assert_silent(text)


def test_reports_and_what_is_left_behind_hold_nothing_of_it(hospital, printed) -> None:
    assert printed["report --out en"][0] == 0
    for language in ("en", "zh"):
        assert_silent((hospital.folder / language / "validation.html").read_text("utf-8"))
        assert_silent((hospital.folder / language / "validation.json").read_text("utf-8"))
        with zipfile.ZipFile(hospital.folder / language / "validation.xlsx") as book:
            assert_silent("".join(book.read(name).decode("utf-8", "replace") for name in book.namelist()))
    assert_silent((hospital.folder / "w.duckdb.ledger.jsonl").read_text("utf-8"))
    left = [path for path in (hospital.folder / "tmp").rglob("*") if path.is_file()]
    for path in left:
        assert_silent(path.name + path.read_bytes().decode("utf-8", "replace"))


def test_neither_name_nor_number_is_stored(hospital) -> None:
    """What was measured is stored; who it was is not, but for the sealed originals."""
    import duckdb

    with duckdb.connect(hospital.folder / "w.duckdb", read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('core', 'quarantine', 'meta')"
        ).fetchall()
        for (table,) in tables:
            said = str(connection.execute(f"from {table}").fetchall())
            assert [trace for trace in (*CELLS[:3], *FILES) if trace.lower() in said.lower()] == [], table
