"""Headers of several lines, units below the header, and cells that stand for several records: English, German, Chinese.

The results are those written into the exports below, in the canonical units (g/L for haemoglobin, pg/mL for vitamin B12).
"""

from __future__ import annotations

import csv
import io

import pytest
import xlsxwriter
import xlwt

from etl.suggest.suggest import suggest
from etl.trace import trace

WORDS = {
    "en": ("Patient ID", "Collection date", "Vitamin B12", "Haemoglobin", "Value", "Unit", "Analyte"),
    "de": ("Patienten-ID", "Entnahmedatum", "Vitamin B12", "Hämoglobin", "Wert", "Einheit", "Analyt"),
    "zh": ("患者编号", "采样日期", "维生素B12", "血红蛋白", "结果", "单位", "检验项目"),
}
EVERY = pytest.mark.parametrize("language", list(WORDS))
FORMATS = pytest.mark.parametrize("made", ["csv", "xlsx", "xls"])
RESULTS = (
    "select analyte, value, unit_basis, locator, row_number from core.lab_result order by row_number, locator"
)
VALUES = "select distinct value from core.lab_result order by value"


def export(place, name: str, rows, merges=()):
    """Write rows as the name's format says; merges: first row, first column, last row, last column, from 0."""
    return place.write(
        name, {"csv": as_csv, "xlsx": as_xlsx, "xls": as_xls}[name.rsplit(".", maxsplit=1)[-1]](rows, merges)
    )


def as_csv(rows, _merges) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([["" if cell is None else cell for cell in row] for row in rows])
    return text.getvalue().encode()


def as_xlsx(rows, merges) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet("Lab")
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
        for first_row, first, last_row, last in merges:
            sheet.merge_range(first_row, first, last_row, last, rows[first_row][first])
    return content.getvalue()


def as_xls(rows, merges) -> bytes:
    book, content = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("Lab")
    starts = {(row, column): (row, last_row, column, last) for row, column, last_row, last in merges}
    for at, row in enumerate(rows):
        for place, cell in enumerate(row):
            if (at, place) in starts:
                sheet.write_merge(*starts[at, place], cell)
            elif cell is not None:
                sheet.write(at, place, cell)
    book.save(content)
    return content.getvalue()


def one(place, path):
    (outcome,) = place.ingest(path).files
    assert place.problems() == []
    return outcome


def counted(outcome) -> tuple[int, int, int]:
    """Return records, structural lines and accepted candidates."""
    return outcome.counts.records, outcome.counts.structural, outcome.counts.accepted


def reasons(outcome) -> dict[str, int]:
    return outcome.document()["reasons"]


# A line of units


@EVERY
@FORMATS
def test_a_line_of_units_belongs_to_the_header(place, language: str, made: str) -> None:
    subject, date, b12, hb, *_ = WORDS[language]
    rows = [[subject, date, b12, hb], [None, None, "pg/mL", "g/dL"], ["P1", "2021-03-05", 310, 14.1]]
    outcome = one(place, export(place, f"wide.{made}", rows))
    assert counted(outcome) == (1, 2, 2)
    cells = ("L3/C3", "L3/C4") if made == "csv" else ("Lab!C3", "Lab!D3")
    # 14.1 g/dL are 141 g/L.
    assert sorted(place.rows(RESULTS)) == [
        ("haemoglobin", 141.0, "stated", cells[1], 3),
        ("vitamin_b12", 310.0, "stated", cells[0], 3),
    ]
    assert place.rows("select value, basis from meta.column_decision where about = 'header_line:2'") == [
        ("units", "content")
    ]


def test_a_result_leads_to_the_line_of_units(place) -> None:
    one(place, place.write("w.csv", "Patient ID,Collection date,Ferritin\nUnit,,ng/mL\nP1,2021-03-05,55\n"))
    ((result,),) = place.rows("select result_id::varchar from core.lab_result")
    (step,) = trace(place.warehouse, [result])[0].steps
    assert step.source["locator"] == "L3/C3"
    assert {each["about"]: each["value"] for each in step.decisions}["header_line:2"] == "units"


@pytest.mark.parametrize(
    "line",
    [
        ",,pmol/kg,g/L",  # no unit of vitamin B12
        ",,pg/mL,normal",  # a word that is no unit
        "P0,,pg/mL,g/L",  # somebody's
        ",,12,g/L",
        ",,plasma,",  # no unit, though it may follow the analyte's name
        ",,+,g/L",
        "ID,2021-03-04,309,140",  # of a subject that is called as a header is
        "Patient,,309 H,",
    ],
)
def test_a_line_that_may_be_a_record_is_one(place, line: str) -> None:
    text = f"Patient ID,Collection date,Vitamin B12,Haemoglobin\n{line}\nP1,2021-03-05,310,141\n"
    outcome = one(place, place.write("wide.csv", text))
    assert counted(outcome)[:2] == (2, 1)
    assert outcome.counts.accepted == 0  # nothing states the units


