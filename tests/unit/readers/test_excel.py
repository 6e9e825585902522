"""Workbooks. Made with xlsxwriter, whose arguments are the expected cells; published ones are compared with what
their folder says or with openpyxl, an independent reader."""

from __future__ import annotations

import io
import warnings
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from etl.readers.base import DAMAGED_SCHEMA, Hints, Source
from etl.readers.excel import ExcelReader, letters
from etl.readers.grid import Grid, roles
from etl.readers.records import Role
from etl.readers.regions import find_regions
from schemas.errors import SourceUnreadable

CALAMINE = Path("../shared/data/tabular/calamine")
FRICTIONLESS = Path("../shared/data/tabular/frictionless")
needs_data = pytest.mark.skipif(not CALAMINE.exists(), reason="the shared data is not here")
READER = ExcelReader(rows=3)
SUFFIXES = {".xls", ".xlsx", ".xlsm", ".xlsb", ".ods"}


def workbook(tmp_path, fill, name="labs.xlsx", **options):
    path = tmp_path / name
    book = xlsxwriter.Workbook(path, options)
    fill(book)
    book.close()
    return Source(path)


def sheet_of(rows, name="Sheet1", at=(0, 0)):
    def fill(book):
        sheet = book.add_worksheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell is not None:
                    sheet.write(at[0] + row, at[1] + column, cell)

    return fill


def read(source, hints=None):
    tables = READER.inspect(source, hints or Hints())
    return [(table, frame_of(source, table, table.columns)) for table in tables]


def frame_of(source, table, columns):
    batches = list(READER.read(source, table, table.ranges[0], columns))
    assert all(batch.damaged.schema == DAMAGED_SCHEMA and not batch.damaged.height for batch in batches)
    frame = pl.concat(batch.frame for batch in batches) if batches else pl.DataFrame()
    assert frame.height == table.records
    return frame


def one(source, hints=None):
    ((table, frame),) = read(source, hints)
    return table, frame


def decision(table, about):
    return next(each for each in table.decisions if each.about == about)


def refusal(source, hints=None):
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(source, hints or Hints())
    assert caught.value.what
    assert caught.value.why
    assert caught.value.fix
    return caught.value


# Cells


def test_every_cell_is_the_text_that_its_sender_sees(tmp_path):
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["id", "value", "fasting", "day", "at", "bed", "share"])
        day, at, bed = (
            book.add_format({"num_format": form}) for form in ("d.m.yy", "yyyy-mm-dd hh:mm", "hh:mm")
        )
        sheet.write_string(1, 0, "007")
        sheet.write_number(1, 1, 331.0)
        sheet.write_boolean(1, 2, True)
        sheet.write_datetime(1, 3, datetime(2021, 3, 5), day)
        sheet.write_datetime(1, 4, datetime(2021, 3, 5, 8, 12), at)
        sheet.write_number(1, 5, 22.5 / 24, bed)
        sheet.write_number(1, 6, 0.45, book.add_format({"num_format": "0%"}))
        sheet.write_string(2, 0, " x ")
        sheet.write_number(2, 1, 0.1 + 0.2)
        sheet.write_boolean(2, 2, False)
        sheet.write_datetime(2, 3, datetime(1960, 2, 29), day)
        sheet.write_datetime(2, 4, datetime(2021, 3, 5), at)

    table, frame = one(workbook(tmp_path, fill))
    assert frame.rows() == [
        ("007", "331", "true", "2021-03-05", "2021-03-05 08:12:00", "22:30:00", "0.45", 2),
        (" x ", "0.3", "false", "1960-02-29", "2021-03-05 00:00:00", None, None, 3),
    ]
    assert decision(table, "clock:day").value == "none"  # all at midnight: a day has no time


def test_small_and_precise_numbers_keep_fifteen_digits(tmp_path):
    # The library shows nine decimals; Excel shows fifteen digits, of the sixteen that xlsxwriter writes.
    numbers = [2.5e-10, 1.0413926851582251, 0.000000001234, -0.123456789012, 123456.789, 0, 1 / 3]
    rows = [["id", "value"], *([f"p{place}", number] for place, number in enumerate(numbers))]
    _, frame = one(workbook(tmp_path, sheet_of(rows)))
    texts = frame["value"].to_list()
    assert [float(text) for text in texts] == [float(f"{float(f'{number:.16G}'):.15g}") for number in numbers]
    assert texts[4:6] == ["123456.789", "0"]


