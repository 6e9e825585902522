"""Equal mapped content of one feed is one result, whatever else its files hold."""

from __future__ import annotations

ROW = "P1,Vitamin B12,300,pg/mL,2021-03-05 08:12"
HEADER = "subject_id,test,result,unit,collected"


def test_an_export_that_gains_an_empty_column_repeats_its_rows(place) -> None:
    """Cumulative exports grow by columns, too: what the new one leaves empty was said before."""
    place.ingest(place.write("labs_march.csv", f"{HEADER}\n{ROW}\n"))
    wider = f"{HEADER},specimen,accession\n{ROW},,\nP2,Vitamin B12,310,pg/mL,2021-03-06 08:12,Serum,A1\n"
    (outcome,) = place.ingest(place.write("labs_april.csv", wider)).files
    assert (outcome.counts.read, outcome.counts.duplicate, outcome.counts.accepted) == (2, 1, 1)
    assert place.rows("select count(*) from core.lab_result") == [(2,)]
    assert place.problems() == []


def test_a_column_that_says_more_is_another_content(place) -> None:
    place.ingest(place.write("labs_march.csv", f"{HEADER}\n{ROW}\n"))
    wider = f"{HEADER},specimen\n{ROW},Plasma\n"
    (outcome,) = place.ingest(place.write("labs_april.csv", wider)).files
    assert (outcome.counts.duplicate, outcome.counts.accepted) == (0, 1)
