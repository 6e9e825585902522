"""FHIR R4: what a resource says, by hand from the specification, and how exports depart from it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from etl.readers.base import Hints, Source, Table
from etl.readers.fhir import FhirReader
from schemas.errors import SourceUnreadable

B12 = {
    "resourceType": "Observation",
    "id": "o1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "2132-9"}], "text": "Vitamin B12"},
    "subject": {"reference": "Patient/p1"},
    "valueQuantity": {"value": 145, "unit": "pmol/L"},
}


class Read:
    """A source that was inspected and read: tables, and by title the frame of each."""

    def __init__(self, path: Path, hints: Hints | None = None, **sizes: int) -> None:
        reader, source = FhirReader(**sizes), Source(path)
        self.tables: dict[str, Table] = {}
        self.frames: dict[str, pl.DataFrame] = {}
        damaged = []
        for table in reader.inspect(source, hints or Hints()):
            batches = [b for part in table.ranges for b in reader.read(source, table, part, table.columns)]
            self.tables[table.title] = table
            self.frames[table.title] = frame = pl.concat(batch.frame for batch in batches)
            held = pl.concat(batch.damaged for batch in batches)
            damaged.append(held)
            assert table.lines is None
            assert table.records == frame.height + held.height
            assert table.damaged == held.height
        self.damaged = pl.concat(damaged)

    def row(self, index: int = 0, title: str = "Observation") -> dict[str, str]:
        """Return what a record says, empty roles left out."""
        row = self.frames[title].row(index, named=True)
        return {name: value for name, value in row.items() if value is not None}

    def column(self, name: str, title: str = "Observation") -> list[str | None]:
        return self.frames[title][name].to_list()


Reading = Callable[..., Read]


@pytest.fixture
def lines(tmp_path: Path) -> Reading:
    """Write resources, or raw lines, as NDJSON and read them."""

    def reading(*resources: dict | bytes, name: str = "x.ndjson", **sizes: int) -> Read:
        path = tmp_path / name
        raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in resources]
        path.write_bytes(b"\n".join(raw) + b"\n")
        return Read(path, **sizes)

    return reading


@pytest.fixture
def document(tmp_path: Path) -> Reading:
    """Write a document, or its text, and read it."""

    def reading(content: object, name: str = "x.json", **options: object) -> Read:
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content, indent=1)
        path.write_bytes(text.encode())
        return Read(path, **options)

    return reading


def bundle(*resources: dict, **urls: dict) -> dict:
    entries = [{"resource": each} for each in resources]
    entries += [{"fullUrl": f"urn:uuid:{url}", "resource": each} for url, each in urls.items()]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def test_an_observation_says_its_roles(lines: Reading) -> None:
    said = {
        **B12,
        "identifier": [{"system": "urn:lab", "value": "ACC-7"}],
        "category": [{"coding": [{"code": "laboratory", "display": "Laboratory"}]}],
        "effectiveDateTime": "2021-03-05T08:12:00+01:00",
        "issued": "2021-03-06T09:00:00.123+01:00",
        "valueQuantity": {"value": 83, "comparator": "<", "unit": "pg per ml", "system": "http://unitsofmeasure.org", "code": "pg/mL"},
        "interpretation": [{"coding": [{"code": "L", "display": "Low"}]}],
        "referenceRange": [{"low": {"value": 138}, "high": {"value": 652}, "text": "138 - 652"}],
        "specimen": {"display": "Serum"},
        "method": {"text": "CMIA"},
        "device": {"display": "ARCHITECT"},
        "performer": [{"reference": "Practitioner/1", "display": "Dr. Who"}, {"reference": "Organization/1", "display": "Central lab"}],
        "note": [{"text": "Repeated"}, {"text": "diluted"}],
    }  # fmt: skip
    assert lines(said).row() == {
        "subject": "p1",
        "analyte": "Vitamin B12",
        "code": "2132-9",
        "code_system": "loinc",
        "category": "Laboratory",
        "specimen": "Serum",
        "value": "83",
        "comparator": "<",
        "unit": "pg/mL",  # the UCUM code before the unit as displayed
        "ref_text": "138 - 652",
        "ref_low": "138",
        "ref_high": "652",
        "flag": "L",
        "collected_at": "2021-03-05T08:12:00+01:00",
        "resulted_at": "2021-03-06T09:00:00.123+01:00",
        "source_id": "ACC-7",
        "status": "final",
        "lab_id": "Central lab",
        "platform": "ARCHITECT",
        "method": "CMIA",
        "comment": "Repeated\ndiluted",
        "row_number": 1,
        "locator": "L1",
    }


@pytest.mark.parametrize(
    ("given", "value", "unit"),
    [
        ({"valueQuantity": {"value": 1, "unit": "g", "system": "http://unitsofmeasure.org"}}, "1", "g"),
        ({"valueQuantity": {"value": 1, "code": "g"}}, "1", "g"),
        ({"valueQuantity": {"value": 1, "unit": "grams", "code": "G", "system": "urn:local"}}, "1", "grams"),
        ({"valueQuantity": {"unit": "g"}}, None, "g"),
        ({"valueString": "<150"}, "<150", None),
        ({"valueInteger": 7}, "7", None),
        ({"valueBoolean": False}, "false", None),
        ({"valueDateTime": "2021"}, "2021", None),
        ({"valueCodeableConcept": {"text": "Neg", "coding": [{"display": "Negative"}]}}, "Neg", None),
        ({"valueCodeableConcept": {"coding": [{"code": "1"}, {"display": "Negative"}]}}, "Negative", None),
        ({"valueRange": {"low": {"value": 5, "unit": "g"}, "high": {"value": 10}}}, "5-10", "g"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1:128", None),
        ({"valuePeriod": {"start": "2021"}}, '{"start": "2021"}', None),
        ({"valueQuantity": "5"}, "5", None),
        ({"valueString": ["a"]}, '["a"]', None),
        ({"valueString": ""}, None, None),
        ({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}, "not performed", None),
        ({"dataAbsentReason": {"coding": [{"code": "temp-unknown"}], "text": "later"}}, "pending", None),
        ({"dataAbsentReason": {"text": "haemolysed"}}, "haemolysed", None),
        ({}, None, None),
    ],
)
def test_value_types(lines: Reading, given: dict, value: str | None, unit: str | None) -> None:
    said = {name: each for name, each in B12.items() if name != "valueQuantity"}
    row = lines({**said, **given}).row()
    assert (row.get("value"), row.get("unit")) == (value, unit)


def test_every_reason_for_absence_is_a_word_that_is_known() -> None:
    from importlib.resources import files

    from etl.readers.fhir_values import words

    known = files("schemas.codes").joinpath("absent_words.csv").read_text("utf-8")
    assert {word for word in words()["absent"].values() if f"\n{word}," not in known} == set()


@pytest.mark.parametrize(
    "number", ["1.0", "1.00", "1E-22", "0.10", "-1.000000000000000000E+245", "12345678901234567890123"]
)
def test_numbers_keep_their_digits(lines: Reading, number: str) -> None:
    raw = json.dumps(B12).replace("145", number).encode()
    assert lines(raw).row()["value"] == number


def test_value_components_and_members_are_counted_by_the_contract(lines: Reading) -> None:
    part = {"code": {"text": "part"}, "valueInteger": 1}
    bare = {name: each for name, each in B12.items() if name != "valueQuantity"}
    found = lines(
        {**B12, "component": [part, {"code": {"text": "other part"}}]},  # a value and two components
        {**bare, "component": [part, part]},  # no value: the components alone
        {**bare, "hasMember": [{"reference": "Observation/o1"}]},  # a group of others: no record
        {**B12, "hasMember": [{"reference": "Observation/o2"}]},  # a value is a record, members or not
        bare,  # neither: one
    )
    assert found.column("locator") == [
        "L1",
        "L1/component[0]",
        "L1/component[1]",
        "L2/component[0]",
        "L2/component[1]",
        "L4",
        "L5",
    ]
    assert found.column("source_id") == ["o1", "o1", "o1", "o1", "o1#2", "o1", "o1"]
    assert found.column("analyte")[1:3] == ["part", "other part"]
    assert found.tables["Observation"].decisions[1].evidence == {"Observation": 5, "without_value": 1}


@pytest.mark.parametrize(
    ("coding", "code", "system"),
    [
        (
            [{"system": "urn:l", "code": "B12"}, {"system": "http://loinc.org", "code": "2132-9"}],
            "2132-9",
            "loinc",
        ),
        (
            [{"system": "urn:l", "code": "B12"}, {"system": "http://snomed.info/sct", "code": "1"}],
            "B12",
            "urn:l",
        ),
        ([{"system": "http://loinc.org", "display": "no code"}, {"code": "x"}], "x", None),
        ([{"system": "urn:oid:2.16.840.1.113883.6.1", "code": "2132-9"}], "2132-9", "loinc"),
        ([], None, None),
    ],
)
def test_loinc_wins(lines: Reading, coding: list, code: str | None, system: str | None) -> None:
    row = lines({**B12, "code": {"coding": coding, "text": "B12"}}).row()
    assert (row.get("code"), row.get("code_system"), row["analyte"]) == (code, system, "B12")


@pytest.mark.parametrize(
    ("coding", "name"),
    [
        ({"system": "http://loinc.org", "code": "2132-9"}, None),
        ({"system": "http://loinc.org", "code": "2132-9", "display": "Cobalamin"}, "Cobalamin"),
        ({"system": "urn:l", "code": "B12"}, "B12"),  # all that the sender says of it
    ],
)
def test_a_bare_loinc_is_a_code_and_no_name(lines: Reading, coding: dict, name: str | None) -> None:
    row = lines({**B12, "code": {"coding": [coding]}}).row()
    assert (row["code"], row.get("analyte")) == (coding["code"], name)


@pytest.mark.parametrize(
    ("stated", "subject"),
    [
        ({"reference": "Patient/123"}, "123"),
        ({"reference": "https://h.example/fhir/Patient/123/_history/2"}, "123"),
        ({"reference": "urn:uuid:0a1b"}, "0a1b"),
        ({"reference": "Patient?identifier=urn:mrn|77"}, "77"),
        ({"reference": "123"}, "123"),
        ({"reference": "123", "type": "Group"}, None),
        ({"identifier": {"system": "urn:mrn", "value": "77"}}, "77"),
        ({"reference": "Group/123"}, None),  # a group's id is nobody's
        ({"reference": "Device/123"}, None),
        ({"reference": "#p"}, "MRN-5"),
        ({"reference": "#q"}, None),
        ({"reference": "#none"}, None),
        ({"display": "John Doe"}, None),
        ("Patient/123", None),
        (None, None),
    ],
)
def test_the_subject_is_the_id_behind_the_reference(
    lines: Reading, stated: object, subject: str | None
) -> None:
    """A contained patient's id means something in that resource only, so its identifier counts."""
    contained = [
        {"resourceType": "Patient", "id": "p", "identifier": [{"value": "MRN-5"}]},
        {"resourceType": "Patient", "id": "q"},
    ]
    assert lines({**B12, "subject": stated, "contained": contained}).row().get("subject") == subject


