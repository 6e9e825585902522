"""Corrected copies: the sheet that goes to the site, and what comes back."""

from __future__ import annotations

import csv
import io
import stat

import openpyxl
import pytest

from etl.correction_sheet import export
from schemas.errors import UsageError
from warehouse.quarantine import Chosen

from .conftest import HEADER, ROWS


def statuses(place) -> dict[str, str]:
    return dict(place.rows("select reasons[1], status from quarantine.record where corrects is null"))


def corrected(place, record_id: str, row: str, name: str = "labs.corrected.csv"):
    return place.ingest(place.write(name, f"corrects,{HEADER}\n{record_id},{row}\n"))


def test_a_sheet_is_private_and_holds_no_formula(held) -> None:
    for name in ("to_site.xlsx", "to_site.csv"):
        done = export(held.warehouse, Chosen(site="north"), held.folder / name)
        assert (done.records, done.feeds, done.sites) == (3, ["labs"], ["north"])
        assert stat.S_IMODE((held.folder / name).stat().st_mode) == 0o600
    sheet = openpyxl.load_workbook(held.folder / "to_site.xlsx").active
    cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row}
    assert cells["=1+cmd"] == "s"
    rows = list(csv.reader(io.StringIO((held.folder / "to_site.csv").read_text("utf-8-sig"))))
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "@", "-"))] == []
    assert "'=1+cmd" in rows[3]
    assert held.rows("select count(*) from meta.run where command = 'quarantine export'") == [(2,)]


@pytest.mark.parametrize(
    ("number", "at_risk"), [("0012", 1), ("123456789012345", 1), ("1200", 0), ("P0012", 0)]
)
def test_a_csv_says_which_numbers_a_spreadsheet_changes(place, number: str, at_risk: int) -> None:
    """Excel opens a CSV's 0012 as 12, and shows twelve digits and more as 1.23457E+14."""
    place.ingest(place.write("labs.csv", f"{HEADER}\n{number},Vitamin B12,x,pg/mL,,2021-03-08,A3\n"))
    done = [export(place.warehouse, Chosen(), place.folder / f"sheet.{ending}") for ending in ("csv", "xlsx")]
    assert [each.at_risk for each in done] == [at_risk, 0]


def test_what_is_typed_into_a_workbook_stays_as_it_is_typed(place) -> None:
    """A cell formatted as text keeps `0012` and `77,7`; a general one makes them 12 and, in German, the number 77.7."""
    place.ingest(place.write("labs.csv", f"{HEADER}\nP1,Vitamin B12,x,pg/mL,,,A3\nP2,Ferritin\n"))
    export(place.warehouse, Chosen(), place.folder / "sheet.xlsx")
    sheet = openpyxl.load_workbook(place.folder / "sheet.xlsx").active
    assert {cell.number_format for row in sheet.iter_rows(min_row=2) for cell in row} == {"@"}


def test_a_sheet_that_is_there_is_not_overwritten(held) -> None:
    out = held.write("mine.csv", "corrected by the site")
    with pytest.raises(UsageError, match="there already"):
        export(held.warehouse, Chosen(), out)
    with pytest.raises(UsageError, match="written as"):
        export(held.warehouse, Chosen(), held.folder / "x.docx")
    assert out.read_text() == "corrected by the site"


def test_the_sheet_comes_back_corrected(held) -> None:
    out = held.folder / "labs.corrected.xlsx"
    export(held.warehouse, Chosen(), out)
    book = openpyxl.load_workbook(out)
    header, *rows = book.active.iter_rows()
    at = {cell.value: cell.column - 1 for cell in header}
    mended = {
        "unit_missing": {"unit": "pg/mL"},
        "bad_number": {"result": "45"},
        "field_count": dict(
            zip(
                HEADER.split(","),
                ["P003", "Vitamin B12", "302", "pg/mL", "", "2021-03-08", "A3"],
                strict=True,
            )
        ),
    }
    for row in rows:
        for name, value in mended[row[at["reasons"]].value].items():
            row[at[name]].value = value
    book.save(out)
    (outcome,) = held.ingest(out).files
    assert (outcome.status, outcome.counts.accepted, outcome.feed) == ("loaded", 3, "labs")
    assert outcome.detail.corrections == {"corrected": 3}
    assert set(statuses(held).values()) == {"corrected"}
    values = held.rows("select analyte, value from core.lab_result order by value")
    assert values == [
        ("ferritin", 45.0),
        ("vitamin_b12", 300.0),
        ("vitamin_b12", 301.0),
        ("vitamin_b12", 302.0),
    ]
    assert held.problems() == []


def test_a_sheet_that_comes_back_as_it_was_changes_nothing(held) -> None:
    out = held.folder / "labs.corrected.xlsx"
    export(held.warehouse, Chosen(reason="unit_missing"), out)
    (outcome,) = held.ingest(out).files
    assert (outcome.counts.duplicate, outcome.detail.corrections) == (1, {"open": 1})
    assert set(statuses(held).values()) == {"open"}
    assert held.problems() == []


def test_a_correction_that_is_held_leaves_the_record_open(held, ids) -> None:
    corrected(held, ids["unit_missing"], ROWS[1].replace("301,", "301,pgs"))
    assert statuses(held)["unit_missing"] == "open"
    ((second, first),) = held.rows(
        "select record_id::varchar, corrects::varchar from quarantine.record where corrects is not null"
    )
    assert first == ids["unit_missing"]
    # What corrects the correction corrects the record behind it.
    corrected(held, second, ROWS[1].replace("301,", "301,pg/mL"), "labs.corrected-2.csv")
    assert held.rows("select distinct status from quarantine.record where reasons[1] like 'unit%'") == [
        ("corrected",)
    ]
    assert held.problems() == []


