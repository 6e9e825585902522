"""The report that stays in the hospital: it shows the rows to fix, says so on every page, and is its owner's alone."""

from __future__ import annotations

import json

import openpyxl

from etl.reporting import write_reports
from etl.validation import run_validation

HEADER = "subject_id,test,result,unit,collected,accession"
ROWS = [
    "P001,Vitamin B12,300,pg/mL,2021-03-05 08:12,A1",
    "P002,Vitamin B12,=1+7.75,pg/mL,2021-03-06 08:12,A2",  # held for its value
    "P003,Vitamin B12,302,Wonderly,2021-03-06 08:12,A3",  # held for its unit
]
SECRETS = ("1+7.75", "Wonderly", "Quillfeather")


def test_it_shows_the_rows_to_fix_and_says_so_everywhere(place) -> None:
    place.ingest(place.write("Quillfeather_lab.csv", "\n".join([HEADER, *ROWS]) + "\n"))
    run_validation(place.warehouse)
    out = place.folder / "report"
    formats = ["html", "xlsx", "json"]
    for path in write_reports(place.warehouse, out, formats):
        assert not [secret for secret in SECRETS if secret.encode() in path.read_bytes()], path.name

    out.joinpath("validation.revealed.html").write_text("an older file that others can read")
    page, book, document = write_reports(place.warehouse, out, formats, reveal=True)
    assert {path.stat().st_mode & 0o777 for path in (page, book, document)} == {0o600}
    assert [path.name for path in (page, book, document)] == [
        f"validation.revealed.{ending}" for ending in formats
    ]

    said = json.loads(document.read_text("utf-8"))
    assert said["is_revealing"] is True
    # The three orphans of the first file are no row to fix twice: two rows are held, one subject is known to no file.
    held = {tuple(each["about"]): each for each in said["fixes"] if each["about"] != ["lab_subjects_known"]}
    assert sorted(held) == [("bad_number",), ("unit_unknown",)]
    assert held["bad_number",]["place"] == "L3/C3"
    assert "=1+7.75" in held["bad_number",]["original"]
    assert held["unit_unknown",]["path"].endswith("Quillfeather_lab.csv")
    orphan = next(each for each in said["fixes"] if each["about"] == ["lab_subjects_known"])
    assert (orphan["place"], "value_source: 300" in orphan["original"]) == ("L2/C3", True)

    text = page.read_text("utf-8")
    assert all(secret in text for secret in SECRETS)
    assert '<aside class="revealed">CONFIDENTIAL' in text
    for sheet in openpyxl.load_workbook(book):
        assert str(sheet["A1"].value).startswith("CONFIDENTIAL")
        assert "CONFIDENTIAL" in str(sheet.oddHeader.center.text)
        assert all(cell.data_type != "f" for row in sheet for cell in row)

    ((detail,),) = place.rows("select detail from meta.run where command = 'report'")
    recorded = json.loads(detail)
    assert recorded["revealed"] is True
    assert sorted(recorded["ids"]) == sorted(each["id"] for each in said["fixes"])
    assert place.problems() == []