def test_a_contained_patient_is_a_patient_under_its_identifier(lines: Reading, document: Reading) -> None:
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1960-12"}
    numbered = {**patient, "identifier": [{"value": "MRN-5"}]}
    lab = {"resourceType": "Organization", "id": "o"}
    about = {**B12, "subject": {"reference": "#p"}}
    resources = [
        {**about, "contained": [lab, numbered]},
        {**about, "contained": [patient]},  # nobody's: its id means something here only
        {**B12, "subject": {"reference": "Patient/1"}, "contained": [numbered]},  # about another one
        {"resourceType": "Condition", "subject": {"reference": "#p"}, "contained": numbered},
    ]
    said = ("MRN-5", "female", "1960-12")
    assert lines(*resources).frames["Patient"].rows() == [
        (*said, 1, "L1/contained[1]"),
        (*said, 4, "L4/contained[0]"),
    ]
    found = document(bundle(*resources))
    assert found.frames["Patient"].rows()[0] == (*said, 1, "entry[0].contained[1]")
    assert found.tables["Observation"].records == 3


def test_a_bundles_urls_lead_to_the_patients_own_id(document: Reading) -> None:
    said = {name: {**B12, "subject": {"reference": f"urn:uuid:{name}"}} for name in ("aa", "bb", "cc")}
    found = document(
        bundle(
            *said.values(),
            aa={"resourceType": "Patient", "id": "p1", "gender": "male"},
            bb={"resourceType": "Patient", "gender": "female"},
            cc={"resourceType": "Group", "id": "p1"},
        )
    )
    assert found.column("subject")[:3] == ["p1", "bb", None]
    assert found.frames["Patient"].rows() == [
        ("p1", "male", None, 4, "entry[3]"),
        ("bb", "female", None, 5, "entry[4]"),
    ]


