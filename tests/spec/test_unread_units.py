"""A long table whose column of units has a header that nobody knows; 1 pmol/L of vitamin B12 is 1.35537 pg/mL."""

from __future__ import annotations

import pytest

HEADER = "patient_id,test,result,Dim,reference range,collected_at\n"
ROWS = "P1,Vitamin B12,299.9,pmol/L,{range},2021-03-05\nP2,Vitamin B12,310,{other},{range},2021-03-05\n"


def file(limits: str = "197-771", other: str = "pmol/L") -> str:
    return HEADER + ROWS.format(range=limits, other=other)


@pytest.mark.parametrize("other", ["pmol/L", "", "%"])
def test_units_under_an_unknown_header_are_not_passed_over(place, other: str) -> None:
    """The printed range is one of pg/mL, and would decide against what the column says."""
    (outcome,) = place.ingest(place.write("labs.csv", file(other=other))).files
    assert (outcome.status, outcome.counts.read) == ("needs_declaration", 0)
    assert "'Dim'" in outcome.error.what
    assert 'columns: {unit: "Dim"}' in outcome.error.fix


def test_the_line_that_is_named_settles_it(place) -> None:
    place.map('site: north\nfeeds: {labs: {files: [labs.csv], columns: {unit: "Dim"}}}\n')
    place.ingest(place.write("labs.csv", file("145-569")))
    values = [value for (value,) in place.rows("select value from core.lab_result order by 1")]
    assert values == pytest.approx([406.48, 420.16], abs=0.01)  # 299.9 x 1.35537 and 310 x 1.35537


def test_so_does_a_declared_unit(place) -> None:
    place.map("site: north\nfeeds: {labs: {files: [labs.csv], units: {vitamin_b12: pg/mL}}}\n")
    (outcome,) = place.ingest(place.write("labs.csv", file())).files
    assert (outcome.status, outcome.counts.accepted) == ("loaded", 2)


@pytest.mark.parametrize("other", ["L", "haemolysed", "5"])
def test_flags_and_words_are_no_units(place, other: str) -> None:
    text = file(other=other).replace("299.9,pmol/L", "299.9,L" if other == "L" else "299.9,")
    (outcome,) = place.ingest(place.write("labs.csv", text)).files
    assert outcome.status == "loaded"