def test_a_date_without_a_format_stays_a_serial_and_a_text_stays_a_text(tmp_path):
    rows = [["day", "text"], [44260, "'2021-03-05"], [44261, "5.10"]]
    _, frame = one(workbook(tmp_path, sheet_of(rows)))
    assert frame["day"].to_list() == ["44260", "44261"]
    assert frame["text"].to_list() == ["'2021-03-05", "5.10"]


def test_texts_that_look_like_numbers_keep_every_character(tmp_path):
    texts = ["0.00001", "100000.123456789", "05.1", "-0", "1234567890.123456789", "1e-5", "0"]

    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["id", "value"])
        for row, text in enumerate(texts, 1):
            sheet.write_string(row, 1, text)

    assert one(workbook(tmp_path, fill), Hints(header_row=1))[1]["value"].to_list() == texts


def test_the_1904_system_gives_the_same_days_and_times(tmp_path):
    # 42798 days after 1904-01-01 is 2021-03-05, which is 44260 in the 1900 system.
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["day", "bed"])
        sheet.write_number(1, 0, 42798, book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_number(1, 1, 22.5 / 24, book.add_format({"num_format": "hh:mm"}))

    _, frame = one(workbook(tmp_path, fill, date_1904=True))
    assert frame.row(0) == ("2021-03-05", "22:30:00", 2)


def test_long_numbers_show_that_digits_were_lost_and_long_texts_are_whole(tmp_path):
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["id", "value"])
        sheet.write_number(1, 0, 410123198001011234)
        sheet.write_string(2, 0, "410123198001011234")
        sheet.write_number(3, 0, 123456789012345)

    table, frame = one(workbook(tmp_path, fill))
    assert frame["id"].to_list() == ["4.10123198001011E+17", "410123198001011234", "123456789012345"]
    assert decision(table, "long_numbers:id").evidence == {"cells": 1, "first": "A2"}


def test_a_rounded_identifier_is_held_as_such(tmp_path):
    from etl.harmonize.identifiers import subject_ids

    _, frame = one(
        workbook(tmp_path, sheet_of([["id", "B12"], [1234567890123456, 1], ["1234567890123456", 2]]))
    )
    assert subject_ids(frame["id"], b"k" * 32, "north")["reason"].to_list() == ["long_id_rounded", None]


def test_error_cells_are_empty_and_counted_texts_that_look_like_them_are_not(tmp_path):
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["id", "value"])
        for row, (formula, value) in enumerate(
            [("=1/0", "#DIV/0!"), ("=NA()", "#N/A"), ("=NA()", "#N/A")], 1
        ):
            sheet.write_string(row, 0, f"p{row}")
            sheet.write_formula(row, 1, formula, None, value)
        sheet.write_row(4, 0, ["p4", "#N/A"])

    table, frame = one(workbook(tmp_path, fill))
    assert frame["value"].to_list() == [None, None, None, "#N/A"]
    assert decision(table, "error_cells:value").evidence == {"#DIV/0!": 1, "#N/A": 2}


def test_a_formula_gives_its_stored_result(tmp_path):
    def fill(book):
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["id", "sum"])
        sheet.write(1, 0, "p")
        sheet.write_formula(1, 1, "=1+1", None, 2)

    assert one(workbook(tmp_path, fill))[1].row(0) == ("p", "2", 2)


def test_cells_are_named_as_the_spreadsheet_names_them(tmp_path):
    rows = [["id", "sex", "B12"], ["a", "m", 1], ["b", "f", 2]]
    table, frame = one(workbook(tmp_path, sheet_of(rows, "Blut", at=(4, 25))))
    assert frame.select(READER.locate(table, "B12").alias("cell"))["cell"].to_list() == [
        "Blut!AB6",
        "Blut!AB7",
    ]
    assert frame["row_number"].to_list() == [6, 7]


