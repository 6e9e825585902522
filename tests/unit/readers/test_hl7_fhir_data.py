"""Public messages and resources that others wrote. Expected: counted in the files with grep, or read off them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from etl.readers.base import Hints, Source, Table
from etl.readers.fhir import KINDS, FhirReader
from etl.readers.hl7 import Hl7Reader

HL7 = {  # lines (grep -c '' of what CR, LF or CR LF end), OBX, subject, birth date
    "fhir-converter/LAB-ORU-1.hl7": (16, 10, "10006579", "1924-10-10"),
    "fhir-converter/ORU-R01-01.hl7": (29, 5, "14", "1963-08-15"),
    "linuxforhealth/ORU-multiline-short-mixed.hl7": (9, 4, "0d70c6c8", "1963-03-06"),
    "linuxforhealth/ORU-multiline-short.hl7": (8, 3, "0d70c6c8", "1963-03-06"),
    "linuxforhealth/sample_unix.hl7": (8, 1, "PID1234", "1980-02-02"),
    "linuxforhealth/sample_win.hl7": (8, 1, "PID1234", "1980-02-02"),
}


def read(reader: Hl7Reader | FhirReader, path: Path) -> dict[str, tuple[Table, pl.DataFrame]]:
    source = Source(path)
    with source.open() as file:
        assert reader.recognises(source.name, file.read(1 << 16))
    found = {}
    for table in reader.inspect(source, Hints()):
        batches = [b for part in table.ranges for b in reader.read(source, table, part, table.columns)]
        assert sum(batch.damaged.height for batch in batches) == table.damaged == 0
        found[table.title] = (table, pl.concat(batch.frame for batch in batches))
    return found


@pytest.mark.parametrize("name", HL7)
def test_every_message_is_read_whole(shared: Path, name: str) -> None:
    lines, results, subject, birth = HL7[name]
    ((table, frame),) = read(Hl7Reader(), shared / "hl7v2" / name).values()
    assert (table.lines, table.records, frame.height) == (lines, results, results)
    assert table.lines == table.records + table.continuation + sum(table.structural.values())
    assert frame.select("subject", "birth_date").unique().rows() == [(subject, birth)]


def test_a_haemogram(shared: Path) -> None:
    """The second OBX of the message, and its order and specimen, field by field."""
    ((_, frame),) = read(Hl7Reader(), shared / "hl7v2/fhir-converter/LAB-ORU-1.hl7").values()
    row = {name: value for name, value in frame.row(1, named=True).items() if value is not None}
    assert row == {
        "subject": "10006579", "birth_date": "1924-10-10", "sex": "M", "analyte": "ERYTHROCYTES", "code": "11273-0",
        "code_system": "loinc", "category": "Hemogram and platelet count, automated", "specimen": "BLD", "value": "4.06",
        "unit": "tera.l-1", "flag": "N", "collected_at": "2014-10-06 06:27:00+0700", "source_id": "82503246/2",
        "status": "P", "row_number": 5, "locator": "msg1/OBX[2]",
    }  # fmt: skip
    # Without a time of its own the result has that of its specimen (SPM-17): no OBR-7 is given.
    assert frame["collected_at"][0] == "2014-10-06 05:35:00+0700"
    assert frame["status"].to_list() == ["I", "P", "I", "P", "F", "P", "P", "P", "P", "P"]


def fhir_files(shared: Path) -> list[Path]:
    return sorted(path for path in (shared / "fhir").rglob("*") if path.suffix in {".json", ".ndjson"})


def test_every_resource_is_read(shared: Path) -> None:
    """Counted here with plain json: one record for a value, a component, or a resource of another kind."""
    paths = fhir_files(shared)
    assert len(paths) == 21
    for path in paths:
        text = path.read_text("utf-8")
        documents = [json.loads(each) for each in (text.splitlines() if path.suffix == ".ndjson" else [text])]
        resources = [
            entry["resource"] for each in documents for entry in each.get("entry", [{"resource": each}])
        ]
        expected: Counter[str] = Counter()
        for each in resources:
            kind = each["resourceType"] if each["resourceType"] in KINDS else "Observation"
            parts = any(name.startswith("value") for name in each) + len(each.get("component", []))
            expected[kind] += parts if each["resourceType"] == "Observation" and parts else 1
        found = read(FhirReader(), path)
        assert {str(table.options["kind"]): frame.height for table, frame in found.values()} == expected


def test_decimals_keep_their_digits(shared: Path) -> None:
    ((_, frame),) = read(FhirReader(), shared / "fhir/hl7-r4-examples/observation-decimal.json").values()
    assert frame["value"].to_list() == [
        "1.0", "1.00", "1.0", "1E-22", "1000000000000000000", "1.000000000000000000E-245", "-1.000000000000000000E+245",
    ]  # fmt: skip
    assert frame["locator"].to_list() == [f"component[{place}]" for place in range(7)]


def test_a_bundles_observations_are_of_its_patient(shared: Path) -> None:
    (path,) = (shared / "fhir/synthea-r4-bundles").glob("Luigi*.json")
    found = read(FhirReader(), path)
    ((subject, sex, birth, *_),) = found["Patient"][1].rows()
    assert (sex, birth) == ("male", "2020-10-20")
    results = found["Observation"][1].filter(pl.col("category") != "resource")
    assert results["subject"].unique().to_list() == [subject]
    height = results.filter(pl.col("code") == "8302-2")
    assert height.select("value", "unit", "code_system").row(0) == ("52.692030001960916", "cm", "loinc")
