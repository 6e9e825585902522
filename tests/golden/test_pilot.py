"""The main job on a real trial's export, to the row."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

# Counted in the file by its SDTM codes: 12 study analytes, 35 others.
ACCEPTED = {
    "alt": 1814, "ast": 1814, "urea": 1828, "total_cholesterol": 1828, "creatinine": 1828, "glucose": 1810, "hba1c": 8,
    "haemoglobin": 1809, "mcv": 1790, "tsh": 271, "uric_acid": 1828, "vitamin_b12": 272,
}  # fmt: skip


def test_the_pilot_loads_whole(shared: Path, place) -> None:
    pilot = shared / "cdisc/pilot"
    report = place.ingest(pilot / "lb_original.csv.gz", pilot / "dm.csv", site="pilot")
    by_name = {Path(each.path).name: each for each in report.files}
    counts = by_name["lb_original.csv.gz"].counts
    assert (counts.read, counts.accepted, counts.out_of_scope, counts.held, counts.duplicate) == (
        59_580,
        16_900,
        42_680,
        0,
        0,
    )
    assert len(by_name["lb_original.csv.gz"].detail.out_of_scope_names) == 35
    assert by_name["dm.csv"].detail.subjects == 306
    found = place.rows("select analyte, count(*) from core.lab_result group by analyte")
    assert dict(found) == ACCEPTED
    assert place.rows(
        "select distinct unit, unit_basis from core.lab_result where analyte = 'vitamin_b12'"
    ) == [("pg/mL", "stated")]
    assert place.problems() == []
    again = place.ingest(pilot / "lb_original.csv.gz", pilot / "dm.csv", site="pilot")
    assert {each.status for each in again.files} == {"unchanged"}
    assert again.totals()["read"] == 0


def test_an_edited_mapping_refreshes_in_one_step(shared: Path, place) -> None:
    pilot = shared / "cdisc/pilot"
    place.ingest(pilot / "lb_original.csv.gz", site="pilot")
    before = place.digest()
    place.map(
        """
        site: pilot
        feeds:
          labs: {files: ["lb*"], missing: ["9999"]}
        """,
        site="pilot",
    )
    (outcome,) = place.ingest(pilot / "lb_original.csv.gz", site="pilot").files
    assert outcome.status == "refreshed"
    assert place.rows("select status, count(*) from meta.load group by status order by status") == [
        ("active", 1),
        ("replaced", 1),
    ]
    assert place.digest() == before  # no cell says 9999
    assert place.problems() == []


@pytest.mark.parametrize(
    ("analyte", "code"),
    [("total_cholesterol", "CHOL"), ("glucose", "GLUC"), ("triglycerides", "TRIG"), ("hba1c", "HBA1CHGB")],
)
def test_si_values_agree_with_the_senders_own(shared: Path, place, analyte: str, code: str) -> None:
    """LBSTRESN is the sponsor's own conversion of LBORRES; within 0.1 %, as the contract asks."""
    export = shared / "cdisc/pharmaversesdtm/lb_metabolic.csv"
    place.ingest(export, site="metabolic")
    with export.open(encoding="utf-8", newline="") as file:
        stated = {
            at: float(row["LBSTRESN"])
            for at, row in enumerate(csv.DictReader(file), start=2)
            if row["LBTESTCD"] == code and row["LBSTRESN"] not in {"", "NA"}
        }
    ours = dict(place.rows(f"select row_number, value from core.lab_result where analyte = '{analyte}'"))
    shared_rows = stated.keys() & ours.keys()
    assert len(shared_rows) > 20
    assert len(shared_rows) == len(stated)
    for row in shared_rows:
        # HbA1c is stated in mmol/mol there; NGSP % = 0.09148 x + 2.152 (the NGSP master equation).
        expected = 0.09148 * stated[row] + 2.152 if analyte == "hba1c" else stated[row]
        assert ours[row] == pytest.approx(expected, rel=1e-3)
