"""What a file of subjects states is read like any other column: its decimal mark, its dates. Expected values are written by hand."""

from __future__ import annotations

import json

import pytest

GERMAN = """
    Patientennummer;Geb.-Datum;Gewicht (kg)
    P1;13.05.50;70,5
    P2;24.12.99;82
    P3;01.02.03;64,25
    """


def stated(place, attribute: str) -> list[str]:
    rows = place.rows(
        f"select value from core.subject_attribute where attribute = '{attribute}' order by row_number"
    )
    return [value for (value,) in rows]


def test_a_decimal_comma_is_found_in_a_file_of_subjects(place) -> None:
    report = place.ingest(place.write("patienten.csv", GERMAN))
    assert report.exit_code() == 0, report.document()
    assert stated(place, "weight") == ["70.5", "82.0", "64.25"]


def test_a_weight_whose_mark_nothing_shows_waits(place) -> None:
    report = place.ingest(place.write("subjects.csv", "patient_id,weight\nP1,70.125\n"))
    assert [each.status for each in report.files] == ["needs_declaration"]


def test_nobody_is_born_in_a_year_to_come(place) -> None:
    """Two digits of a year are of the last century where this one has not come so far."""
    place.ingest(place.write("patienten.csv", GERMAN))
    assert stated(place, "birth_date") == ["1950-05-13", "1999-12-24", "2003-02-01"]


@pytest.mark.parametrize("day", ["2850-05-13", "0050-05-13"])
def test_an_impossible_birth_date_is_held(place, day: str) -> None:
    place.ingest(place.write("subjects.csv", f"patient_id,birth_date,sex\nP1,{day},F\nP2,1950-05-13,M\n"))
    assert stated(place, "birth_date") == ["1950-05-13"]
    assert place.rows("select measure, reasons from quarantine.record") == [("birth_date", ["bad_date"])]


def test_an_unreadable_statement_may_stand_in_many_rows_and_files(place) -> None:
    line = "P1,1950-13-45,{},{},ng/mL\n"
    head = "Patient ID,Date of birth,Analyte,Value,Unit\n"
    for name, values in (("a.csv", (51, 301)), ("b.csv", (52, 302))):
        lines = (
            line.format(analyte, value) for analyte, value in zip(("Ferritin", "Folate"), values, strict=True)
        )
        (outcome,) = place.ingest(place.write(name, head + "".join(lines))).files
        assert (outcome.status, outcome.counts.attributes_held) == ("loaded", 2)
    assert place.problems() == []


def test_a_contained_patient_describes_the_subject_of_its_results(place) -> None:
    """Every result of a FHIR file brings its patient along: one subject, described once."""
    patient = {
        "resourceType": "Patient", "id": "p", "identifier": [{"value": "MRN-5"}], "gender": "female", "birthDate": "1960-12-24",
    }  # fmt: skip
    lines = [
        {
            "resourceType": "Observation", "id": f"o{day}", "status": "final", "contained": [patient],
            "subject": {"reference": "#p"}, "effectiveDateTime": f"2021-03-{day}T08:00:00+08:00",
            "code": {"coding": [{"system": "http://loinc.org", "code": "2132-9"}]},
            "valueQuantity": {"value": 200 + day, "unit": "pg/mL"},
        }
        for day in (15, 16)
    ]  # fmt: skip
    report = place.ingest(place.write("b12.ndjson", "".join(json.dumps(line) + "\n" for line in lines)))
    assert report.exit_code() == 0, report.document()
    assert place.rows("""
        select result.value, stated.attribute, stated.value from core.lab_result as result
        inner join core.subject_attribute as stated using (subject_id) order by all
    """) == [
        (value, attribute, said)
        for value in (215, 216)
        for attribute, said in (("birth_date", "1960-12-24"), ("sex", "female"))
    ]
    assert place.problems() == []
