"""What is counted, one worked example a shape: lines = records + continuation + structural, candidates by shape."""

from __future__ import annotations


def counts(outcome) -> dict[str, int]:
    return {name: number for name, number in vars(outcome.counts).items() if number}


def test_a_long_row_is_one_candidate_also_when_its_value_is_empty(place) -> None:
    export = place.write(
        "labs.csv",
        """
        subject_id,test,result,unit,collected
        P1,Vitamin B12,300,pg/mL,2021-03-05
        P1,Creatinine,,mg/dL,2021-03-05
        """,
    )
    (outcome,) = place.ingest(export).files
    assert counts(outcome) == {"lines": 3, "records": 2, "structural": 1, "read": 2, "accepted": 2}
    assert place.rows("select row_number, locator from core.lab_result order by 1") == [
        (2, "L2/C3"),
        (3, "L3/C3"),
    ]


def test_a_wide_row_is_its_non_empty_mapped_cells(place) -> None:
    export = place.write(
        "wide.csv",
        """
        subject_id,collected,B12 (pg/mL),Creatinine (mg/dL),shoe size
        P1,2021-03-05,300,0.9,42
        P2,2021-03-06,,1.1,43
        """,
    )
    (outcome,) = place.ingest(export).files
    assert counts(outcome) == {"lines": 3, "records": 2, "structural": 1, "read": 3, "accepted": 3}
    assert outcome.detail.unmapped == ["shoe size"]
    located = place.rows("select analyte, unit_source, locator from core.lab_result order by locator")
    assert located == [
        ("vitamin_b12", "pg/mL", "L2/C3"),
        ("creatinine", "mg/dL", "L2/C4"),
        ("creatinine", "mg/dL", "L3/C4"),
    ]


def test_lines_are_records_continuation_and_structural(place) -> None:
    export = place.write(
        "labs.csv",
        """
        Laboratory export of 2021

        subject_id,test,result,unit,collected,comment
        P1,Vitamin B12,300,pg/mL,2021-03-05,"two
        lines"
        subject_id,test,result,unit,collected,comment
        P2,Vitamin B12,301,pg/mL,2021-03-06,
        P3,Vitamin B12,302
        """,
    )
    (outcome,) = place.ingest(export).files
    assert counts(outcome) == {
        "lines": 8, "records": 3, "continuation": 1, "structural": 4, "read": 3, "accepted": 2, "held": 1,
    }  # fmt: skip
    assert sum(outcome.detail.structural.values()) == 4
    assert place.rows("select row_number, locator, reasons from quarantine.record") == [
        (8, "L8", ["field_count"])
    ]


def test_a_form_is_its_non_empty_items_and_attributes_are_counted_apart(place) -> None:
    export = place.write(
        "irls.csv",
        """
        subject_id,sex,group,date,irls_1,irls_2,irls_3
        P1,F,case,2021-03-05,4,3,
        P2,M,case,2021-03-05,1,,0
        """,
    )
    (outcome,) = place.ingest(export).files
    assert counts(outcome) == {
        "lines": 3, "records": 2, "structural": 1, "read": 4, "accepted": 4, "attributes": 4, "attributes_stored": 4,
    }  # fmt: skip
    assert place.rows("select count(*) from core.administration") == [(2,)]


def test_a_crosswalk_is_counted_in_pairs(place) -> None:
    place.map(
        """
        site: north
        feeds:
          ids:
            files: ["ids.csv"]
            kind: crosswalk
            links: {from: {column: old, issuer: north}, to: {column: new, issuer: south}}
        """
    )
    export = place.write("ids.csv", "old,new\n1001,S-1\n1002,\n")
    (outcome,) = place.ingest(export).files
    assert counts(outcome) == {
        "lines": 3, "records": 2, "structural": 1, "attributes": 2, "attributes_stored": 1, "attributes_held": 1,
    }  # fmt: skip
    assert place.rows("select count(*), min(basis) from core.subject_link") == [(1, "crosswalk")]
