"""`etl map`: draft, check and coverage, as a user meets them; questions on a terminal only."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import ETL

LABS = "id no,test name,result,unit,NormalRangeLow,RangeMinimum,collection date\n" + "".join(
    f"P{at // 3},Vitamin B12,{200 + at},pg/mL,180,180,2021-03-{13 + at % 15}\n" for at in range(30)
)


@pytest.fixture
def labs(tmp_path: Path) -> Path:
    path = tmp_path / "labs.csv"
    path.write_text(LABS, "utf-8")
    return path


def test_suggest_check_ingest(etl, labs) -> None:
    drafted = etl("map", "suggest", labs, "--site", "north", "--out", "sites/north.yaml")
    assert (drafted.code, drafted.err) == (0, "")
    again = etl("map", "suggest", labs, "--out", "sites/north.yaml")
    assert again.code == 2
    assert "exists" in again.err
    checked = etl("map", "check", "sites/north.yaml", "--data", labs)
    assert (checked.code, checked.err) == (2, "")  # the subject is still open
    assert "still not mapped: no column names the subject" in checked.out
    path = labs.parent / "sites" / "north.yaml"
    path.write_text(path.read_text("utf-8").replace("# subject: HEADER", 'subject: "id no"'), "utf-8")
    assert etl("map", "check", "sites/north.yaml", "--data", labs).code == 0
    assert etl("ingest", labs).code == 0


def test_a_draft_of_nothing_asks_for_nothing(etl, tmp_path) -> None:
    (tmp_path / "staff.csv").write_text("Desk,Phone\nA,17\nB,18\n", "utf-8")
    drafted = etl("map", "suggest", "staff.csv", "--out", "site.yaml")
    assert drafted.code == 1
    text = (tmp_path / "site.yaml").read_text("utf-8")
    assert "OPEN" not in drafted.out + text
    assert "Not mapped: staff.csv: no column names the subject" in text


def test_nothing_is_asked_without_a_terminal(etl, labs) -> None:
    ran = etl("map", "suggest", labs)
    assert ran.code == 0
    assert "Number" not in ran.out + ran.err
    assert json.loads(etl("map", "suggest", labs, "--json").out)["tables"][0]["shape"] == "lab_long"


def test_a_terminal_is_asked(labs, tmp_path) -> None:
    """Both ends of a terminal: the second column is chosen for the lower limit, the first for the subject."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [str(ETL), "map", "suggest", str(labs), "--out", str(tmp_path / "s.yaml")],
        stdin=follower, stdout=subprocess.PIPE, stderr=follower, env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.write(leader, b"1\n2\n")
    process.communicate(timeout=120)
    os.close(follower)
    os.close(leader)
    text = (tmp_path / "s.yaml").read_text("utf-8")
    assert 'subject: "id no"   # [high] chosen by the person who made this draft' in text
    assert 'ref_low: "RangeMinimum"   # [high] chosen by the person who made this draft' in text


@pytest.mark.parametrize(
    ("line", "says", "hint"),
    [
        ("    colums: {subject: id no}", "line 5, feeds.labs.colums: 'colums' is no key", "columns instead of colums"),
        ("    columns: {subjct: id no}", "line 5, feeds.labs.columns.subjct: 'subjct' is no role", "subject instead of subjct"),
        ("    columns: {subject: id nr}", "line 5", "The nearest column is 'id no'"),
        ("    units: {vitamin_b12: pg/mL", "line 6", "not valid YAML"),
    ],
)  # fmt: skip
def test_an_error_names_line_and_hint(etl, labs, line, says, hint) -> None:
    path = labs.parent / "bad.yaml"
    path.write_text(f'site: north\nfeeds:\n  labs:\n    files: ["labs.csv"]\n{line}\n', "utf-8")
    ran = etl("map", "check", path, "--data", labs)
    assert ran.code == 2
    assert says in ran.out
    assert hint in ran.out
    assert "Try: " in ran.out


def test_coverage(etl, labs) -> None:
    text = LABS.replace("id no", "patient_id") + "P1,VB-12 neu,200,pg/mL,180,180,2021-03-14\n" + "".join(
        f"P{at},Rohrzucker,1,g/L,1,1,2021-03-14\nP{at},VB-12 alt,1,g/L,1,1,2021-03-14\n" for at in range(6)
    )  # fmt: skip
    labs.write_text(text, "utf-8")
    (found,) = json.loads(etl("map", "coverage", labs, "--site", "north", "--json").out)
    assert ["result", "value", "synonym"] in found["used"]
    assert [name for name, *_ in found["unused"]] == ["NormalRangeLow", "RangeMinimum"]
    assert found["names"] == [
        ["VB-12 alt", 6, "nearly vitamin_b12, but not known as it"],
        ["Rohrzucker", 6, "unknown, and like no analyte of the study"],
        ["Vitamin B12", 30, "vitamin_b12"],
    ]
    assert found["notes"] == [
        "1 records under rare names: nearly vitamin_b12, but not known as it (names of fewer than five subjects are not shown)."
    ]


def test_profile_exit_codes_and_page(etl, labs) -> None:
    assert etl("profile", labs, "--html", "page.html").code == 0
    assert "<svg" in (labs.parent / "page.html").read_text("utf-8")
    assert json.loads(etl("profile", labs, "--json").out)[0]["format"] == "delimited"
    (labs.parent / "nothing.csv").write_bytes(b"")
    ran = etl("profile", "nothing.csv")
    assert ran.code == 3
    assert "Try: " in ran.out
    assert etl("profile", "nowhere.csv").code == 3


@pytest.mark.parametrize("command", [("profile",), ("map", "suggest"), ("map", "coverage")])
def test_a_file_that_cannot_be_read_is_an_error(etl, tmp_path, command) -> None:
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 cut")
    ran = etl(*command, "cut.zip")
    assert ran.code == 3
    assert "Error: cut.zip cannot be decompressed." in ran.out + ran.err
    assert "site:" not in ran.out