def test_reference_ranges(lines: Reading) -> None:
    normal = {"type": {"coding": [{"code": "normal"}]}, "low": {"value": 1.50}}
    critical = {"type": {"coding": [{"code": "critical"}]}, "low": {"value": 9}}
    found = lines(
        {**B12, "referenceRange": [critical, normal]},
        {**B12, "referenceRange": [{"low": {"value": 1}, "high": {"value": 2}}, {"text": "women 3-4"}]},
        {**B12, "referenceRange": [critical]},
    )
    assert found.frames["Observation"].select("ref_low", "ref_high", "ref_text").rows() == [
        ("1.5", None, "1.5-"),
        (None, None, "1-2; women 3-4"),
        (None, None, None),
    ]


def test_each_kind_of_resource_is_a_table(document: Reading) -> None:
    found = document(
        bundle(
            {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1960-12"},
            {
                "resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"},
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": "32914008"}, {"system": "http://hl7.org/fhir/sid/icd-10", "code": "G25.8"}], "text": "RLS"},
                "clinicalStatus": {"coding": [{"code": "active"}]}, "verificationStatus": {"coding": [{"code": "confirmed"}]},
                "onsetPeriod": {"start": "2019"}, "abatementDateTime": "2020", "recordedDate": "2021",
            },
            {
                "resourceType": "MedicationStatement", "id": "m1", "subject": {"reference": "Patient/p1"}, "status": "active",
                "medicationReference": {"reference": "Medication/d"}, "effectivePeriod": {"start": "2020", "end": "2021"},
            },
            {"resourceType": "Medication", "id": "d", "code": {"coding": [{"system": "http://www.whocc.no/atc", "code": "N04BC05", "display": "pramipexole"}]}},
            B12,
        )
    )  # fmt: skip
    assert list(found.tables) == ["Patient", "Condition", "MedicationStatement", "Observation"]
    assert found.row(title="Patient") == {
        "subject": "p1", "sex": "female", "birth_date": "1960-12", "row_number": 1, "locator": "entry[0]",
    }  # fmt: skip
    assert found.row(title="Condition") == {
        "subject": "p1", "condition_text": "RLS", "condition_code": "G25.8", "condition_system": "http://hl7.org/fhir/sid/icd-10",
        "condition_status": "active", "verification_status": "confirmed", "started_at": "2019", "ended_at": "2020",
        "recorded_at": "2021", "source_id": "c1", "row_number": 2, "locator": "entry[1]",
    }  # fmt: skip
    assert found.row(title="MedicationStatement") == {
        "subject": "p1", "medication_text": "pramipexole", "medication_code": "N04BC05",
        "medication_system": "http://www.whocc.no/atc", "medication_status": "active", "started_at": "2020", "ended_at": "2021",
        "source_id": "m1", "row_number": 3, "locator": "entry[2]",
    }  # fmt: skip
    other, result = found.row(0), found.row(1)
    assert (other["analyte"], other["category"], other["locator"]) == ("Medication", "resource", "entry[3]")
    assert result["locator"] == "entry[4]"


