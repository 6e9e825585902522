"""What is said of a file that cannot be used as it is: what is near, and the line that helps. Read off the export by hand."""

from __future__ import annotations

from etl.outcome import IngestReport
from etl.terminal import ingest_summary

EXPORT = """
    patient_id,B12 baseline (pg/mL),shoe size
    P1,310,50
    """


def test_a_file_found_among_others_says_what_to_type(place) -> None:
    place.write("exports/visits.csv", EXPORT)
    (outcome,) = place.ingest(place.folder / "exports").files
    assert outcome.error is None
    assert "B12 baseline (pg/mL) (vitamin_b12)" in outcome.note
    assert "measures: {HEADER:" in outcome.note
    assert "header_row: N" in outcome.note


def test_the_line_that_is_named_works(place) -> None:
    place.map(
        'site: north\nfeeds: {labs: {files: ["visits.csv"],'
        ' measures: {"B12 baseline (pg/mL)": {analyte: vitamin_b12, unit: pg/mL}}}}\n'
    )
    place.ingest(place.write("visits.csv", EXPORT))
    assert place.rows("select analyte, value from core.lab_result") == [("vitamin_b12", 310.0)]


def test_a_header_of_two_lines_is_named_by_its_row(place) -> None:
    export = place.write("wide.csv", "Ward,Chemistry\npatient_id,Vitamin B12 (pg/mL)\nP1,310\n")
    (outcome,) = place.ingest(export).files
    assert "header_row: N" in outcome.error.fix
    place.map("site: north\nfeeds: {labs: {files: [wide.csv], header_row: 2}}\n")
    place.ingest(export)
    assert place.rows("select value from core.lab_result") == [(310.0,)]


def test_a_first_line_that_may_be_a_patient_is_not_repeated(place) -> None:
    place.write("exports/bare.csv", "1001,Vitamin B12,310\n1002,Vitamin B12,320\n1003,Vitamin B12,330\n")
    (outcome,) = place.ingest(place.folder / "exports").files
    assert (outcome.status, "1001" in outcome.note) == ("unmapped", False)


def test_the_second_of_two_columns_of_one_name_is_not_read_in_another_unit(place) -> None:
    twice = "patient_id,B12 (pg/mL),B12 (pg/mL)\nP1,200,210\n"
    (outcome,) = place.ingest(place.write("twice.csv", twice)).files
    assert place.rows("select value from core.lab_result") == [(200.0,)]
    assert outcome.detail.unmapped == ["B12 (pg/mL)_2"]


def test_a_loaded_table_names_the_columns_that_are_not_read(place) -> None:
    visits = "patient_id,sex,B12 week 4 (pmol/L),shoe size\nP1,F,260,38\n"
    (outcome,) = place.ingest(place.write("visits.csv", visits)).files
    assert (outcome.status, outcome.counts.read) == ("loaded", 0)
    assert outcome.note.startswith("2 columns are not read: B12 week 4 (pmol/L), shoe size.")
    assert "B12 week 4 (pmol/L) (vitamin_b12)" in outcome.note
    assert "measures: {HEADER:" in outcome.note
    assert outcome.note in ingest_summary(IngestReport("run", [outcome]))


def test_a_long_table_names_none(place) -> None:
    long = "patient_id,test,result,unit,ward\nP1,Vitamin B12,310,pg/mL,3\n"
    (outcome,) = place.ingest(place.write("long.csv", long)).files
    assert outcome.note == ""