def test_a_line_of_units_in_other_words_is_declared(place) -> None:
    text = "Patient ID,Collection date,Vitamin B12,Haemoglobin,Rh\nin:,,pg/mL,g/L,neg/pos\nP1,2021-03-05,310,141,pos\n"
    place.map("site: north\nfeeds: {labs: {files: ['*.csv'], unit_row: true}}\n")
    outcome = one(place, place.write("wide.csv", text))
    assert counted(outcome) == (1, 2, 2)
    place.map("site: north\nfeeds: {labs: {files: ['*.csv'], unit_row: false}}\n")
    assert one(place, place.write("b.csv", text.replace("P1", "P2"))).counts.records == 2


def test_a_mapped_header_meets_its_unit_in_the_line_below(place) -> None:
    text = "Patient ID,B12 neu\n,pg/mL\nP1,310\n"
    measure = "site: north\nfeeds: {labs: {files: ['*.csv'], unit_row: true, measures: {B12 neu: {analyte: vitamin_b12%s}}}}\n"
    place.map(measure % "")
    one(place, place.write("a.csv", text))
    assert place.rows(VALUES) == [(310.0,)]
    place.map(measure % ", unit: pmol/L")
    outcome = place.ingest(place.write("b.csv", text.replace("310", "311"))).files[0]
    assert (outcome.status, outcome.counts.accepted) == ("unmapped", 0)
    assert "'B12 neu (pg/mL)'" in outcome.error.what


# Two lines of names


@EVERY
@FORMATS
def test_values_and_units_below_their_analytes(place, language: str, made: str) -> None:
    subject, date, b12, hb, value, unit, _ = WORDS[language]
    rows = [
        [subject, date, b12, None, hb, None],
        [None, None, value, unit, value, unit],
        ["P1", "2021-03-05", 310, "pg/mL", 14.1, "g/dL"],
        ["P2", "2021-03-06", 229, "pmol/L", 139, "g/L"],
    ]
    merges = [(0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 0, 3), (0, 4, 0, 5)]
    outcome = one(place, export(place, f"wide.{made}", rows, merges))
    assert counted(outcome) == (2, 2, 4)
    # 229 pmol/L x 1.3554 pg/pmol = 310.4 pg/mL.
    found = [(analyte, round(value, 1)) for analyte, value, *_ in place.rows(RESULTS)]
    assert sorted(found) == [
        ("haemoglobin", 139.0),
        ("haemoglobin", 141.0),
        ("vitamin_b12", 310.0),
        ("vitamin_b12", 310.4),
    ]


def test_the_lower_line_may_name_the_subject_and_the_dates(place) -> None:
    text = (
        ",Vitamin B12,,,Ferritin,,\n"
        "Patient ID,Date,Value,Unit,Date,Value,Unit\n"
        "P1,2021-03-05,310,pg/mL,2021-04-06,55,ng/mL\n"
    )
    assert counted(one(place, place.write("wide.csv", text))) == (1, 2, 2)
    assert place.rows("select analyte, collected_at::date::varchar from core.lab_result order by 1") == [
        ("ferritin", "2021-04-06"),
        ("vitamin_b12", "2021-03-05"),
    ]


def test_one_line_with_a_unit_beside_each_value(place) -> None:
    text = (
        "Patient ID,Collection date,B12_value,B12_unit,Ferritin,Ferritin unit\nP1,2021-03-05,310,pg/mL,55,\n"
    )
    outcome = one(place, place.write("wide.csv", text))
    assert (outcome.counts.accepted, outcome.counts.held) == (1, 1)
    assert place.rows("select measure, reasons from quarantine.record") == [("ferritin", ["unit_missing"])]


def test_one_analyte_has_its_unit_beside_it_and_another_in_its_header(place) -> None:
    text = (
        "Patient ID,Collection date,B12,B12 unit,Ferritin (ng/mL)\n"
        "P1,2021-03-05,229,pmol/L,55\nP2,2021-03-06,310,pg/mL,56\n"
    )
    assert one(place, place.write("wide.csv", text)).counts.accepted == 4
    # 229 pmol/L x 1.3554 pg/pmol = 310.4 pg/mL.
    found = place.rows("select analyte, round(value, 1) from core.lab_result order by 1, 2")
    assert found == [("ferritin", 55.0), ("ferritin", 56.0), ("vitamin_b12", 310.0), ("vitamin_b12", 310.4)]


