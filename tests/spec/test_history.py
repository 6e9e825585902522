"""Diagnoses and drugs of every format: what becomes present, absent, unknown, held; which concept they stand for.

Codes: G25.81 is restless legs in ICD-10-GM, N18 chronic kidney disease, A10BA02 metformin in ATC, 32914008 restless
legs in SNOMED CT, 860975 a metformin tablet in RxNorm (schemas/concepts/concept_codes.csv names the sources).
"""

from __future__ import annotations

import json
from datetime import datetime

import pytest

SNOMED = "http://snomed.info/sct"
ROW = "concept, code, text_source, status, started_at, ended_at, row_state, locator"


def rows(place, table: str, columns: str = ROW) -> list[tuple]:
    return place.rows(f"select {columns} from core.{table} order by row_number")


def condition(number: int, **fields: object) -> dict:
    code = {"coding": [{"system": SNOMED, "code": "32914008"}], "text": "Restless legs"}
    return {
        "resourceType": "Condition",
        "id": f"c{number}",
        "subject": {"reference": "Patient/p1"},
        "code": code,
    } | fields


def status(word: str) -> dict:
    return {"coding": [{"code": word}]}


def with_views(place) -> None:
    from schemas.study import load_study
    from warehouse.catalogue import install_views

    with place.connection(read_only=False) as connection:
        install_views(connection, load_study())


def ndjson(*resources: dict) -> bytes:
    return "\n".join(json.dumps(each) for each in resources).encode()


def test_fhir_conditions(place) -> None:
    export = place.write(
        "conditions.ndjson",
        ndjson(
            condition(1, clinicalStatus=status("active"), onsetDateTime="2019-04-01"),
            condition(2, clinicalStatus=status("resolved"), abatementDateTime="2020-01-02"),
            condition(3, clinicalStatus=status("active"), verificationStatus=status("refuted")),
            condition(4, verificationStatus=status("provisional"), recordedDate="2021-05-06"),
            condition(5, verificationStatus=status("entered-in-error")),
            condition(6, code={"text": "cold feet"}),
        ),
    )
    (outcome,) = place.ingest(export).files
    assert (outcome.status, outcome.feed, outcome.counts.read, outcome.counts.accepted) == (
        "loaded",
        "conditions",
        6,
        6,
    )
    columns = "concept, text_source, status, started_at, ended_at, row_state, locator"
    legs = ("restless_legs", "Restless legs")
    assert rows(place, "condition", columns) == [
        (*legs, "present", datetime(2019, 4, 1), None, "current", "L1"),
        (*legs, "present", None, datetime(2020, 1, 2), "current", "L2"),
        (*legs, "absent", None, None, "current", "L3"),
        (*legs, "unknown", datetime(2021, 5, 6), None, "current", "L4"),
        (*legs, "unknown", None, None, "withdrawn", "L5"),
        (None, "cold feet", "present", None, None, "current", "L6"),
    ]
    assert place.problems() == []


def test_kinds_of_one_fhir_source_are_tables_of_their_own(place) -> None:
    drug = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "860975"}]}
    medication = {
        "resourceType": "MedicationRequest",
        "subject": {"reference": "Patient/p1"},
        "status": "active",
        "authoredOn": "2018-07-07",
        "medicationCodeableConcept": drug,
    }
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1960-01-01"}
    export = place.write("bundle.ndjson", ndjson(patient, condition(1), medication))
    report = place.ingest(export)
    assert {(each.table, each.feed, each.status) for each in report.files} == {
        ("Patient", "subjects", "loaded"),
        ("Condition", "conditions", "loaded"),
        ("MedicationRequest", "medications", "loaded"),
    }
    assert rows(place, "medication", "concept, status, started_at") == [
        ("metformin", "present", datetime(2018, 7, 7))
    ]
    subjects = "select count(distinct subject_id) from (select subject_id from core.{} union all select subject_id from core.{})"
    assert place.rows(subjects.format("condition", "medication")) == [(1,)]
    assert {each.status for each in place.ingest(export).files} == {"unchanged"}


def test_sdtm_history_and_concomitant_medication(place) -> None:
    history = place.write(
        "mh.csv",
        """
        STUDYID,DOMAIN,USUBJID,MHSEQ,MHTERM,MHDECOD,MHOCCUR,MHSTDTC,MHENDTC
        S,MH,S-1,1,WITTMAACK-EKBOM,Restless legs syndrome,Y,2015-03,
        S,MH,S-2,1,kidneys,Chronic kidney disease,N,,
        S,MH,S-3,1,kidneys,Chronic kidney disease,U,2014-13-01,
        """,
    )
    drugs = place.write(
        "cm.csv",
        """
        STUDYID,DOMAIN,USUBJID,CMSEQ,CMTRT,CMDECOD,CMSTDTC,CMENDTC
        S,CM,S-1,1,GLUCOPHAGE,METFORMIN,2015-03-01,2016-03-01
        S,CM,,2,ASPIRIN,ASPIRIN,2015-03-01,
        """,
    )
    by_feed = {each.feed: each for each in place.ingest(history, drugs).files}
    assert rows(place, "condition") == [
        (
            "restless_legs",
            None,
            "WITTMAACK-EKBOM",
            "present",
            datetime(2015, 3, 1),
            None,
            "current",
            "L2/C5",
        ),
        ("chronic_kidney_disease", None, "kidneys", "absent", None, None, "current", "L3/C5"),
    ]
    assert dict(by_feed["conditions"].detail.reasons) == {"bad_date": 1}
    assert rows(place, "medication", "concept, text_source, started_at, ended_at") == [
        ("metformin", "GLUCOPHAGE", datetime(2015, 3, 1), datetime(2016, 3, 1))
    ]
    assert dict(by_feed["medications"].detail.reasons) == {"no_subject": 1}
    assert by_feed["conditions"].detail.subjects == 2
    assert place.problems() == []


