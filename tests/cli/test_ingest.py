"""etl ingest from outside: exit codes, three-part messages, JSON, and nothing half-loaded."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

HEADER = "subject_id,test,result,unit,collected\n"
ROW = "P{0},Vitamin B12,{1},pg/mL,2021-03-05 08:12\n"
CANARY = "CANARYNAME"


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(path: Path) -> int:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute("select count(*) from core.lab_row").fetchall()[0][0]


def has_three_parts(message: str) -> bool:
    """What and where, why, what to type."""
    lines = message.strip().splitlines()
    return (
        lines[0].startswith("Error: ")
        and any(line.startswith("  Try: ") for line in lines)
        and len(lines) >= 2
    )


def test_json_is_one_document_on_stdout(etl, tmp_path) -> None:
    export = write(tmp_path, "labs.csv", HEADER + ROW.format(1, 300))
    ran = etl("ingest", export, "--site", "north", "--json")
    assert ran.code == 0
    (file,) = json.loads(ran.out)["files"]
    assert (file["status"], file["read"], file["accepted"], file["lines"]) == ("loaded", 1, 1, 2)
    assert {"run_id", "files"} <= json.loads(ran.out).keys()


def test_four_damaged_lines_of_100_000_are_held_and_the_others_load(etl, tmp_path) -> None:
    """One damaged, one short, one long (an extra delimiter before an empty last column) and one undecodable line."""
    lines = [
        f"P{at},Vitamin B12,{100 + at % 800},pg/mL,2021-03-05 08:{at % 60:02},{at}\n".encode()
        for at in range(99_996)
    ]
    lines[10:10] = [b'P7,"Vitamin B12,300,pg/mL,2021-03-05 08:12,x\n']
    lines[500:500] = [b"P7,Vitamin B12,300\n"]
    lines[9_000:9_000] = [b"P7,Vitamin B12,300,pg/mL,,2021-03-05 08:12,\n"]
    lines[70_000:70_000] = [b"P7,Vitamin \xff\xfe B12,300,pg/mL,2021-03-05 08:12,\xc3\n"]
    export = write(tmp_path, "labs.csv", HEADER.replace("\n", ",accession\n").encode() + b"".join(lines))
    ran = etl("ingest", export, "--site", "north", "--json", "-w", "w.duckdb")
    (file,) = json.loads(ran.out)["files"]
    assert ran.code == 0
    assert (file["read"], file["accepted"], file["held"]) == (100_000, 99_996, 4)
    assert etl("ingest", export, "--site", "north", "--strict", "-w", "other.duckdb").code == 1
    with duckdb.connect(tmp_path / "w.duckdb", read_only=True) as connection:
        held = connection.execute("select row_number from quarantine.record order by 1").fetchall()
    assert held == [(12,), (502,), (9_002,), (70_002,)]


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("empty.csv", b"", 3, "is empty"),
        ("header_only.csv", HEADER.encode(), 0, ""),
        ("no_subject.csv", b"test,result,unit\nVitamin B12,300,pg/mL\n", 2, "no column names the subject"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, 3, "no format"),
        (
            "dates.csv",
            (HEADER + "P1,Vitamin B12,300,pg/mL,05/03/2021\n").encode(),
            2,
            "dates: {collected_at: dmy}",
        ),
        ("marks.csv", b'subject_id,test,result,unit\nP1,Creatinine,"1,234",mg/dL\n', 2, "decimal:"),
    ],
)
def test_what_cannot_be_used_is_said_in_three_parts(etl, tmp_path, name, content, code, says) -> None:
    export = write(tmp_path, name, content)
    ran = etl("ingest", export, "--site", "north")
    assert ran.code == code, ran.out + ran.err
    assert says in ran.out + ran.err
    if code:
        message = (ran.out + ran.err)[(ran.out + ran.err).index("Error: ") :]
        assert has_three_parts(message)


def test_a_folder_without_exports_and_a_path_to_nothing(etl, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    for path, code in (("empty", 2), ("nothing.csv", 3)):
        ran = etl("ingest", path, "--site", "north")
        assert ran.code == code
        assert has_three_parts(ran.err)


def test_no_site_is_an_error_that_says_what_to_type(etl, tmp_path) -> None:
    ran = etl("ingest", write(tmp_path, "labs.csv", HEADER + ROW.format(1, 300)))
    assert ran.code == 2
    assert "--site NAME" in ran.out + ran.err


def test_an_unknown_key_of_a_mapping_names_its_line(etl, tmp_path) -> None:
    write(
        tmp_path,
        "sites/north.yaml",
        "site: north\nfeeds:\n  labs:\n    files: ['*.csv']\n    colums: {subject: a}\n",
    )
    ran = etl("ingest", write(tmp_path, "labs.csv", HEADER), "--site", "north")
    assert ran.code == 2
    assert "line 5" in ran.err
    assert "columns" in ran.err
    assert has_three_parts(ran.err)


def test_a_mapped_column_that_is_missing_is_named(etl, tmp_path) -> None:
    write(
        tmp_path,
        "sites/north.yaml",
        "site: north\nfeeds:\n  labs:\n    files: ['*.csv']\n    columns: {subject: patient}\n",
    )
    ran = etl("ingest", write(tmp_path, "labs.csv", HEADER + ROW.format(1, 300)), "--site", "north")
    assert ran.code == 2
    assert "patient" in ran.out + ran.err


def test_a_locked_warehouse_is_exit_4(etl, tmp_path) -> None:
    export = write(tmp_path, "labs.csv", HEADER + ROW.format(1, 300))
    etl("ingest", export, "--site", "north", "-w", "w.duckdb")
    holder = subprocess.Popen(
        [sys.executable, "-c", "import duckdb, sys; c = duckdb.connect('w.duckdb'); print(1, flush=True); sys.stdin.read()"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        holder.stdout.readline()
        ran = etl("ingest", export, "--site", "north", "-w", "w.duckdb")
    finally:
        holder.communicate()
    assert ran.code == 4
    assert has_three_parts(ran.err)


def test_another_file_is_no_warehouse(etl, tmp_path) -> None:
    write(tmp_path, "w.duckdb", b"this is no database" * 500)
    ran = etl("status", "-w", "w.duckdb")
    assert ran.code == 4
    assert has_three_parts(ran.err)


def test_a_full_disk_loads_nothing_of_the_file(tmp_path, etl) -> None:
    """A limit on the size of files stands for the full disk; the file that hits it leaves nothing behind."""
    small = write(tmp_path, "small.csv", HEADER + ROW.format(1, 300))
    big = write(
        tmp_path, "big.csv", HEADER + "".join(ROW.format(at, at % 700 + 100) for at in range(200_000))
    )
    assert etl("ingest", small, "--site", "north", "-w", "w.duckdb").code == 0
    limit = (tmp_path / "w.duckdb").stat().st_size + 3_000_000

    def shrink() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ran = subprocess.run(
        [Path(sys.executable).with_name("etl"), "ingest", big, "--site", "north", "-w", "w.duckdb"],
        cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=shrink,
    )  # fmt: skip
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert has_three_parts(ran.stderr)
    assert rows(tmp_path / "w.duckdb") == 1


def test_a_process_killed_halfway_leaves_nothing_half_loaded(tmp_path, etl) -> None:
    small = write(tmp_path, "small.csv", HEADER + ROW.format(1, 300))
    big = write(
        tmp_path, "big.csv", HEADER + "".join(ROW.format(at, at % 700 + 100) for at in range(400_000))
    )
    assert etl("ingest", small, "--site", "north", "-w", "w.duckdb").code == 0
    before = (tmp_path / "w.duckdb").stat().st_size
    running = subprocess.Popen(
        [Path(sys.executable).with_name("etl"), "ingest", big, "--site", "north", "-w", "w.duckdb"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        if (tmp_path / "w.duckdb").stat().st_size > before + 1_000_000:  # rows are being written
            running.kill()
            break
        time.sleep(0.005)
    assert running.wait() == -signal.SIGKILL
    assert rows(tmp_path / "w.duckdb") == 1
    again = etl("ingest", big, "--site", "north", "-w", "w.duckdb", "--json")
    assert again.code == 0
    assert json.loads(again.out)["files"][0]["accepted"] == 400_000
    assert rows(tmp_path / "w.duckdb") == 400_001


def test_a_dry_run_keeps_nothing(etl, tmp_path) -> None:
    export = write(tmp_path, "labs.csv", HEADER + ROW.format(1, 300))
    ran = etl("ingest", export, "--site", "north", "-w", "w.duckdb", "--dry-run")
    assert ran.code == 0
    assert "dry run" in ran.out
    assert rows(tmp_path / "w.duckdb") == 0


def test_a_manifest_notices_a_cut_file(etl, tmp_path) -> None:
    write(tmp_path, "in/manifest.csv", "file,rows\nlabs.csv,3\n")
    write(tmp_path, "in/labs.csv", HEADER + ROW.format(1, 300) + ROW.format(2, 310))
    ran = etl("ingest", "in", "--site", "north", "-w", "w.duckdb", "--json")
    files = {Path(file["path"]).name: file for file in json.loads(ran.out)["files"]}
    assert ran.code == 3
    assert files["manifest.csv"]["status"] == "companion"
    assert "3 rows" in files["labs.csv"]["message"]
    assert rows(tmp_path / "w.duckdb") == 0


def test_help_imports_nothing_heavy(tmp_path) -> None:
    code = "import sys, cli; heavy = {'polars', 'duckdb', 'pandera', 'great_expectations', 'numpy'} & set(sys.modules); sys.exit(len(heavy))"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0
