"""SDTM originals are harmonized here and compared with the sender's own standard result.

Factors by hand: glucose 18.016 mg/dL, cholesterol 38.665 mg/dL, vitamin B12 1.35537 pg/mL are 1 mmol/L, 1 mmol/L, 1 pmol/L.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

HEADER = "USUBJID,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBSTRESN,LBSTRESU,LBDTC\n"


def flags(place) -> list[tuple]:
    return place.rows("select unit_flag from core.lab_result order by row_number")


@pytest.mark.parametrize(
    ("row", "is_apart"),
    [
        ("GLUC,Glucose,100,mg/dL,5.5506,mmol/L", False),
        ("GLUC,Glucose,100,mg/dL,5.55,mmol/L", False),
        ("GLUC,Glucose,100,mg/dL,5.6,mmol/L", False),  # rounded to one decimal
        ("GLUC,Glucose,100,mg/dL,5.600,mmol/L", True),  # 0.9 %
        ("GLUC,Glucose,100,mg/dL,5.557,mmol/L", True),  # 0.115 %
        ("GLUC,Glucose,100,mg/dL,100,mmol/L", True),
        ("GLUC,Glucose,100,mg/dL,100,mg/dL", False),
        ("CHOL,Cholesterol,200,mg/dL,5.172,mmol/L", False),
        ("VITB12,Vitamin B12,300,pg/mL,221.3,pmol/L", False),
        ("VITB12,Vitamin B12,300,pg/mL,300,pmol/L", True),  # the factor was left out
        ("VITB12,Vitamin B12,300,pg/mL,406.6,pmol/L", True),  # it was turned round
        ("VITB12,Vitamin B12,300,pg/mL,,pmol/L", False),
        ("VITB12,Vitamin B12,300,pg/mL,300,", False),
        ("VITB12,Vitamin B12,300,pg/mL,300,furlong", False),
        ("VITB12,Vitamin B12,<83,pg/mL,83,pg/mL", False),
        ("VITB12,Vitamin B12,,pg/mL,83,pg/mL", False),
    ],
)
def test_a_standard_result_is_compared_with_ours(place, row: str, is_apart: bool) -> None:
    (outcome,) = place.ingest(place.write("lb.csv", f"{HEADER}S1,{row},2021-03-05\n")).files
    assert (outcome.counts.accepted, outcome.counts.held) == (1, 0)
    assert flags(place) == [("standard_disagrees" if is_apart else None,)]


def test_the_original_is_what_counts_and_its_identity(place) -> None:
    """Another standard result of the same original is no other result."""
    first = place.write("a.csv", f"{HEADER}S1,VITB12,Vitamin B12,300,pg/mL,300,pmol/L,2021-03-05\n")
    again = place.write("b.csv", f"{HEADER}S1,VITB12,Vitamin B12,300,pg/mL,221.3,pmol/L,2021-03-05\n")
    place.ingest(first)
    (outcome,) = place.ingest(again).files
    assert outcome.counts.duplicate == 1
    assert place.rows("select value, unit from core.lab_result") == [(300.0, "pg/mL")]


def test_a_disagreement_is_a_finding(place) -> None:
    from etl.validation import run_validation

    rows = "".join(
        f"S{n},VITB12,Vitamin B12,300,pg/mL,{300 if n == 1 else 221.3},pmol/L,2021-03-05\n" for n in (1, 2)
    )
    place.ingest(place.write("lb.csv", HEADER + rows))
    run_validation(place.warehouse)
    found = place.rows(
        "select status, numerator, denominator from meta.check_result where check_id like '%standard_result_agrees%'"
    )
    assert found == [("failed", 1, 2)]


def test_a_trial_s_standard_results_agree(shared: Path, place) -> None:
    """Rows are compared again here, by the factors above; HbA1c is sent in per cent and standardised as such."""
    source = shared / "cdisc/pharmaversesdtm/lb_metabolic.csv"
    place.ingest(source)
    with source.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["LBORRES"] and row["LBSTRESN"]]
    factors = {("CHOL", "mg/dL"): 38.665, ("GLUC", "mg/dL"): 18.016, ("TRIG", "mg/dL"): 88.57}
    apart = 0
    for row in rows:
        factor = factors.get((row["LBTESTCD"], row["LBORRESU"]))
        if factor and row["LBSTRESU"] == "mmol/L":
            half = 0.5 * 10 ** -len(row["LBSTRESN"].partition(".")[2])
            ours, theirs = float(row["LBORRES"]) / factor, float(row["LBSTRESN"])
            apart += abs(ours - theirs) > max(0.001 * theirs, half)
    flagged = place.rows(
        """
        select count(*) from core.lab_result
        where contains(unit_flag, 'standard') and analyte in ('total_cholesterol', 'glucose', 'triglycerides')
        """
    )
    assert flagged == [(apart,)]
