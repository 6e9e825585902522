"""A sheet has the shape of the file that it corrects, whatever that shape is: it comes back and is loaded."""

from __future__ import annotations

import csv
import io

import pytest

from etl.correction_sheet import export
from warehouse.quarantine import Chosen

# name, feed, export, header of the cell that is wrong, the right cell, query for what is loaded then, expected rows
SHAPES = [
    ("a wide file of results", "labs", "subject_id,collected,Ferritin (ng/mL),Vitamin B12 (pg/mL)\nP1,2021-03-05,30,30o\n",
     "Vitamin B12 (pg/mL)", "300",
     "select analyte, value from core.lab_result order by all", [("ferritin", 30.0), ("vitamin_b12", 300.0)]),
    ("a wide file of answers", "scales", "subject_id,date,irls_1,irls_2\nP1,2021-03-05,3,7\n", "irls_2", "2",
     "select item, value from core.response order by all", [("1", 3.0), ("2", 2.0)]),
    ("a date and a time side by side", "labs",
     ("subject_id,test,result,unit,collection date,collection time\nP1,Ferritin,30,ng/mL,2021-02-31,08:12\n"
     "P2,Ferritin,31,ng/mL,2021-03-05,08:13\n"), "collection date", "2021-03-02",
     "select value, collected_at::varchar from core.lab_result order by all",
     [(30.0, "2021-03-02 08:12:00"), (31.0, "2021-03-05 08:13:00")]),
    ("a comparator of its own", "labs",
     "subject_id,test,operator,result,unit,collected\nP1,Vitamin B12,<,83,pgs,2021-03-05\n", "unit", "pg/mL",
     "select comparator, value from core.lab_result", [("<", 83.0)]),
    ("attributes of subjects", "subjects", "subject_id,sex,birth date\nP1,f,1961-02-31\nP2,m,1960-05-06\n", "birth date",
     "1961-02-03", "select value from core.subject_attribute where attribute = 'birth_date' order by all",
     [("1960-05-06",), ("1961-02-03",)]),
    ("an attribute in a long file of results", "labs",
     "subject_id,birth date,test,result,unit,collected\nP1,1961-02-31,Ferritin,30,ng/mL,2021-03-05\n", "birth date",
     "1961-02-03", "select value from core.subject_attribute", [("1961-02-03",)]),
    ("an attribute in a wide file of answers", "scales", "subject_id,birth date,date,irls_1\nP1,1961-02-31,2021-03-05,3\n",
     "birth date", "1961-02-03", "select value from core.subject_attribute", [("1961-02-03",)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("feed", "text", "header", "right", "query", "rows"),
    [each[1:] for each in SHAPES],
    ids=[each[0] for each in SHAPES],
)
def test_the_sheet_of(place, feed, text, header, right, query, rows) -> None:
    place.ingest(place.write("first.csv", text))
    assert place.rows("select feed, status from quarantine.record") == [(feed, "open")]
    sheet = place.folder / f"{feed}.corrected.csv"
    export(place.warehouse, Chosen(), sheet)
    names, record = csv.reader(io.StringIO(sheet.read_text("utf-8-sig")))
    assert record[names.index(header)]
    record[names.index(header)] = right
    (outcome,) = place.ingest(
        place.write("back.csv", "\n".join([",".join(names), ",".join(f'"{cell}"' for cell in record)]) + "\n")
    ).files
    assert (outcome.status, outcome.feed) == ("loaded", feed)
    assert place.rows("select status from quarantine.record") == [("corrected",)]
    assert place.rows(query) == rows
    assert place.problems() == []