def test_answers_of_a_questionnaire_are_records(lines: Reading) -> None:
    score = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 3}
    found = lines(
        {
            "resourceType": "QuestionnaireResponse", "questionnaire": "http://h.example/Questionnaire/irls|2.0",
            "subject": {"reference": "Patient/p1"}, "authored": "2021-03-05", "status": "completed", "language": "zh",
            "item": [
                {"linkId": "g", "item": [
                    {"linkId": "1", "text": "Discomfort", "answer": [{"valueCoding": {"code": "LA1", "display": "severe", "extension": [score]}}]},
                    {"linkId": "2", "answer": [{"valueCoding": {"code": "2", "display": "moderate"}}]},
                    {"linkId": "3", "answer": [{"valueCoding": {"code": "LA3", "display": "mild"}, "item": [{"linkId": "3a", "answer": [{"valueInteger": 4}, {"valueInteger": 5}]}]}]},
                    {"linkId": "4"},
                ]},
            ],
        },
        {"resourceType": "QuestionnaireResponse", "status": "in-progress"},
    )  # fmt: skip
    title = "QuestionnaireResponse"
    assert found.row(title=title) == {
        "subject": "p1", "administered_at": "2021-03-05", "instrument": "irls", "item": "1", "item_text": "Discomfort",
        "value": "3", "status": "completed", "language": "zh", "row_number": 1, "locator": "L1/item[0].item[0].answer[0]",
    }  # fmt: skip
    assert found.frames[title].select("item", "value", "locator").rows()[1:] == [
        ("2", "2", "L1/item[0].item[1].answer[0]"),
        ("3", "mild", "L1/item[0].item[2].answer[0]"),
        ("3a", "4", "L1/item[0].item[2].answer[0].item[0].answer[0]"),
        ("3a", "5", "L1/item[0].item[2].answer[0].item[0].answer[1]"),
    ]
    assert found.tables[title].decisions[1].evidence == {title: 2, "without_value": 1}