def test_a_unit_beside_a_value_is_declared(place) -> None:
    place.map(
        "site: north\nfeeds: {labs: {files: ['*.csv'],"
        " measures: {Erg1: {analyte: vitamin_b12, unit_column: Dim1}}}}\n"
    )
    one(place, place.write("wide.csv", "Patient ID,Erg1,Dim1\nP1,310,pg/mL\nP2,229,pmol/L\n"))
    assert [round(value, 1) for (value,) in place.rows(VALUES)] == [310.0, 310.4]


@FORMATS
def test_a_header_in_two_languages_is_one(place, made: str) -> None:
    rows = [
        ["患者编号", "采样日期", "维生素B12", "血红蛋白", "科室"],
        ["Patient ID", "Collection date", "Vitamin B12", "Haemoglobin", "Department"],
        ["", "", "pg/mL", "g/L", ""],
        ["P1", "2021-03-05", 310, 141, "x"],
    ]
    outcome = one(place, export(place, f"wide.{made}", rows))
    assert counted(outcome) == (1, 3, 2)


def test_lines_that_say_different_things_are_no_translation(place) -> None:
    text = "患者编号,维生素B12 (pg/mL)\nPatient ID,Ferritin (ng/mL)\nP1,310\n"
    assert one(place, place.write("wide.csv", text)).counts.records == 2


def test_other_lines_are_declared(place) -> None:
    text = "Nr,Vitamin B12,Ferritin\nPatient ID,serum (pg/mL),serum (ng/mL)\nP1,310,55\n"
    place.map(
        "site: north\nfeeds: {labs: {files: ['*.csv'], header_row: [1, 2], columns: {subject: Nr Patient ID}}}\n"
    )
    outcome = one(place, place.write("wide.csv", text))
    assert (outcome.counts.records, outcome.counts.lines) == (1, 3)


@pytest.mark.parametrize("declared", ["header_row: [1, 2]", "unit_row: true"])
def test_a_declared_line_that_is_a_record_refuses_the_file(place, declared: str) -> None:
    place.map(f"site: north\nfeeds: {{labs: {{files: ['*.csv'], {declared}}}}}\n")
    path = place.write("wide.csv", "Patient ID,Vitamin B12 (pg/mL)\nP1,310\nP2,311\n")
    (outcome,) = place.ingest(path).files
    assert outcome.status == "unreadable"
    assert "wide.csv" in outcome.error.what
    assert "line 2 has values" in outcome.error.why


def test_the_header_again_is_no_record(place) -> None:
    head = "Patient ID,Vitamin B12\n,pg/mL\n"
    outcome = one(place, place.write("wide.csv", f"{head}P1,310\n{head}P2,311\n"))
    assert (outcome.counts.lines, *counted(outcome)) == (6, 2, 4, 2)
    rows = [["Patient ID", "Vitamin B12"], [None, "pg/mL"], ["P1", 310]]
    assert counted(one(place, export(place, "wide.xlsx", [*rows, *rows[:2], ["P2", 312]]))) == (2, 4, 1)


# Cells that stand for several records


def down(language: str):
    """Return a long table in which the subject and the date are written once for three results, and the merges."""
    subject, date, b12, hb, value, unit, analyte = WORDS[language]
    rows = [[subject, date, analyte, value, unit]]
    merges = []
    for at in (1, 2):
        merges += [(len(rows), 0, len(rows) + 2, 0), (len(rows), 1, len(rows) + 2, 1)]
        rows += [[f"P{at}", f"2021-03-0{at}", b12, 300 + at, "pg/mL"], [None, None, hb, 140 + at, "g/L"]]
        rows += [[None, None, "Ferritin", 50 + at, "ng/mL"]]
    return rows, merges


@EVERY
def test_a_merged_cell_is_that_of_every_record_under_it(place, language: str) -> None:
    outcome = one(place, export(place, "long.xlsx", *down(language)))
    assert counted(outcome) == (6, 1, 6)
    found = place.rows(
        "select count(*), count(distinct analyte), min(collected_at)::date::varchar, min(locator), max(locator)"
        " from core.lab_result group by subject_id order by 3"
    )
    assert found == [(3, 3, "2021-03-01", "Lab!D2", "Lab!D4"), (3, 3, "2021-03-02", "Lab!D5", "Lab!D7")]
    assert place.rows(
        "select distinct value from meta.column_decision where about like 'merged_cells:%'"
    ) == [("shared",)]


