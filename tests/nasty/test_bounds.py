"""Files made to exhaust memory end in a held record or in a message, and the process stays small.

Each is read in a process of its own, whose peak is compared with the peak that importing alone takes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MIB = 1 << 20
LONG_LINE = 160 * MIB
# Peak memory above what the imports take. Readers look at 64 MiB before they give up on a line; text is copied a few times.
ALLOWED = 550 * MIB

CHILD = """
import json, resource, sys
from pathlib import Path
import polars, duckdb
from etl.readers import detect
from etl.readers.archive import members
from etl.readers.base import Hints
from schemas.errors import UserError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

before, told = peak(), []
try:
    for source in members(Path(sys.argv[1])):
        reader = detect(source)
        if reader is None:
            told.append(["no format"])
            continue
        for table in reader.inspect(source, Hints()):
            damaged = 0
            for part in table.ranges:
                for batch in reader.read(source, table, part, table.columns):
                    damaged += batch.damaged.height
            told.append(["table", table.records, damaged])
except UserError as error:
    told.append(["refused", error.what, error.why, error.fix])
print(json.dumps([told, peak() - before]))
"""


def outcome(path: Path) -> list[list]:
    """Return what became of each table of a file, after checking the memory it took."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    told, taken = json.loads(done.stdout)
    assert taken < ALLOWED, f"{taken / MIB:.0f} MiB"
    return told


def filled(path: Path, before: bytes, after: bytes, size: int = LONG_LINE) -> Path:
    """Write a file with a long stretch of one letter."""
    with path.open("wb") as file:
        file.write(before)
        for _ in range(size // MIB):
            file.write(b"x" * MIB)
        file.write(after)
    return path


OBSERVATION = b'{"resourceType":"Observation","id":"a","subject":{"reference":"Patient/1"}}\n'
LONG = {
    "line.csv": (b"id,test,value\n1,B12,310\n2,B12,", b"\n3,B12,290\n"),
    "first.csv": (b"id,test,", b"\n1,B12,310\n"),
    "line.ndjson": (b'{"id":"1","value":"310"}\n{"id":"', b'"}\n'),
    "list.json": (b'[{"id":"1","value":"310"},{"id":"', b'"}]'),
    "fhir.ndjson": (OBSERVATION + b'{"resourceType":"', b'"}\n'),
    "oru.hl7": (b"MSH|^~\\&|A|B|C|D|2021||ORU^R01|1|P|2.5\rPID|1||7\rOBX|1|NM|2132-9^B12^LN||", b"|pg/mL\r"),
    "odm.xml": (
        b'<?xml version="1.0"?><ODM><ClinicalData><SubjectData SubjectKey="',
        b'"/></ClinicalData></ODM>',
    ),
    "page.xls": (b"<html><table><tr><td>", b"</td></tr></table></html>"),
}


@pytest.mark.parametrize("name", LONG)
def test_a_line_without_end_is_refused_in_words(tmp_path: Path, name: str) -> None:
    (told,) = outcome(filled(tmp_path / name, *LONG[name]))
    assert told[0] == "refused"
    assert all(told[1:])


def test_a_long_line_of_json_is_held_and_its_neighbours_are_read(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.ndjson", b'{"id":"1"}\n{"id":"', b'"}\n{"id":"3"}\n', 5 * MIB)
    assert outcome(path) == [["table", 3, 1]]


def test_a_long_line_of_text_is_held_and_its_neighbours_are_read(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.csv", b"id,test,value\n1,B12,310\n2,B12,", b"\n3,B12,290\n", 5 * MIB)
    assert outcome(path) == [["table", 3, 1]]


def deep(depth: int, inside: str = "1") -> str:
    return "[" * depth + inside + "]" * depth


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{"id":"1","value":' + deep(1_000_000) + "}]"),
        ("b.json", '{"a":' * 1_000_000 + "1" + "}" * 1_000_000),
        ("c.json", '{"resourceType":"Bundle","entry":' + deep(1_000_000) + "}"),
        ("d.xml", "<ODM><ClinicalData>" + "<a>" * 1_000_000 + "</a>" * 1_000_000 + "</ClinicalData></ODM>"),
    ],
    ids=["list", "object", "FHIR", "ODM"],
)
def test_nesting_without_end_is_refused_in_words(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (told,) = outcome(tmp_path / name)
    assert told[0] == "refused"
    assert all(told[1:])
    assert "nested too deeply" in told[2] or name == "d.xml"


@pytest.mark.parametrize(
    "start", ['{"id":"1"}\n{"id":', OBSERVATION.decode() + '{"resourceType":"Observation","a":']
)
def test_a_nested_line_is_held_and_its_neighbour_is_read(tmp_path: Path, start: str) -> None:
    (tmp_path / "a.ndjson").write_text(f"{start}{deep(100_000)}}}\n")
    (told,) = outcome(tmp_path / "a.ndjson")
    assert told == ["table", 2, 1]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"id,test,value\n1,B12,310\n2,B\x0012,5\n" + b"3,B12,290\n" * 300, ["table", 302, 1]),
        ("a.ndjson", b'{"id":"1"}\n{"id":"\x00"}\n{"id":"3"}\n', ["table", 3, 1]),
        ("u.ndjson", b'{"id":"1"}\n{"id":"\\u0000"}\n', ["table", 2, 1]),
        ("b.ndjson", OBSERVATION + b'{"resourceType":"Observation\x00"}\n', ["table", 2, 1]),
        (
            "a.hl7",
            b"MSH|^~\\&|A|B|C|D|2021||ORU^R01|1|P|2.5\rPID|1||7\rOBX|1|NM|2132-9\x00||1|pg/mL\r",
            ["table", 1, 1],
        ),
    ],
    ids=["text", "JSON", "JSON, escaped", "FHIR", "HL7"],
)
def test_a_nul_byte_holds_its_record_alone(tmp_path: Path, name: str, content: bytes, told: list) -> None:
    (tmp_path / name).write_bytes(content)
    assert outcome(tmp_path / name) == [told]