@pytest.mark.parametrize(
    ("place", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_have_letters(place, name):
    assert letters(place) == name


# Tables


LABS = [["id", "sex", "B12", "note"], ["p1", "m", 300, "a"], ["p2", "f", 200, None], ["p3", "f", 100, "b"]]


def test_preamble_blank_rows_totals_repeated_headers_and_notes_are_counted_not_read(tmp_path):
    rows = [
        ["Laboratory report"],
        ["Exported:", "2021-03-05"],
        [],
        *LABS,
        LABS[0],
        ["p4", "m", 50, None],
        ["Total", None, 650, None],
        [],
        ["Note: haemolysed samples were left out"],
    ]
    table, frame = one(workbook(tmp_path, sheet_of(rows)))
    assert frame["id"].to_list() == ["p1", "p2", "p3", "p4"]
    assert frame["row_number"].to_list() == [5, 6, 7, 9]
    expected = {"preamble": 2, "blank": 2, "header": 1, "repeated_header": 1, "total": 1, "footer": 1}
    assert table.structural == expected
    assert sum(expected.values()) + table.records == 12
    assert decision(table, "header").value == "4"


def test_blank_rows_inside_a_table_do_not_split_it(tmp_path):
    rows = [*LABS[:2], [], *LABS[2:], [], ["p9", "f", "haemolysed", None], ["p10", "f", 120, None]]
    table, frame = one(workbook(tmp_path, sheet_of(rows)))
    assert frame["id"].to_list() == ["p1", "p2", "p3", "p9", "p10"]
    assert table.structural == {"header": 1, "blank": 2}


def test_two_tables_on_a_sheet_are_two_tables(tmp_path):
    second = [["Homocysteine"], ["id", "HCY"], ["p1", 10.5], ["p2", 12]]
    tables = read(workbook(tmp_path, sheet_of([*LABS, [], [], *second])))
    assert [table.columns for table, _ in tables] == [("id", "sex", "B12", "note"), ("id", "HCY")]
    assert [table.records for table, _ in tables] == [3, 2]
    assert tables[1][1].rows() == [("p1", "10.5", 9), ("p2", "12", 10)]
    assert tables[1][0].structural == {"preamble": 1, "header": 1}
    cells = tables[1][1].select(READER.locate(tables[1][0], "HCY").alias("cell"))["cell"].to_list()
    assert cells == ["Sheet1!B9", "Sheet1!B10"]


def merged(book):
    sheet = book.add_worksheet("S")
    sheet.merge_range(0, 0, 0, 4, "Report of the ward")
    sheet.merge_range(1, 0, 2, 0, "id")
    sheet.merge_range(1, 1, 1, 2, "Baseline")
    sheet.merge_range(1, 3, 1, 4, "Follow-up")
    sheet.write_row(2, 1, ["B12", "HCY", "B12", "HCY"])
    sheet.write_row(3, 0, ["p1", 300, 10, 310, 11])


def test_merged_header_cells_are_joined_over_several_rows(tmp_path):
    table, frame = one(workbook(tmp_path, merged))
    assert table.columns == ("id", "Baseline B12", "Baseline HCY", "Follow-up B12", "Follow-up HCY")
    assert frame.rows() == [("p1", "300", "10", "310", "11", 4)]
    assert table.structural == {"preamble": 1, "header": 2}


def test_a_first_record_of_words_is_no_second_header(tmp_path):
    rows = [["id", "result", None], ["p1", "negative", "x"], ["p2", "5.1", None]]
    table, frame = one(workbook(tmp_path, sheet_of(rows)))
    assert table.columns == ("id", "result", "column_3")
    assert frame["id"].to_list() == ["p1", "p2"]


def test_double_and_missing_names_are_made_unique_and_blank_columns_are_dropped(tmp_path):
    rows = [["id", None, "B12", "B12", None], ["p1", None, 1, 2, 3]]
    table, frame = one(workbook(tmp_path, sheet_of(rows)))
    assert table.columns == ("id", "B12", "B12_2", "column_4")
    assert frame.select(READER.locate(table, "B12").alias("cell"))["cell"].to_list() == ["Sheet1!C2"]


def test_a_declared_header_row_and_a_sheet_without_header(tmp_path):
    source = workbook(tmp_path, sheet_of([["x", "y"], ["id", "B12"], ["p1", 3]]))
    assert one(source, Hints(header_row=2))[0].columns == ("id", "B12")
    table, frame = one(workbook(tmp_path, sheet_of([[1, 2], [3, 4]])), Hints(has_header=False))
    assert table.columns == ("column_1", "column_2")
    assert frame.rows() == [("1", "2", 1), ("3", "4", 2)]


def test_a_sheet_of_values_only_loses_no_row_to_the_preamble(tmp_path):
    rows = [[1, 2], [3, 4], [5, 6], [], ["measured by hand"]]
    table, frame = one(workbook(tmp_path, sheet_of(rows)))
    assert decision(table, "header").basis == "default"
    assert frame.height == 3


# Sheets


def sheets(book):
    sheet_of(LABS, "Labs")(book)
    sheet_of([["id", "age"], ["p1", 41]], "Persons")(book)
    book.add_worksheet("Blank")
    sheet_of([["code", "meaning"], [1, "male"]], "Lists")(book)
    book.get_worksheet_by_name("Lists").hide()


def test_each_visible_sheet_is_a_table_and_hidden_ones_are_named(tmp_path):
    source = workbook(tmp_path, sheets)
    seen = []
    tables = READER.inspect(source, Hints(), lambda columns: (columns[:1], seen.append))
    assert [table.title for table in tables] == ["Labs", "Persons"]
    assert [frame.columns for frame in seen] == [["id", "row_number"]] * 2
    assert decision(tables[0], "sheet:Lists").evidence == {"rows": 2}
    assert len({table.sha256 for table in tables}) == 1


def test_a_declared_sheet_is_read_even_if_hidden_and_a_wrong_one_is_refused(tmp_path):
    source = workbook(tmp_path, sheets)
    assert one(source, Hints(sheet="Lists"))[0].columns == ("code", "meaning")
    assert "Persons" in refusal(source, Hints(sheet="Laboratory")).why


def test_a_sheet_without_the_declared_header_is_named(tmp_path):
    def fill(book):
        sheet_of([["Report"], [], *LABS], "Labs")(book)
        sheet_of([["Explanations"]], "Notes")(book)

    source = workbook(tmp_path, fill)
    table, _ = one(source, Hints(header_row=3))
    assert (table.title, table.records) == ("Labs", 3)
    assert decision(table, "sheet:Notes").value == "not read: row 3 is blank"
    assert "row 40 is blank" in refusal(source, Hints(header_row=40)).why


def test_charts_are_no_tables(tmp_path):
    def fill(book):
        sheet_of(LABS)(book)
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=Sheet1!$C$2:$C$4"})
        book.add_chartsheet("Chart").set_chart(chart)

    assert one(workbook(tmp_path, fill))[0].records == 3


def test_a_workbook_of_blank_sheets_is_refused(tmp_path):
    assert "no table" in refusal(workbook(tmp_path, lambda book: book.add_worksheet())).what


def test_a_workbook_in_an_archive_is_the_same_workbook(tmp_path):
    source = workbook(tmp_path, sheet_of(LABS))
    with zipfile.ZipFile(tmp_path / "labs.zip", "w") as archive:
        archive.write(source.path, "in/labs.xlsx")
    table, frame = one(Source(tmp_path / "labs.zip", "in/labs.xlsx"))
    plain, expected = one(source)
    assert table.sha256 == plain.sha256
    assert_frame_equal(frame, expected)


# Untrusted files


def test_a_workbook_is_recognised_by_its_content(tmp_path):
    data = workbook(tmp_path, sheet_of(LABS)).path.read_bytes()
    assert READER.recognises("labs.csv", data[:65_536])
    assert not READER.recognises(
        "labs.xls", b"id;B12\np1;300\n"
    )  # text named .xls goes to the delimited reader
    assert not READER.recognises("bundle.json", b'{"resourceType": "Bundle"}')
    assert not READER.recognises("cda.xml", b'<?xml version="1.0"?><ClinicalDocument/>')
    assert READER.recognises("labs.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100))


def test_two_cells_far_apart_are_refused_before_they_are_loaded(tmp_path):
    rows = sheet_of([["id"]])

    def fill(book):
        rows(book)
        book.get_worksheet_by_name("Sheet1").write(1_048_575, 16_383, "x")

    assert "1,048,576 rows and 16,384 columns" in refusal(workbook(tmp_path, fill)).why


def test_a_zip_bomb_is_refused(tmp_path):
    source = workbook(tmp_path, sheet_of(LABS))
    with zipfile.ZipFile(source.path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", bytes(96 << 20))
    assert "times its size" in refusal(source).why


def test_an_entity_in_a_package_is_not_expanded(tmp_path):
    source = workbook(tmp_path, sheet_of(LABS))
    evil = io.BytesIO()
    with zipfile.ZipFile(source.path) as old, zipfile.ZipFile(evil, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "xl/workbook.xml":
                data = data.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook', 1)
            new.writestr(name, data)
    source.path.write_bytes(evil.getvalue())
    assert "not a whole workbook" in refusal(source).what


@pytest.mark.parametrize("share", [0.001, 0.3, 0.6, 0.95])
def test_a_cut_workbook_is_refused_in_silence(tmp_path, capfd, share):
    source = workbook(tmp_path, sheet_of([["id"], *([f"secret{row}"] for row in range(500))]))
    data = source.path.read_bytes()
    source.path.write_bytes(data[: max(8, int(len(data) * share))])
    assert "secret" not in refusal(source).message()
    assert capfd.readouterr() == ("", "")


@needs_data
@pytest.mark.parametrize(
    "name", ["frictionless/table.xls", "calamine/date.xlsb", "frictionless/table-output.ods"]
)
def test_damaged_bytes_never_end_in_a_panic(tmp_path, capfd, name):
    import random

    chance = random.Random(12)
    data = (CALAMINE.parent / name).read_bytes()
    path = tmp_path / Path(name).name
    outcomes = set()
    for _ in range(40):
        damaged = bytearray(data)
        for _ in range(12):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged if chance.random() < 0.6 else damaged[: chance.randrange(8, len(damaged))])
        try:
            outcomes.add(len(READER.inspect(Source(path), Hints())))
        except SourceUnreadable as error:
            outcomes.add(bool(error.why))
    assert True in outcomes
    assert capfd.readouterr() == ("", "")


@needs_data
def test_a_password_is_named_as_the_reason():
    assert "password" in refusal(Source(CALAMINE / "pass_protected.xlsx")).why


@pytest.mark.parametrize("part", ["<td>{}</td>", "<td title='{}'>x</td>", "<td>{}"])
def test_a_cell_or_tag_of_html_without_end_is_refused(tmp_path, part):
    """Three million characters: a workbook's cell holds 32,767."""
    rows = "<tr><td>id</td></tr><tr>" + part.format("x" * 3_000_000) + "</tr>"
    (tmp_path / "labs.xls").write_text(f"<html><table>{rows}</table></html>")
    assert "longer than 1,048,576" in refusal(Source(tmp_path / "labs.xls")).why


def test_an_encrypted_open_document_is_told_from_a_damaged_one(tmp_path):
    """Its manifest says that content.xml is encrypted; the bytes look like damage."""
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml" manifest:size="4000">'
        '<manifest:encryption-data manifest:checksum-type="SHA1/1K"/></manifest:file-entry></manifest:manifest>'
    )
    with zipfile.ZipFile(tmp_path / "labs.ods", "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", bytes(range(256)) * 8)
        package.writestr("META-INF/manifest.xml", manifest)
    assert "password" in refusal(Source(tmp_path / "labs.ods")).why


@needs_data
def test_an_open_document_shows_days_times_and_small_numbers(tmp_path):
    def cell(kind, stated, shown):
        return f'<table:table-cell office:value-type="{kind}" {stated}><text:p>{shown}</text:p></table:table-cell>'

    names = "".join(cell("string", "", name) for name in ("id", "day", "at", "bed", "ok", "value"))
    cells = (
        cell("string", "", "p1")
        + cell("date", 'office:date-value="2021-03-05"', "5.3.21")
        + cell("date", 'office:date-value="2021-03-05T08:12:00"', "5.3.21 8:12")
        + cell("time", 'office:time-value="PT22H30M00S"', "22:30")
        + cell("boolean", 'office:boolean-value="true"', "WAHR")
        + cell("float", 'office:value="2.5E-10"', "0")
    )
    rows = f"<table:table-row>{names}</table:table-row><table:table-row>{cells}</table:table-row>"
    path = tmp_path / "labs.ods"
    with zipfile.ZipFile(FRICTIONLESS / "table-output.ods") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "content.xml":
                start, end = data.index(b"<table:table-row"), data.index(b"</table:table>")
                data = data[:start] + rows.encode() + data[end:]
            new.writestr(name, data)
    _, frame = one(Source(path))
    assert frame.row(0) == ("p1", "2021-03-05", "2021-03-05T08:12:00", "22:30:00", "true", "2.5e-10", 2)


def test_hidden_rows_and_columns_are_read(tmp_path):
    def fill(book):
        sheet_of(LABS)(book)
        sheet = book.get_worksheet_by_name("Sheet1")
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_column(2, 2, None, None, {"hidden": True})

    _, frame = one(workbook(tmp_path, fill))
    assert frame["B12"].to_list() == ["300", "200", "100"]


@pytest.mark.skipif(not CALAMINE.parent.parent.exists(), reason="the shared data is not here")
def test_no_two_readers_claim_a_published_file():
    from etl.readers.columnar import ColumnarReader
    from etl.readers.json_table import JsonTableReader
    from etl.readers.statistical import StatisticalReader

    readers = (READER, ColumnarReader(), JsonTableReader(), StatisticalReader())
    seen = 0
    for path in sorted(CALAMINE.parent.parent.rglob("*")):
        if path.is_file():
            with Source(path).open() as file:
                head = file.read(1 << 16)
            claims = [reader.name for reader in readers if reader.recognises(path.name, head)]
            assert len(claims) <= 1, path.name
            assert not claims or path.suffix not in {".csv", ".tsv", ".hl7", ".toml", ".md"}, path.name
            seen += 1
    assert seen > 200


@needs_data
def test_a_repeated_cell_of_an_ods_is_no_bomb(tmp_path):
    old = zipfile.ZipFile(FRICTIONLESS / "table-output.ods")
    cell = (
        b'<table:table-row table:number-rows-repeated="1000000"><table:table-cell office:value-type="float" '
    )
    cell += b'office:value="1" table:number-columns-repeated="1000"/></table:table-row></table:table>'
    path = tmp_path / "bomb.ods"
    with zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b"</table:table>", cell) if name == "content.xml" else data)
    assert "cells" in refusal(Source(path)).why


# Any sheet at all

WORDS = st.sampled_from(
    [None, None, "", " ", "id", "B12", "p1", "neg", "3", "5.1", "<2", "2021-03-05", "Total", "Note:", "合计"]
)
ROWS = st.lists(st.lists(WORDS, min_size=4, max_size=4), max_size=25)


@given(ROWS, st.booleans())
def test_every_row_of_a_sheet_has_exactly_one_part_in_one_table(rows, knows_merges):
    schema = {str(place): pl.String for place in range(4)}
    grid = Grid(pl.DataFrame(rows, schema=schema, orient="row"), [] if knows_merges else None)
    filled = [place for place, row in enumerate(rows, 1) if any(cell and cell.strip() for cell in row)]
    regions = find_regions(grid)
    covered = [row for region in regions for row in range(region.first_row, region.last_row + 1)]
    assert covered == list(range(1, (filled[-1] if filled else 0) + 1))
    for region in regions:
        parts = roles(grid, region)
        blank = {place + region.first_row for place in np.flatnonzero(parts == Role.BLANK)}
        inside = set(range(region.first_row, region.last_row + 1))
        assert blank == inside - set(filled)
        assert len(set(region.columns)) == len(region.columns) == len(region.places)
        records = np.flatnonzero(parts == Role.RECORD) + region.first_row
        assert all(row >= region.body_row for row in records)


# Markup


HTML = """<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}">
<style>td {{ color: red }}</style></head><body><p>not a table</p>
<table border=1><tr><th colspan=3>检验报告<tr><td>编号<td>结果<td>单位
<tr><td>p1<td>&lt;83<td>pg/mL</tr><tr><td>p2</td><td>300<br>低</td><td></td></tr></table>
<script>var x = "<table><tr><td>no</table>"</script>
<table><tr><td>id<td>HCY<tr><td>p1<td>10.5</table></body></html>"""


@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "utf-16"])
def test_html_saved_as_xls_is_read_as_its_tables(tmp_path, charset):
    path = tmp_path / "report.xls"
    path.write_bytes(HTML.format(charset=charset).encode("gb18030" if charset == "gb2312" else charset))
    assert READER.recognises("report.xls", path.read_bytes())
    (first, frame), (second, more) = read(Source(path))
    assert first.columns == ("编号", "结果", "单位")
    assert frame.rows() == [("p1", "<83", "pg/mL", 3), ("p2", "300 低", None, 4)]
    assert (second.title, more.rows()) == ("Table2", [("p1", "10.5", 2)])
    assert more.select(READER.locate(second, "HCY").alias("cell"))["cell"].to_list() == ["Table2!B2"]


