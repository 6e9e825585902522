"""A canary subject goes through every command: what is printed, logged, reported or left behind holds none of it.

Only the closed list of revealing commands may show what a source says, and only ingest may name the files it was given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

# What stands in cells, in the name of a sheet, and in the names of files and archive members.
CELLS = ("ZZYZX-7731", "Zzyzx Wonderly", "1101051949123100", "98761.25", "7731x7731")
SHEET = "Sheetwood"
FILES = ("Quillfeather", "Membrandt")
HEADER = "patient_id,patient_name,national_id,sex,test,result,unit,collected,accession"
WHO = "ZZYZX-7731,Zzyzx Wonderly,110105194912310021,f"
CANARY = [
    f"{WHO},Vitamin B12,98761.25,pg/mL,2021-03-05 08:12,A1",  # accepted
    f"{WHO},Ferritin,7731x7731,ng/mL,2021-03-05 08:12,A2",  # held for its value
    f"{WHO},Vitamin B12,98761.25,pg/mL,Zzyzx Wonderly,A3",  # held for its date
    f"{WHO},Vitamin B12,98761.25,Zzyzx Wonderly,2021-03-05 08:13,A4",  # held for its unit
    f"{WHO},Vitamin B12",  # damaged
    f'{WHO},"Vitamin B12,98761.25,pg/mL,2021-03-05 08:12,A6',  # damaged by a quote
]
OTHERS = [f"N{at:02},Nemo,,m,Vitamin B12,{300 + at},pg/mL,2021-03-05 08:12,B{at}" for at in range(12)]

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
            cwd=self.folder, capture_output=True, text=True, check=True, env={**os.environ, **environment}, timeout=120,
        )  # fmt: skip
        past, _, printed = done.stdout.partition("\0")
        (code, first), *others = json.loads(printed)
        return [(code, first + past + done.stderr), *others]


def _exports(folder: Path) -> Path:
    exports = folder / "exports"
    exports.mkdir()
    text = "\n".join([HEADER, *CANARY, *OTHERS]) + "\n"
    (exports / "Quillfeather_labs.csv").write_text(text)
    with zipfile.ZipFile(exports / "archive.zip", "w") as archive:
        archive.writestr("Membrandt/labs.csv", text.replace("A1\n", "C1\n"))
    book = openpyxl.Workbook()
    book.active.title = SHEET
    for line in [HEADER, *CANARY[1:4], *OTHERS[:2]]:
        book.active.append(line.replace("A2", "D2").split(","))
    book.save(exports / "Quillfeather.xlsx")
    return exports


@pytest.fixture(scope="module")
def hospital(tmp_path_factory) -> Hospital:
    made = Hospital(tmp_path_factory.mktemp("hospital"))
    (made.folder / "tmp").mkdir()
    code, printed = made.etl("ingest", _exports(made.folder), "--site", "north")
    assert code == 0, printed
    assert_silent(printed, but_for=FILES)
    return made


def assert_silent(text: str, but_for: tuple[str, ...] = ()) -> None:
    """Find none of the canary's traces in a text; the message names which one, not the text."""
    found = [
        trace for trace in (*CELLS, SHEET, *FILES) if trace not in but_for and trace.lower() in text.lower()
    ]
    assert found == []


def test_the_canary_is_there(hospital) -> None:
    """The test can fail: the canary was accepted in two of the three files, and held in all of them."""
    accepted = "select count(distinct file_id) as files from core.lab_result where value = 98761.25"
    held = "select count(distinct file_id) as files from quarantine.record"
    ran = hospital.run([["sql", "--format", "csv", query] for query in (accepted, held)])
    assert [(code, text.splitlines()[1]) for code, text in ran] == [(0, "2"), (0, "3")]


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
    is_loading = "ingest" in command or "replay" in command
    assert_silent(text, but_for=FILES if is_loading else ())


def test_records_and_rows_are_shown_without_their_cells(hospital) -> None:
    records = hospital.etl("sql", "--format", "csv", "select record_id from quarantine.record")[1].split()[1:]
    row = hospital.etl(
        "sql", "--format", "csv", "select result_id, subject_id from core.lab_result where value > 98000"
    )[1].split()[1]
    commands = [["quarantine", "show", each] for each in records]
    commands += [["trace", *records, *row.split(","), "--json"], ["trace", row.split(",")[0]]]
    for code, text in hospital.run(commands):
        assert code == 0
        assert_silent(text)


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
