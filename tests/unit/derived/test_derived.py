"""Computed values from exports to the marts, and reported ones that do not agree with them."""

from __future__ import annotations

import pytest

from etl.derived import differences
from etl.study import ensure_views
from schemas.derived import egfr_formulas

LABS = """
patient_id,sex,birth_date,test,result,unit,collected_at
1,M,1970-06-01,Vitamin B12,200,pg/mL,2021-03-05
1,M,1970-06-01,Creatinine,1.0,mg/dL,2021-03-05
1,M,1970-06-01,eGFR MDRD,60,mL/min/1.73m2,2021-03-05
1,M,1970-06-01,Body weight,80,kg,2021-03-05
1,M,1970-06-01,Body height,2.00,m,2021-03-05
1,M,1970-06-01,BMI,20.1,kg/m2,2021-03-05
1,M,1970-06-01,Iron,67,ug/dL,2021-03-05
1,M,1970-06-01,TIBC,335,ug/dL,2021-03-05
1,M,1970-06-01,Transferrin saturation,25,%,2021-03-05
"""


@pytest.fixture
def derived(place):
    place.map("site: north\nfeeds:\n  labs: {files: ['labs*.csv']}\n")
    (outcome,) = place.ingest(place.write("labs.csv", LABS)).files
    assert (outcome.counts.read, outcome.counts.accepted) == (9, 9), outcome.document()
    with place.connection(read_only=False) as connection:
        ensure_views(connection)
    return place


def test_the_equation_gives_its_check_value() -> None:
    male = next(each for each in egfr_formulas() if each.sex == "male")
    # Published for 1.0 mg/dL, 50 years, male: 91.7.
    value = male.scale * (1.0 / male.kappa) ** male.beta * male.age_base**50 * male.factor
    assert value == pytest.approx(91.7, abs=0.05)


def test_computed_values_reach_the_baseline_in_place_of_reported_ones(derived) -> None:
    ((egfr, bmi, saturation),) = derived.rows(
        "select egfr, bmi, transferrin_saturation from mart.subject_baseline"
    )
    assert egfr == pytest.approx(91.7, abs=0.05)
    assert bmi == pytest.approx(20)
    assert saturation == pytest.approx(20)  # 100 x 67 / 335


def test_kidney_function_is_known_from_creatinine(derived) -> None:
    ((unknown_for,),) = derived.rows("select unknown_for from intermediate.eligibility")
    assert "kidney_function" not in unknown_for


def test_reported_values_are_compared(derived) -> None:
    with derived.connection() as connection:
        frame = differences(connection)
    named = dict(derived.rows("select result_id::varchar, analyte from core.lab_result"))
    found = {named[row["result_id"]]: row["difference"] for row in frame.iter_rows(named=True)}
    # BMI 20.1 against 20 is within 1 %.
    assert found == {
        "egfr": pytest.approx(100 * (1 - 60 / 91.69), abs=0.1),
        "transferrin_saturation": pytest.approx(25),
    }


@pytest.mark.slow
def test_a_difference_is_a_finding(derived) -> None:
    from etl.validation import run_validation

    report = run_validation(derived.warehouse)
    found = {
        each.scope: each.status for each in report.results if each.check_id == "derived_agrees_with_reported"
    }
    assert found == {
        "site=north, analyte=bmi": "passed",
        "site=north, analyte=egfr": "failed",
        "site=north, analyte=transferrin_saturation": "failed",
    }