def test_a_german_export_reads_its_dates_as_a_column(place) -> None:
    export = place.write(
        "diagnosen.csv",
        """
        Patientennummer;ICD-Code;Diagnose;Diagnosesicherheit;Diagnosedatum
        1;G25.81;Syndrom der unruhigen Beine;G;05.03.2021
        2;N18.3;Nierenkrankheit;V;25.03.2021
        3;G25.81;Syndrom der unruhigen Beine;A;06.03.2021
        """,
    )
    place.ingest(export)
    assert rows(place, "condition", "concept, code_system, status, started_at") == [
        ("restless_legs", "ICD-10", "present", datetime(2021, 3, 5)),
        ("chronic_kidney_disease", "ICD-10", "unknown", datetime(2021, 3, 25)),
        ("restless_legs", "ICD-10", "absent", datetime(2021, 3, 6)),
    ]


def test_a_code_of_two_concepts_keeps_both_for_the_views(place) -> None:
    """E11.4 is diabetes by its beginning and neuropathy by itself; no one concept stands for it."""
    export = place.write("d.csv", "patient_id,ICD-10\nP1,E11.40\n")
    place.ingest(export)
    assert rows(place, "condition", "concept, code") == [(None, "E11.40")]
    with_views(place)
    found = place.rows("select concept from staging.condition order by concept")
    assert found == [("diabetes",), ("peripheral_neuropathy",)]


def test_omop_conditions_take_their_code_system_from_the_mapping(place) -> None:
    place.map(
        """
        site: north
        feeds:
          conditions: {files: ["condition_*"], constants: {code_system: SNOMED}, complete: true}
        """
    )
    export = place.write(
        "condition_occurrence.csv",
        """
        CONDITION_OCCURRENCE_ID,PERSON_ID,CONDITION_CONCEPT_ID,CONDITION_START_DATE,CONDITION_START_DATETIME,CONDITION_END_DATE,CONDITION_SOURCE_VALUE
        1,7,0,2019-04-01,2019-04-01 00:00:00,2019-05-01,32914008
        """,
    )
    place.ingest(export)
    assert rows(place, "condition", "concept, code, code_system, status, started_at, ended_at") == [
        ("restless_legs", "32914008", "SNOMED", "present", datetime(2019, 4, 1), datetime(2019, 5, 1))
    ]
    decided = place.rows("select about, value, basis from meta.column_decision where about like 'complete:%'")
    assert decided == [("complete:condition", "true", "declared")]
    with_views(place)
    assert place.rows("select site, domain from staging.complete_domain") == [("north", "condition")]


@pytest.mark.parametrize(
    ("header", "feed"),
    [
        ("患者ID,诊断名称,诊断日期", "conditions"),
        ("patient_id,drug name,start date", "medications"),
        ("patient_id,ATC", "medications"),
        ("patient_id,diagnosis,age", "subjects"),  # a lone text says too little
        ("patient_id,diagnosis,collected,B12 (pg/mL)", "labs"),
    ],
)
def test_what_a_table_of_history_is_known_by(place, header: str, feed: str) -> None:
    cells = ",".join("1" for _ in header.split(","))
    (outcome,) = place.ingest(place.write("t.csv", f"{header}\n{cells}\n")).files
    assert outcome.feed == feed


def test_equal_records_of_two_files_are_one(place) -> None:
    header = "patient_id,ICD-10,diagnosis date\n"
    place.ingest(place.write("a.csv", f"{header}P1,G25.81,2020-01-01\n"))
    (outcome,) = place.ingest(
        place.write("b.csv", f"{header}P1,G25.81,2020-01-01\nP2,G25.81,2020-01-01\n")
    ).files
    assert (outcome.counts.read, outcome.counts.duplicate, outcome.counts.accepted) == (2, 1, 1)
    assert place.problems() == []


@pytest.mark.parametrize("domain", ["condition", "medication"])
def test_a_header_stands_for_one_thing_in_a_table_of_history(domain: str) -> None:
    from schemas.columns import COLUMNS

    for key, candidates in COLUMNS.by_key.items():
        meant = {each.field for each in candidates if {"any", domain} & set(COLUMNS.field(each.field).group)}
        assert len(meant) <= 1, f"{key} stands for {sorted(meant)}"


def test_every_record_is_one_candidate(place) -> None:
    """A record without code and text is still one candidate; nothing is dropped in silence."""
    export = place.write("c.csv", "patient_id,ICD-10,diagnosis date\nP1,,2020-01-01\nP2,Z99,32.13.2020\n")
    (outcome,) = place.ingest(export).files
    assert (outcome.counts.read, outcome.counts.accepted, outcome.counts.held) == (2, 1, 1)
    assert rows(place, "condition", "concept, code, text_source, status") == [(None, None, None, "present")]
    assert place.rows("select measure, stage, reasons from quarantine.record") == [
        ("condition", "value", ["bad_date"])
    ]


def test_a_changed_mapping_reads_the_records_again(place) -> None:
    export = place.write("dx.csv", "patient_id,code,diagnosis date\nP1,32914008,2020-01-01\n")
    mapping = 'site: north\nfeeds:\n  dx: {{files: ["dx*"], columns: {{condition_code: code}}{}}}\n'
    place.map(mapping.format(""))
    place.ingest(export)
    assert rows(place, "condition", "concept, code_system") == [(None, None)]
    place.map(mapping.format(", constants: {code_system: SNOMED CT}, complete: true"))
    assert [each.status for each in place.ingest(export).files] == ["refreshed"]
    assert rows(place, "condition", "concept, code_system") == [("restless_legs", "SNOMED CT")]
    assert place.problems() == []
