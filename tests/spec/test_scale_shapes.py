"""Scales in the shapes in which exports bring them, and what waits for a declaration. Totals are added up by hand."""

from __future__ import annotations

import json

import pytest

from etl.quarantine import rare_names

IRLS = ",".join(f"irls_{item}" for item in range(1, 11))
ANSWERS = "2,3,2,1,2,2,3,2,1,2"  # 20
OTHERS = "1,1,1,0,1,1,1,1,0,1"  # 8


def totals(place) -> list[tuple]:
    """Return date, visit, rater, value, reported value and basis of each total."""
    return place.rows("""
        select administered_at::date::varchar, visit, rater, value, value_reported, basis
        from core.score join core.administration using (administration_id, subject_id)
        where scale = 'total' order by 1, 2, 3
    """)


def findings(place) -> list[tuple]:
    return place.rows("select level, check_id, instrument from core.score_finding order by all")


def long(*rows: str) -> str:
    return "\n".join(["subject_id,assessment date,visit,rater,instrument,item,score", *rows]) + "\n"


HAMD24 = "site: north\nfeeds:\n  scales: {files: '*.csv', instruments: {hamd: {version: hamd_24}}}\n"


def test_24_items_without_a_declared_variant_wait_and_a_declaration_settles_them(place) -> None:
    items = ",".join(f"HAMD24_{item}" for item in range(1, 25))
    text = f"subject_id,assessment date,{items},HAMD24 total\nP1,2021-03-05{',1' * 24},24\n"
    place.ingest(place.write("hamd.csv", text))
    held = "select measure, reasons, status from quarantine.record order by 1"
    assert place.rows(held) == [
        (f"hamd/{item}", ["version_unresolved"], "open") for item in ("20", "7", "total")
    ]
    scored = "select version, scale, value, value_reported, score_status from core.score order by 2"
    assert place.rows(scored) == [
        (None, "hamd_17", None, None, "unverified"),
        (None, "total", None, None, "unverified"),
    ]
    place.map(HAMD24)
    (outcome,) = place.ingest(place.folder / "hamd.csv").files
    assert outcome.status == "refreshed"
    assert place.rows(scored) == [
        ("hamd_24", "hamd_17", 17, None, "complete"),
        ("hamd_24", "total", 24, 24, "complete"),
    ]
    assert place.rows("select count(*) from quarantine.record where status = 'open'") == [(0,)]


def test_totals_of_two_versions_in_one_row_stay_two_scores_and_a_third_is_held(place) -> None:
    place.map(HAMD24)
    header = "subject_id,assessment date,HAMD17总分,HAMD24总分,HAMD21总分"
    place.ingest(place.write("totals.csv", f"{header}\nP1,2021-03-05,14,20,17\n"))
    assert place.rows("select version, scale, value, basis from core.score order by 2") == [
        ("hamd_24", "hamd_17", 14, "reported_only"),
        ("hamd_24", "total", 20, "reported_only"),
    ]
    assert place.rows("select reasons from quarantine.record") == [(["unrecognised_item"],)]
    assert findings(place) == []


def test_equal_totals_of_two_versions_are_two_answers(place) -> None:
    text = "subject_id,assessment date,HAMD17总分,HAMD24总分\nP1,2021-03-05,2,2\n"
    (outcome,) = place.ingest(place.write("totals.csv", text)).files
    assert (outcome.counts.accepted, outcome.counts.held, outcome.counts.duplicate) == (0, 2, 0)
    place.map(HAMD24)
    (outcome,) = place.ingest(place.folder / "totals.csv").files
    assert (outcome.counts.accepted, outcome.counts.held, outcome.counts.duplicate) == (2, 0, 0)
    assert place.rows("select scale, value from core.score order by 1") == [("hamd_17", 2), ("total", 2)]


def test_rows_that_name_their_version_are_scored_by_it(place) -> None:
    rows = [
        f"P{n},2021-03-05,,,{name},{item},1"
        for n, name in enumerate(("BDI-IA", "BDI-II"))
        for item in range(1, 22)
    ]
    place.ingest(place.write("bdi.csv", long(*rows)))
    assert place.rows("select version, version_basis from core.administration order by 1") == [
        ("bdi_ia", "each name"),
        ("bdi_ii", "each name"),
    ]
    assert [row[3] for row in totals(place)] == [21, 21]