def test_a_bad_line_is_held_with_its_number(lines: Reading) -> None:
    broken = {
        2: (b'{"resourceType": "Observation", "id"', "broken_json"),
        3: (b'{"resourceType": "Observation", "x": "a\0b"}', "control_bytes"),
        4: (b'{"resourceType": "Observation", "x": "\xff"}', "undecodable_line"),
        5: (b'{"id": 1}', "broken_json"),
        6: (b"[1, 2]", "broken_json"),
        7: (b'{"resourceType": "John Doe"}', "broken_json"),
        8: (b'{"resourceType": "Observation", "x": NaN}', "broken_json"),
        9: (b'{"resourceType": "Observation", "x": "\\ud83d"}', "broken_json"),
        10: (b"[" * 100_000, "broken_json"),
        11: (b'{"resourceType": "Observation", "component": ["a"]}', "broken_json"),
        12: (b'{"resourceType": "Observation"} {"resourceType": "Observation"}', "broken_json"),
    }
    found = lines(B12, *(raw for raw, _ in broken.values()), b"", B12)
    assert found.column("row_number") == [1, 14]
    assert found.damaged.select("row_number", "reason").rows() == [
        (row, reason) for row, (_, reason) in broken.items()
    ]
    assert found.damaged["locator"].to_list() == [f"L{row}" for row in broken]
    assert found.damaged["raw"].to_list()[:3] == [raw for raw, _ in list(broken.values())[:3]]


def test_damage_is_counted_once_however_many_tables(lines: Reading) -> None:
    found = lines({"resourceType": "Patient", "id": "p1"}, b"{", {"resourceType": "Condition", "id": "c"})
    assert {title: table.damaged for title, table in found.tables.items()} == {"Patient": 1, "Condition": 0}
    assert lines(b"{", b"}", name="y.ndjson").tables["other"].records == 2


def test_other_resources_are_names_out_of_scope(lines: Reading) -> None:
    found = lines(
        {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p1"}},
        {"resourceType": "Specimen"},
    )
    assert found.column("analyte", "other") == ["Encounter", "Specimen"]
    assert set(found.column("category", "other")) == {"resource"}
    assert found.tables["other"].decisions[1].evidence == {"Encounter": 1, "Specimen": 1, "without_value": 0}


def test_no_type_of_resource_resembles_an_analyte() -> None:
    """The names of the 30 types that exports hold most; a lookalike would be held instead of left out."""
    from etl.harmonize.analytes import resembles

    types = [
        "AllergyIntolerance",
        "Appointment",
        "Binary",
        "CarePlan",
        "CareTeam",
        "Claim",
        "Communication",
        "Composition",
        "Consent",
        "Coverage",
        "Device",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "ExplanationOfBenefit",
        "FamilyMemberHistory",
        "Goal",
        "Group",
        "Immunization",
        "Location",
        "Media",
        "Medication",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Procedure",
        "Provenance",
        "Questionnaire",
        "ServiceRequest",
        "Specimen",
    ]
    assert [name for name in types if resembles(name)] == []


def test_documents_of_every_shape(document: Reading) -> None:
    nested = bundle(
        {"resourceType": "Bundle", "entry": [{"resource": B12}]}, {**B12, "component": [{"valueInteger": 1}]}
    )
    assert document(B12).column("locator") == ["resource"]
    assert document({**B12, "component": [{"valueInteger": 1}]}).column("locator") == [
        "resource",
        "component[0]",
    ]
    assert document([B12, B12]).column("locator") == ["[0]", "[1]"]
    assert document(nested).column("locator") == ["entry[0].entry[0]", "entry[1]", "entry[1].component[0]"]
    assert document(nested).column("row_number") == [1, 2, 2]
    assert document(json.dumps(nested), name="one-line.json").frames["Observation"].height == 3
    assert document("\ufeff" + json.dumps(B12)).column("value") == ["145"]
    assert document(bundle()).tables["other"].records == 0


def test_an_entry_without_a_resource_is_held(document: Reading) -> None:
    found = document(
        {
            "resourceType": "Bundle",
            "entry": [{"request": {"method": "DELETE", "url": "Observation/1"}}, {"resource": B12}],
        }
    )
    assert found.damaged.select("row_number", "locator", "reason").rows() == [(1, "entry[0]", "broken_json")]
    assert found.column("locator") == ["entry[1]"]


def test_bundles_on_lines(lines: Reading) -> None:
    found = lines(bundle(B12, {**B12, "component": [{"valueInteger": 1}]}), B12)
    assert found.column("locator") == ["L1/entry[0]", "L1/entry[1]", "L1/entry[1].component[0]", "L2"]
    assert found.column("row_number") == [1, 1, 1, 2]


def test_lines_are_known_by_content_or_name(lines: Reading, document: Reading) -> None:
    assert lines(B12, B12, name="export.json").tables["Observation"].options["layout"] == "ndjson"
    assert lines(b"{ broken", B12, name="export.json").column("locator") == ["L2"]
    assert lines(B12, name="one.ndjson").column("locator") == ["L1"]
    assert document(bundle(B12), name="pretty.txt").column("locator") == ["entry[0]"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"resourceType": "Observation",\n "id": }', "line 2, column 8"),
        ("[" * 100_000, "nested too deeply"),
        ('{\n"resourceType": "X", "v": NaN}', "NaN"),
        ("", "no byte"),
    ],
)
def test_a_broken_document_says_where(document: Reading, content: str, why: str) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        document(content)
    assert why in caught.value.message()