@EVERY
@FORMATS
def test_blank_cells_are_held_until_they_are_declared(place, language: str, made: str) -> None:
    rows, _ = down(language)
    path = export(place, f"long.{made}", rows)
    outcome = one(place, path)
    assert (outcome.counts.accepted, reasons(outcome)) == (2, {"no_subject": 4})
    columns = ", ".join(WORDS[language][:2])
    place.map(f"site: north\nfeeds: {{labs: {{files: ['*'], fill_down: [{columns}]}}}}\n")
    assert one(place, path).counts.accepted == 6
    per_day = "select count(*), count(distinct subject_id) from core.lab_result group by collected_at"
    assert place.rows(per_day) == [(3, 1), (3, 1)]


def test_the_statement_of_a_merged_cell_is_found_in_that_cell(place) -> None:
    rows = [
        ["Patient ID", "Date of birth", "Analyte", "Value", "Unit"],
        ["P1", "1950-13-45", "Ferritin", 51, "ng/mL"],
    ]
    rows += [[None, None, "Vitamin B12", 301, "pg/mL"]]
    one(place, export(place, "long.xlsx", rows, [(1, 0, 2, 0), (1, 1, 2, 1)]))
    held = place.rows("select locator from quarantine.record where stage = 'attribute'")
    assert set(held) == {("Lab!B2",)}


def test_a_merged_result_is_one_result(place) -> None:
    rows = [["Patient ID", "Collection date", "Vitamin B12 (pg/mL)"], ["P1", "2021-03-05", 310]]
    rows += [["P1", "2021-03-06", None]]
    outcome = one(place, export(place, "wide.xlsx", rows, [(1, 2, 2, 2)]))
    assert (outcome.counts.read, outcome.counts.accepted) == (1, 1)


def test_a_total_under_a_merged_cell_is_an_item(place) -> None:
    rows = [["Patient ID", "Date", "Instrument", "Item", "Answer"], ["P1", "2021-03-05", "IRLS", "1", 2]]
    rows += [[None, None, None, "total", 2]]
    merges = [(1, place_, 2, place_) for place_ in range(3)]
    assert counted(one(place, export(place, "long.xlsx", rows, merges)))[:2] == (2, 1)


LINES = [
    "Patient ID,Collection date,Analyte,Value,Unit",
    "P1,2021-03-05,Vitamin B12,301,pg/mL",
    ",,Ferritin,51,ng/mL",
    "P2,2021-03-06,Vitamin B12,302",  # one field is missing
    ",,Ferritin,52,ng/mL",
    "P3,2021-03-07,Vitamin B12,303,pg/mL",
    "",
    ",,Ferritin,53,ng/mL",
    "Total,,,2,",
    ",,Ferritin,54,ng/mL",
]


def test_nothing_is_filled_beyond_a_damaged_record_or_a_total(place) -> None:
    place.map("site: north\nfeeds: {labs: {files: ['*.csv'], fill_down: [Patient ID, Collection date]}}\n")
    outcome = one(place, place.write("long.csv", "\n".join(LINES) + "\n"))
    assert (outcome.counts.accepted, reasons(outcome)) == (4, {"field_count": 1, "no_subject": 2})
    assert place.rows("select value from core.lab_result where analyte = 'ferritin' order by 1") == [
        (51.0,),
        (53.0,),
    ]


def test_what_cannot_be_filled_is_said(place) -> None:
    path = place.write("long.csv", "\n".join(LINES[:3]) + "\n")
    place.map("site: north\nfeeds: {labs: {files: ['*.csv'], fill_down: [Patient]}}\n")
    (outcome,) = place.ingest(path).files
    assert "'Patient', mapped as one to fill down, is not in the file" in str(
        outcome.error.what + outcome.error.why
    )
    place.map("site: north\nfeeds: {labs: {files: ['*.csv'], fill_down: [Value]}}\n")
    (outcome,) = place.ingest(path).files
    assert "cannot be filled down" in outcome.error.what


def test_a_draft_needs_no_line_for_units_beside_values(place) -> None:
    path = place.write("wide.csv", "Patient ID,Collection date,B12_value,B12_unit\nP1,2021-03-05,310,pg/mL\n")
    (draft,) = suggest([str(path)], "north").tables
    assert [each.about for each in draft.open if each.about.startswith("unit")] == []
    assert draft.unused == ()
