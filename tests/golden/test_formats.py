"""Every public file goes in whole or is refused with words: formats.csv gives what was counted in the files.

It names every file, and every table of it. `rows` are the rows that are not blank, headers included, as csv, json,
openpyxl, xlrd, pyxlsb, odfpy, pyreadstat and ElementTree count them; the other counts were made with the standard
library and, for HL7, by the OBX lines; the last column says of what, or why a file is not loaded. Rows are counted
again here.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from etl.ingest import IngestOptions, ingest
from etl.outcome import FileOutcome
from schemas.errors import SourceUnreadable

TABLE = Path(__file__).with_name("formats.csv")
CLINICAL = ("cdisc", "fhir", "hl7v2", "omop", "redcap", "scales")
OTHERS = ("spss_sas_stata", "tabular", "units", "nhanes_codebooks")
WITH_HEADER = ("delimited", "excel")  # formats whose header is a row like the others
NUMBERS = ("read", "accepted", "held", "out_of_scope", "attributes")
Key = tuple[str, str]


def expected() -> dict[Key, dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["path"], row["table"]): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def found(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Key, FileOutcome]:
    """What happens to every file of the folders, each by itself: nothing of it is kept."""
    folder = tmp_path_factory.mktemp("formats")
    outcomes = {}
    for name in (*CLINICAL, *OTHERS):
        report = ingest([str(shared / name)], folder / "w.duckdb", IngestOptions(name, is_dry_run=True))
        for each in report.files:
            outcomes[str(Path(each.path).relative_to(shared)), each.table] = each
    return outcomes


def test_every_listed_file_is_as_counted(found: dict[Key, FileOutcome]) -> None:
    listed = expected()
    assert {key: found[key].status if key in found else "missing" for key in listed} == {
        key: row["status"] for key, row in listed.items()
    }
    counted = {key: row for key, row in listed.items() if row["read"]}
    assert {key: [getattr(found[key].counts, name) for name in NUMBERS] for key in counted} == {
        key: [int(row[name]) for name in NUMBERS] for key, row in counted.items()
    }


def test_every_file_is_listed(shared: Path, found: dict[Key, FileOutcome]) -> None:
    assert found.keys() == expected().keys()
    folders = [shared / name for name in (*CLINICAL, *OTHERS)]
    files = {str(each.relative_to(shared)) for top in folders for each in top.rglob("*") if each.is_file()}
    assert {path.partition("!")[0] for path, _ in found} == files


def test_every_row_is_a_record_or_structure(found: dict[Key, FileOutcome]) -> None:
    """The rows of other libraries are the records, with headers and what stands above or below a table."""
    listed = {key: int(row["rows"]) for key, row in expected().items() if row["rows"]}
    counted = {}
    for key in listed:
        each = found[key]
        beside = sum(number for kind, number in each.detail.structural.items() if kind != "blank")
        counted[key] = each.counts.records + (beside if each.format in WITH_HEADER else 0)
    assert counted == listed
    assert len(listed) > 300


def test_what_is_not_loaded_says_why(found: dict[Key, FileOutcome]) -> None:
    assert {each.status for each in found.values()} <= {
        "loaded",
        "unmapped",
        "needs_declaration",
        "unreadable",
        "companion",
    }
    for key, each in found.items():
        if each.status in {"unmapped", "companion"}:
            assert each.note, key
        elif each.status != "loaded":
            assert each.error is not None, key
            assert each.error.what, key
            assert each.error.why, key
            assert each.error.fix, key


@pytest.mark.parametrize(
    "name", ["scales/lcbc/data/bdi.tsv", "tabular/calamine/pass_protected.xlsx", "cdisc/msg2/vs.xpt"]
)
def test_a_file_named_by_itself_is_refused_in_three_parts(shared: Path, place, name: str) -> None:
    report = place.ingest(shared / name)
    (outcome,) = report.files
    assert outcome.error is not None
    assert all((outcome.error.what, outcome.error.why, outcome.error.fix))
    assert report.exit_code() == (3 if isinstance(outcome.error, SourceUnreadable) else 2)


def test_the_rows_are_those_of_plain_readers(shared: Path, found: dict[Key, FileOutcome]) -> None:
    """Long tables have a candidate a row; the rows are counted with the standard library."""
    counted = {}
    for name in ("scales/admiral/example_qs.csv", "cdisc/pharmaversesdtm/lb_metabolic.csv"):
        with (shared / name).open(encoding="utf-8", newline="") as file:
            counted[name] = sum(1 for _ in csv.DictReader(file))
    packed = "omop/Synthea27Nj/Synthea27Nj_5.4.zip"
    with zipfile.ZipFile(shared / packed) as archive:
        for name in ("MEASUREMENT.csv", "CONDITION_OCCURRENCE.csv", "DRUG_EXPOSURE.csv"):
            with io.TextIOWrapper(archive.open(name), encoding="utf-8") as file:
                counted[f"{packed}!{name}"] = sum(1 for _ in csv.DictReader(file))
    for path, rows in counted.items():
        assert found[path, ""].counts.read == found[path, ""].counts.records == rows


@pytest.mark.filterwarnings("ignore:Workbook contains no default style:UserWarning")
def test_sheets_and_packages_are_counted_by_their_libraries(shared: Path) -> None:
    import openpyxl
    import pyreadstat

    readers = {
        ".sav": pyreadstat.read_sav,
        ".xpt": pyreadstat.read_xport,
        ".sas7bdat": pyreadstat.read_sas7bdat,
    }
    for (path, table), row in expected().items():
        suffix = Path(path).suffix
        if suffix in readers and row["rows"]:
            cells, _ = readers[suffix](str(shared / path), output_format="dict")
            assert len(next(iter(cells.values()))) == int(row["rows"]), path
        elif suffix == ".xlsx" and path.startswith("tabular/frictionless") and row["rows"]:
            sheet = openpyxl.load_workbook(shared / path, data_only=True)[table]
            filled = [
                each for each in sheet.iter_rows(values_only=True) if any(str(c or "").strip() for c in each)
            ]
            assert len(filled) == int(row["rows"]), path


def test_events_of_odm_are_counted_with_plain_xml(shared: Path, found: dict[Key, FileOutcome]) -> None:
    from defusedxml import ElementTree

    namespace = "{http://www.cdisc.org/ns/odm/v1.3}"
    for path in (shared / "redcap").rglob("project*.xml"):
        root = ElementTree.parse(path).getroot()
        events = list(root.iter(f"{namespace}StudyEventData")) or list(root.iter(f"{namespace}SubjectData"))
        assert found[str(path.relative_to(shared)), "ClinicalData"].counts.records == len(events)


def test_resources_of_a_kind_are_counted_with_plain_json(shared: Path, found: dict[Key, FileOutcome]) -> None:
    (path,) = (shared / "fhir/synthea-r4-bundles").glob("Edward*.json")
    bundle = json.loads(path.read_text("utf-8"))
    kinds = Counter(entry["resource"]["resourceType"] for entry in bundle["entry"])
    for kind in ("Condition", "MedicationRequest"):
        assert found[str(path.relative_to(shared)), kind].counts.accepted == kinds[kind]


def test_the_canadian_message_goes_in_by_its_range(place) -> None:
    """The code is of the mass, unit and range are of the amount: 145 x 1.35537 = 196.52865 pg/mL."""
    segments = (
        r"MSH|^~\&|LAB|HOSP|ETL|STUDY|20210305101500||ORU^R01|1|P|2.5",
        "PID|1||P1^^^HOSP^MR||||19600101|F",
        "OBR|1|O1|F1|14657-0^B12 panel^LN|||20210304101500",
        "OBX|1|NM|2132-9^Vitamin B12^LN||145|pmol/L|138-652|N|||F",
    )
    place.ingest(place.write("b12.hl7", "\r".join(segments).encode()))
    rows = place.rows(
        "select analyte, value, unit, unit_basis, unit_flag, ref_text, locator from core.lab_result"
    )
    assert rows == [
        (
            "vitamin_b12",
            pytest.approx(196.52865, abs=1e-9),
            "pg/mL",
            "stated",
            "loinc_disagrees",
            "138-652",
            "msg1/OBX[1]",
        )
    ]


def test_a_sheet_without_use_is_no_error_beside_one_with(place) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "read me"
    book.active.append(["this workbook", "was exported"])
    book.active.append(["by", "hand"])
    labs = book.create_sheet("labs")
    labs.append(["patient_id", "test", "result", "unit", "collected"])
    labs.append(["P1", "Vitamin B12", 300, "pg/mL", "2021-03-05"])
    book.save(place.folder / "export.xlsx")
    report = place.ingest(place.folder / "export.xlsx")
    assert {each.table: each.status for each in report.files} == {"labs": "loaded", "read me": "unmapped"}
    assert (report.exit_code(), report.totals()["accepted"]) == (0, 1)


def test_omop_results_are_as_printed_else_the_number(place) -> None:
    export = place.write(
        "measurement.csv",
        """
        measurement_id,person_id,measurement_date,operator_concept_id,value_as_number,unit_source_value,measurement_source_value,value_source_value
        1,7,2021-03-05,4171756,150,pg/mL,2132-9,<150
        2,8,2021-03-05,4172704,2000,pg/mL,2132-9,
        3,9,2021-03-05,0,,pg/mL,2132-9,310.0
        4,9,2021-03-06,0,,pg/mL,2132-9,
        """,
    )
    place.ingest(export)
    rows = place.rows(
        "select comparator, value, absent_reason, locator from core.lab_result order by row_number"
    )
    assert rows == [
        ("<", 150.0, None, "L2/C8"),
        (">", 2000.0, None, "L3/C8"),
        (None, 310.0, None, "L4/C8"),
        (None, None, "empty", "L5/C8"),
    ]


def test_omop_operators_are_signs(place) -> None:
    """4171756 is OMOP's concept of `<`; 0 says nothing."""
    export = place.write(
        "measurement.csv",
        """
        MEASUREMENT_ID,PERSON_ID,MEASUREMENT_DATE,OPERATOR_CONCEPT_ID,VALUE_AS_NUMBER,UNIT_SOURCE_VALUE,MEASUREMENT_SOURCE_VALUE
        1,7,2021-03-05,4171756,150,pg/mL,2132-9
        2,8,2021-03-05,0,300,pg/mL,2132-9
        """,
    )
    place.ingest(export)
    rows = place.rows("select comparator, value from core.lab_result order by value")
    assert rows == [("<", 150.0), (None, 300.0)]