def test_an_unknown_item_of_a_known_scale_is_held_and_another_scale_is_out_of_scope(place) -> None:
    rows = [
        "P1,2021-03-05,,,IRLS,0,1",
        "P1,2021-03-05,,,IRLS,11,1",
        "P1,2021-03-05,,,IRLS,,1",
        "P1,2021-03-05,,,IRLS-PV,1,1",
    ]
    place.ingest(place.write("irls.csv", long(*rows)))
    assert place.rows("select reasons, measure, count(*) from quarantine.record group by all") == [
        (["unrecognised_item"], "irls", 3)
    ]
    assert [(each.name, each.rows) for each in rare_names(place.warehouse)] == [("IRLS-PV 1", 1)]


def test_a_total_without_a_date_joins_the_form_of_its_visit(place) -> None:
    items = (
        f"subject_id,assessment date,visit,{IRLS}\nP1,2021-03-05,V1,{ANSWERS}\nP1,2021-06-05,V2,{OTHERS}\n"
    )
    place.ingest(
        place.write("items.csv", items),
        place.write("totals.csv", "subject_id,visit,irls_total\nP1,V1,20\nP1,V2,8\n"),
    )
    assert totals(place) == [
        ("2021-03-05", "V1", None, 20, 20, "items"),
        ("2021-06-05", "V2", None, 8, 8, "items"),
    ]
    assert findings(place) == []


def test_a_dated_total_goes_before_an_undated_one_and_dates_its_form(place) -> None:
    place.ingest(
        place.write("items.csv", f"subject_id,{IRLS}\nP1,{ANSWERS}\n"),
        place.write("totals.csv", "subject_id,assessment date,irls_total\nP1,2021-03-05,20\n"),
    )
    assert totals(place) == [("2021-03-05", None, None, 20, 20, "items")]
    place.ingest(place.write("more.csv", f"subject_id,assessment date,{IRLS}\nP1,2021-03-05,{OTHERS}\n"))
    assert [row[3:] for row in totals(place)] == [(8, 20, "items"), (20, None, "items")]


SDTM = "DOMAIN,USUBJID,{0}TESTCD,{0}CAT,{0}ORRES,{0}STRESN,{0}STAT,{0}EVAL,VISIT,{0}DTC"


def test_sdtm_questionnaires_take_the_number_beside_a_label(place) -> None:
    """Nine answers of 2 under labels that are no answers of the form, and the total: 18."""
    rows = [f"QS,S-1,PHQ010{item},PHQ-9,label {item},2,,,V1,2021-03-05" for item in range(1, 10)]
    rows.append("QS,S-1,PHQ0111,PHQ-9,18,18,,,V1,2021-03-05")
    place.ingest(place.write("qs.csv", "\n".join([SDTM.format("QS"), *rows, ""])))
    assert totals(place) == [("2021-03-05", "V1", None, 18, 18, "items")]


def test_sdtm_ratings_are_read_with_their_rater(place) -> None:
    rows = [f"RS,S-1,HAMD1{item:02},HAMD 17,1,1,,INVESTIGATOR,V1,2021-03-05" for item in range(1, 18)]
    place.ingest(place.write("rs.csv", "\n".join([SDTM.format("RS"), *rows, ""])))
    assert totals(place) == [("2021-03-05", "V1", "INVESTIGATOR", 17, None, "items")]


@pytest.mark.parametrize(("status", "total"), [("completed", 9), ("amended", 9), ("entered-in-error", None)])
def test_a_questionnaire_response_by_loinc_counts_unless_it_was_entered_in_error(
    place, status, total
) -> None:
    """PHQ-9, panel 44249-1, each answer 'several days' (1)."""
    codes = (
        "44250-9",
        "44255-8",
        "44259-0",
        "44254-1",
        "44251-7",
        "44258-2",
        "44252-5",
        "44253-3",
        "44260-8",
    )
    answer = [{"valueCoding": {"system": "http://loinc.org", "code": "LA6569-3", "display": "Several days"}}]
    response = {
        "resourceType": "QuestionnaireResponse", "id": "a", "status": status, "authored": "2021-03-05",
        "questionnaire": "http://loinc.org/q/44249-1", "subject": {"reference": "Patient/1"},
        "item": [{"linkId": f"/{code}", "answer": answer} for code in codes],
    }  # fmt: skip
    place.ingest(place.write("forms.ndjson", json.dumps(response) + "\n"))
    assert place.rows("select count(*), count(value) from core.response") == [(9, 9 if total else 0)]
    assert [row[3] for row in totals(place)] == [total]