def test_one_held_cell_of_a_row_leaves_the_record_open(place) -> None:
    place.ingest(
        place.write(
            "wide.csv",
            "subject_id,collected,Ferritin (ng/mL),Vitamin B12 (pg/mL)\nP1,2021-03-05,30,300\nP2,2021-03-05\n",
        )
    )
    ((record,),) = place.rows("select record_id::varchar from quarantine.record")
    header = "corrects,subject_id,collected,Ferritin (ng/mL),Vitamin B12 (pg/mL)"
    place.ingest(place.write("a.csv", f"{header}\n{record},P2,2021-03-05,31,x?\n"))
    assert ("open", ["field_count"]) in place.rows("select status, reasons from quarantine.record")
    place.ingest(place.write("b.csv", f"{header}\n{record},P2,2021-03-05,31,301\n"))
    assert ("corrected", ["field_count"]) in place.rows("select status, reasons from quarantine.record")
    assert place.problems() == []


def test_a_correction_survives_a_refresh_and_ends_with_its_file(held, ids) -> None:
    corrected(held, ids["unit_missing"], ROWS[1].replace("301,", "301,pg/mL"))
    held.map("site: north\nfeeds:\n  labs:\n    files: 'lab_*.csv'\n    missing: ['-77']\n")
    report = held.ingest(held.folder / "lab_1.csv")
    assert report.files[0].status == "refreshed"
    assert statuses(held)["unit_missing"] == "corrected"
    with held.connection(read_only=False) as opened:
        from warehouse.leave import remove_file

        (file_id,) = opened.execute("select file_id from quarantine.correction").fetchone()
        remove_file(opened, file_id, "x", "withdrawn")
    assert statuses(held)["unit_missing"] == "open"
    assert held.problems() == []


def test_a_correction_survives_the_next_snapshot(place) -> None:
    place.map("site: north\nfeeds:\n  labs:\n    files: 'lab_*.csv'\n    delivery: snapshot\n")
    place.ingest(place.write("lab_1.csv", f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n"))
    ((record,),) = place.rows("select record_id::varchar from quarantine.record")
    report = corrected(place, record, ROWS[1].replace("301,", "301,pg/mL"))
    assert report.changes == {}  # it is no delivery of the feed
    place.ingest(
        place.write(
            "lab_2.csv",
            f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n{ROWS[0].replace('300', '305').replace('A1', 'A9')}\n",
        )
    )
    assert place.rows("select value from core.lab_result order by 1") == [(300.0,), (301.0,), (305.0,)]
    assert place.rows("select status from quarantine.record") == [("corrected",)]
    assert place.problems() == []


@pytest.mark.parametrize("name", ["0" * 32, "not an id"])
def test_a_correction_of_nothing_is_counted(held, name) -> None:
    (outcome,) = corrected(held, name, ROWS[1].replace("301,", "301,pg/mL")).files
    assert (outcome.counts.accepted, outcome.detail.corrections) == (1, {"unknown": 1})
    assert set(statuses(held).values()) == {"open"}


def test_the_record_that_is_corrected_is_no_part_of_the_content(held, ids) -> None:
    """The site mends its own export as well: the corrected copy and the later clean export are one result."""
    mended = ROWS[1].replace("301,", "301,pg/mL")
    corrected(held, ids["unit_missing"], mended)
    (outcome,) = held.ingest(held.write("lab_2.csv", f"{HEADER}\n{mended}\n")).files
    assert (outcome.counts.accepted, outcome.counts.duplicate) == (0, 1)


DATED = "patient_id,test,result,unit,collected_at\n"


def dated(place, first: str, *others: str) -> str:
    """Load a file whose first row is held, and return the id of its record."""
    lines = [f"p1,Vitamin B12,abc,pg/mL,{first}"]
    lines += [f"q{at},Vitamin B12,300,pg/mL,{other}" for at, other in enumerate(others)]
    place.ingest(place.write("dated.csv", DATED + "\n".join(lines) + "\n"))
    return place.rows("select record_id::varchar from quarantine.record where status = 'open'")[0][0]


def copied(place, record_id: str, day: str):
    copy = f"corrects,{DATED}{record_id},p1,Vitamin B12,250,pg/mL,{day}\n"
    return place.ingest(place.write("labs.corrected.csv", copy))


DAY = "select collected_at::date::varchar from core.lab_result where value = 250"


@pytest.mark.parametrize(("other", "expected"), [("25/04/2021", "2021-04-03"), ("04/25/2021", "2021-03-04")])
def test_a_copy_reads_its_dates_as_the_file_that_it_corrects(places, other, expected) -> None:
    place, again = places("first"), places("again")
    copied(place, dated(place, "03/04/2021", other), "03/04/2021")
    assert place.rows(DAY) == [(expected,)]
    # Named first and loaded in one run, the copy comes after the file all the same.
    again.ingest(place.folder / "labs.corrected.csv", place.folder / "dated.csv")
    assert again.digest() == place.digest()


def test_a_copy_whose_cell_says_otherwise_is_read_by_itself(place) -> None:
    copied(place, dated(place, "03/04/2021", "25/04/2021"), "04/13/2021")
    assert place.rows(DAY) == [("2021-04-13",)]


def test_a_copy_of_files_that_were_read_differently_waits(place) -> None:
    record = dated(place, "03/04/2021", "25/04/2021")
    place.ingest(place.write("other.csv", f"{DATED}p9,Vitamin B12,300,pg/mL,04/25/2021\n"))
    (outcome,) = copied(place, record, "03/04/2021").files
    assert outcome.status == "needs_declaration"