def test_a_document_beyond_memory_is_refused(document: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.readers.fhir_source.LARGEST_DOCUMENT", 100)
    with pytest.raises(SourceUnreadable, match="too large"):
        document(bundle(B12, B12))


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(json.dumps({**B12, "code": {"text": "维生素B12"}}, ensure_ascii=False).encode("gb18030"))
    assert Read(path, Hints(encoding="gb18030")).column("analyte") == ["维生素B12"]
    assert Read(path).damaged["reason"].to_list() == ["undecodable_line"]


def test_block_and_range_sizes_change_nothing(lines: Reading) -> None:
    resources = [
        ({**B12, "id": str(n)}, b"{", {"resourceType": "Patient", "id": str(n)})[n % 3] for n in range(90)
    ]
    large, small = lines(*resources), lines(*resources, block=700, range=1500)
    assert len(small.tables["Observation"].ranges) > 5
    assert small.damaged.equals(large.damaged)
    for title, frame in large.frames.items():
        assert small.frames[title].equals(frame)


def test_gzip(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson.gz"
    path.write_bytes(gzip.compress((json.dumps(B12) + "\r\n").encode() * 20))
    found = Read(path, block=900, range=900)
    assert found.column("row_number") == list(range(1, 21))
    assert len(found.tables["Observation"].ranges) == 1


def test_only_the_columns_asked_for_are_read_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(bundle({"resourceType": "Patient", "id": "p", "birthDate": "1960"}, B12)))
    asked: list[tuple[str, ...]] = []
    shown: list[pl.DataFrame] = []

    def observe(columns: tuple[str, ...]):
        asked.append(columns)
        return ([columns[2]], shown.append) if "birth_date" in columns else None

    reader, source = FhirReader(), Source(path)
    tables = reader.inspect(source, Hints(), observe)
    assert [table.columns for table in tables] == asked
    assert [frame.to_dicts() for frame in shown] == [[{"birth_date": "1960", "row_number": 1}]]
    (batch,) = reader.read(source, tables[1], tables[1].ranges[0], ["unit"])
    assert batch.frame.columns == ["unit", "row_number", "locator"]
    assert batch.frame.select(reader.locate(tables[1], "unit")).rows() == [("entry[1]",)]


@pytest.mark.parametrize(
    ("head", "is_known"),
    [
        (b'{"resourceType":"Patient"}', True),
        (b'\xef\xbb\xbf\n {\n"id": 1, "resourceType": "Patient"', True),
        (b'[{"resourceType":"Patient"}]', True),
        (b'{"datasetJSONVersion": "1.1.0"}', False),
        (b'a,"resourceType"\n', False),
        (b"", False),
    ],
)
def test_recognised_by_content(head: bytes, is_known: bool) -> None:
    assert FhirReader().recognises("x", head) is is_known