def test_html_without_a_stated_encoding_is_told_by_its_content(tmp_path):
    path = tmp_path / "report.xls"
    page = "<table><tr><td>患者编号<td>检验项目<td>结果<tr><td>p1<td>维生素<td>300</table>"
    path.write_bytes(page.encode("gb18030"))
    table, frame = one(Source(path))
    assert table.columns == ("患者编号", "检验项目", "结果")
    assert frame["检验项目"].to_list() == ["维生素"]
    refusal(Source(path), Hints(encoding="utf-8"))


def test_spans_of_html_leave_their_cells_in_place_and_are_bounded(tmp_path):
    path = tmp_path / "x.xls"
    path.write_text("<table><tr><th>id<th>day<th>B12<tr><td rowspan=2>p1<td>1<td>300<tr><td>2<td>310</table>")
    assert one(Source(path))[1].rows() == [("p1", "1", "300", 2, 2), ("p1", "2", "310", 3, 2)]
    path.write_text("<table>" + "<tr><td colspan=16384>x" * 3_000 + "</table>")
    assert "cells" in refusal(Source(path)).why


XML = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="Labs"><Table>
<Row ss:Index="2"><Cell><Data ss:Type="String">id</Data></Cell><Cell ss:Index="3"><Data ss:Type="String">B12</Data></Cell>
<Cell><Data ss:Type="String">day</Data></Cell><Cell><Data ss:Type="String">ok</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">007</Data></Cell><Cell ss:Index="3"><Data ss:Type="Number">331</Data></Cell>
<Cell><Data ss:Type="DateTime">2021-03-05T00:00:00.000</Data></Cell><Cell><Data ss:Type="Boolean">1</Data></Cell></Row>
</Table></Worksheet></Workbook>"""


def test_the_xml_of_2003_is_read(tmp_path):
    path = tmp_path / "labs.xls"
    path.write_text(XML)
    assert READER.recognises("labs.xls", path.read_bytes())
    table, frame = one(Source(path))
    assert table.columns == ("id", "B12", "day", "ok")
    assert frame.rows() == [("007", "331", "2021-03-05", "true", 3)]
    assert frame.select(READER.locate(table, "B12").alias("cell"))["cell"].to_list() == ["Labs!C3"]


def test_entities_in_the_xml_of_2003_are_refused(tmp_path):
    path = tmp_path / "labs.xls"
    path.write_text(XML.replace("<Workbook", '<!DOCTYPE x [<!ENTITY a "b">]><Workbook', 1))
    assert "refused" in refusal(Source(path)).what
    path.write_text(XML[:-40])
    assert "not a whole workbook" in refusal(Source(path)).what


# Published workbooks

# Tables as (records, columns), counted by hand in each file; None: nothing on any sheet, or damaged.
PUBLISHED = {
    "calamine/OOM_alloc3.xls": None,
    "calamine/issue127.xls": None,
    "calamine/issue281.xlsm": None,
    "calamine/issue_666_panic.xlsb": None,
    "calamine/misc_biff5_parsing.xls": None,
    "calamine/pass_protected.xlsx": None,
    "calamine/picture.xlsb": None,
    "calamine/pictures_in_cell_and_over_cell.xlsx": None,
    "calamine/covered.ods": [(2, 1)],
    "calamine/date.xlsb": [(2, 2)],
    "calamine/date_1904.xlsb": [(2, 2)],
    "calamine/header-row.xlsx": [(1, 4)],
    "calamine/issue438.xlsx": [(4, 2)],
    "calamine/issue_530.xlsx": [(1, 12)],
    "calamine/readings.xlsx": [(3, 4)],
    "calamine/shared_formula_reversed.xlsx": [(4, 2), (4, 2)],
    "calamine/single-empty.ods": [(5, 1)],
    "calamine/strict_iso_paths.xlsx": [(75, 18)],
    "calamine/table_with_absolute_paths.xlsx": [(4, 2)],
    "calamine/temperature-in-middle.xlsx": [(2, 2)],
    "frictionless/cast-int-to-string-issue-1251.xlsx": [(2, 5)],
    "frictionless/issue-312.xlsx": [(4, 5)],
    "frictionless/issue-870.xlsx": [(9, 8)],
    "frictionless/merged-cells.xlsx": [(0, 1)],
    "frictionless/multiline-headers.xlsx": [(1, 4)],
    "frictionless/preserve-formatting.xlsx": [(1, 11)],
    "frictionless/sheet2.xlsx": [(2, 2)],
    "frictionless/table-output.ods": [(2, 2)],
    "frictionless/table-with-booleans.xls": [(2, 2)],
    "frictionless/table-with-ints-floats-dates.xls": [(3, 3)],
    "frictionless/table.xls": [(2, 2)],
}


@needs_data
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_workbook_has_the_tables_counted_by_hand(name):
    source = Source(CALAMINE.parent / name)
    with source.open() as file:
        assert READER.recognises(source.name, file.read(1 << 16))
    if PUBLISHED[name] is None:
        refusal(source)
    else:
        assert [(table.records, len(table.columns)) for table, _ in read(source)] == PUBLISHED[name]


@needs_data
def test_every_published_workbook_is_read_or_refused_with_advice(capfd):
    paths = [
        path for folder in (CALAMINE, FRICTIONLESS) for path in folder.iterdir() if path.suffix in SUFFIXES
    ]
    assert len(paths) > 50
    refused = []
    for path in paths:
        try:
            for table, frame in read(Source(path)):
                assert frame.height == table.records, path.name
        except SourceUnreadable as error:
            refused.append((path.name, bool(error.what and error.why and error.fix)))
    assert all(is_explained for _, is_explained in refused)
    expected = {name.split("/")[1] for name, tables in PUBLISHED.items() if tables is None} | {
        "too_small.xls"
    }
    assert {name for name, _ in refused} == expected
    assert capfd.readouterr() == ("", "")


@needs_data
@pytest.mark.parametrize("name", ["table.xls", "table-output.ods", "sheet2.xlsx"])
def test_published_tables_equal_their_csv_twin(name):
    _, frame = one(Source(FRICTIONLESS / name))
    twin = pl.read_csv(FRICTIONLESS / "table.csv", infer_schema=False)
    assert frame["id"].to_list() == twin["id"].to_list()
    assert frame["name"][0] == twin["name"][0]


@needs_data
def test_header_rows_of_a_published_workbook_are_joined():
    # Source: the file, opened in a spreadsheet; its first column is merged over five rows.
    table, _ = one(Source(FRICTIONLESS / "multiline-headers.xlsx"))
    basket = "Cumulative impact of changes on cost of food basket"
    last = (f"{basket} from previous quarter", f"{basket} from baseline (%)")
    assert table.columns == ("Region", "Caloric contribution (%)", *last)


@needs_data
@pytest.mark.parametrize("name", ["frictionless/issue-870.xlsx", "calamine/issue644.xlsx"])
def test_every_number_equals_what_another_library_reads(name):
    path = CALAMINE.parent / name
    table, frame = one(Source(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet = openpyxl.load_workbook(path, data_only=True)[table.title]
    compared = 0
    for *cells, row in frame.rows():
        for cell, other in zip(cells, next(sheet.iter_rows(row, row, values_only=True)), strict=False):
            if isinstance(other, int | float):
                assert float(cell) == pytest.approx(other, rel=1e-14, abs=0), (name, row)
                compared += 1
    assert compared > 10


@needs_data
def test_nothing_but_text_comes_out():
    for name in ("calamine/issues.xlsb", "calamine/biff5_write.xls", "calamine/richtext_issue.ods"):
        for _, frame in read(Source(CALAMINE.parent / name)):
            assert set(frame.drop("row_number", strict=False).dtypes) <= {pl.String}


RECORDS = [
    ["p1", "B12", 310, "pg/mL", "2021-03-05", "ok"],
    ["p2", "B12", 150, "pg/mL", "2021-03-06", "ok"],
] * 2
NAMES = ["patient", "test", "result", "unit", "date", "remark"]


@pytest.mark.parametrize(
    ("below", "records"),
    [
        ([["Some"], [None, "also write"], [None, None, "at the", "bottom"]], 4),
        ([["Some"], ["also write"]], 6),
        ([["p3"], [None, "also write"]], 6),
        ([[None, "also write"]], 5),
        ([["p3", "B12", None, None, None, None], [None, "B12"]], 6),
    ],
    ids=["scattered words", "words in the first column", "an id alone", "one row", "digits"],
)
def test_words_scattered_below_the_records_are_notes(tmp_path, below, records):
    """Without a blank row between: several rows of few words, no digit, one with nothing in the first column."""
    source = workbook(tmp_path, sheet_of([NAMES, *RECORDS, *below]))
    ((table, _),) = read(source)
    assert table.records == records
    assert table.structural.get("footer", 0) == len(below) - (records - 4)


@needs_data
def test_a_published_sheet_with_notes_above_and_below():
    """Its authors say that ten people stand between four rows of notes on either side."""
    for table, _ in read(Source(Path("../shared/data/tabular/readxl/inst/extdata/deaths.xls"))):
        assert (table.records, table.structural["preamble"], table.structural["footer"]) == (10, 4, 4)
