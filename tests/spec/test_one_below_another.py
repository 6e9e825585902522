"""Tables one below the other in one file: the second header tells that what follows is not what the first one says."""

from __future__ import annotations

import pytest

WIDE = "Patient ID,Date,Vitamin B12 (pg/mL)"
LONG = "Patient ID,Sample ID,Date,Analyte,Value,Unit"


@pytest.mark.parametrize(
    ("header", "again"),
    [
        (WIDE, "Patient ID,Date,Ferritin (ng/mL)"),
        (WIDE, "Patient ID,Date,Vitamin B12 (pmol/L)"),
        ("患者编号,采样日期,维生素B12 (pg/mL)", "患者编号,采样日期,铁蛋白 (ng/mL)"),
        (WIDE, ",,pmol/L"),  # in these units from here on
        ("Patient ID,Date,Ferritin\n,,ng/mL", "Patient ID,Date,Ferritin\n,,pmol/L"),
        (LONG, "Patient ID,Sample ID,Date,Analyte,Unit,Value"),
        (LONG, "Sample ID,Patient ID,Date,Analyte,Value,Unit"),
    ],
)
def test_another_header_below_records_waits_for_files_of_their_own(place, header: str, again: str) -> None:
    rest = "2021-03-05,300" if header != LONG else "S1,2021-03-05,Vitamin B12,300,pg/mL"
    below = "2021-03-06,55" if header != LONG else "S2,2021-03-06,Vitamin B12,301,pg/mL"
    (outcome,) = place.ingest(place.write("joined.csv", f"{header}\nP1,{rest}\n{again}\nP2,{below}\n")).files
    assert (outcome.status, outcome.counts.accepted) == ("needs_declaration", 0)
    line = 3 + header.count("\n") + again.count("\n")
    assert (
        outcome.error.what
        == f"joined.csv waits: its line {line} names other columns, or other units, than its header."
    )


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (WIDE, WIDE),
        (WIDE, "患者编号,采样日期,维生素B12"),
        (WIDE, "TEST,2021-03-05,negative"),
        (WIDE, "P9,2021-03-05,Ferritin"),  # a word in the wrong column of somebody's record
        (WIDE, ",,see note"),
        (WIDE, ",,pg/mL"),
        ("Patient ID,Date,Ferritin\n,,ng/mL", "Patient ID,Date,Ferritin"),
        (LONG, ",,,Vitamin B12,pg/mL,pg/mL"),
    ],
)
def test_a_line_that_names_no_other_columns_stops_nothing(place, header: str, line: str) -> None:
    rest = "2021-03-05,300" if header != LONG else "S1,2021-03-05,Vitamin B12,300,pg/mL"
    (outcome,) = place.ingest(place.write("joined.csv", f"{header}\nP1,{rest}\n{line}\n")).files
    assert (outcome.status, outcome.counts.accepted) == ("loaded", 1)