def test_every_column_that_hl7_and_fhir_readers_name_has_its_role() -> None:
    from etl.readers.fhir import KINDS
    from etl.readers.hl7_fields import COLUMNS
    from etl.sites.resolve import resolve

    unread = {"hl7": resolve(COLUMNS).unmapped}
    unread |= {name: resolve(tuple(kind.columns)).unmapped for name, kind in KINDS.items()}
    assert {name: columns for name, columns in unread.items() if columns} == {
        "QuestionnaireResponse": ("item_text",)  # the item's number says which it is
    }
    shapes = {name: resolve(tuple(kind.columns)).shape for name, kind in KINDS.items()}
    assert shapes == {
        "Observation": "lab_long",
        "Patient": "subjects",
        "Condition": "condition",
        "QuestionnaireResponse": "item_long",
        "MedicationRequest": "medication",
        "MedicationStatement": "medication",
        "MedicationAdministration": "medication",
        "MedicationDispense": "medication",
    }


def test_two_tables_on_one_sheet_are_two_files(place) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (
        ["patient_id", "test", "result", "unit", "collected"],
        ["P1", "Vitamin B12", 300, "pg/mL", "2021-03-05"],
        [],
        ["patient_id", "test", "result", "unit", "collected", "method"],
        ["P2", "Vitamin B12", 310, "pg/mL", "2021-03-06", "ECLIA"],
    ):
        book.active.append(row)
    book.save(place.folder / "two.xlsx")
    report = place.ingest(place.folder / "two.xlsx")
    assert [(each.table, each.status) for each in report.files] == [
        ("Sheet", "loaded"),
        ("Sheet#2", "loaded"),
    ]
    assert place.rows("select value, locator from core.lab_result order by value") == [
        (300.0, "Sheet!C2"),
        (310.0, "Sheet!C5"),
    ]
    assert {each.status for each in place.ingest(place.folder / "two.xlsx").files} == {"unchanged"}
    assert place.problems() == []
