"""Tables that stand side by side name two subjects in one line; which one a result is of, no program can tell."""

from __future__ import annotations

from io import BytesIO

import openpyxl
import pytest

from etl.suggest.suggest import suggest

HEADER = ["Patient ID", "Sex", "", "Patient ID", "Vitamin B12 (pg/mL)"]
CROSSED = [["P1", "F", "", "P2", 202], ["P2", "M", "", "P1", 201]]
JOINED = [["P1", "F", "", "P1", 201], ["P2", "M", "", " P2 ", 202]]


def as_csv(rows: list[list[object]]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [HEADER, *rows]).encode() + b"\n"


def as_workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in [HEADER, *rows]:
        book.active.append([cell or None for cell in row])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(("name", "made"), [("side.csv", as_csv), ("side.xlsx", as_workbook)])
def test_two_subjects_in_one_record_wait(place, name: str, made) -> None:
    (outcome,) = place.ingest(place.write(name, made(CROSSED))).files
    assert (outcome.status, outcome.counts.accepted) == ("needs_declaration", 0)
    assert "Patient ID_2" in str(outcome.error.why)
    assert place.rows("select count(*) from core.lab_result") == [(0,)]


def test_an_id_that_a_join_repeats_is_one_subject(place) -> None:
    (outcome,) = place.ingest(place.write("joined.csv", as_csv(JOINED))).files
    assert (outcome.status, outcome.counts.accepted) == ("loaded", 2)


def test_the_mapping_says_whose_record_it_is(place) -> None:
    place.map('site: north\nfeeds: {labs: {files: ["*.csv"], columns: {subject: "Patient ID_2"}}}\n')
    place.ingest(place.write("side.csv", as_csv(CROSSED)))
    one = place.rows("select subject_id from core.lab_result where value = 201")
    place.map("site: north\nfeeds: {labs: {files: [joined.csv]}}\n")
    place.ingest(place.write("joined.csv", as_csv([["P1", "F", "", "P1", 777]])))
    assert one == place.rows("select subject_id from core.lab_result where value = 777")


def test_a_draft_leaves_the_subject_open(place) -> None:
    (draft,) = suggest([str(place.write("side.csv", as_csv(CROSSED)))], "north").tables
    assert "subject" in [each.about for each in draft.open]
    assert "subject" not in [each.field for each in draft.choices]
