"""Scales from an export to core.score: shapes, joins, states and findings. Totals are added up by hand in each test."""

from __future__ import annotations

import pytest

from warehouse import administrations
from warehouse.keys import load_keys
from warehouse.seal import unseal

IRLS = ",".join(f"irls_{item}" for item in range(1, 11))
ANSWERS = "2,3,2,1,2,2,3,2,1,2"  # 20
OTHERS = "1,1,1,0,1,1,1,1,0,1"  # 8
SCORES = """
    select subject_id, administered_at::date::varchar, visit, rater, value, value_reported, basis, score_status
    from core.score join core.administration using (administration_id, subject_id)
    where scale = 'total' order by 2, 3, 4, 5
"""


def totals(place) -> list[tuple]:
    """Return date, visit, rater, value, reported value and basis of each total."""
    return [row[1:7] for row in place.rows(SCORES)]


def findings(place) -> list[tuple]:
    return place.rows("select level, check_id, instrument from core.score_finding order by all")


def long(*rows: str) -> str:
    return "\n".join(["subject_id,assessment date,visit,rater,instrument,item,score", *rows]) + "\n"


def test_a_wide_form_is_scored_and_its_total_is_no_item(place) -> None:
    place.ingest(
        place.write("irls.csv", f"subject_id,assessment date,{IRLS},irls_total\nP1,2021-03-05,{ANSWERS},20\n")
    )
    assert totals(place) == [("2021-03-05", None, None, 20, 20, "items")]
    assert place.rows("select count(*) from core.response where item <> 'total'") == [(10,)]
    assert findings(place) == []


def test_a_long_form_is_scored_and_its_total_is_no_item(place) -> None:
    answers = [
        f"P1,2021-03-05,V1,R1,IRLS,{at},{answer}" for at, answer in enumerate(ANSWERS.split(","), start=1)
    ]
    place.ingest(place.write("irls.csv", long(*answers, "P1,2021-03-05,V1,R1,IRLS,total,20")))
    assert totals(place) == [("2021-03-05", "V1", "R1", 20, 20, "items")]


def test_a_total_alone_is_usable_and_marked(place) -> None:
    place.ingest(
        place.write(
            "totals.csv", "subject_id,assessment date,IRLS total,HAMD-17 total\nP1,2021-03-05,20,14\n"
        )
    )
    assert place.rows(
        "select instrument, version, value, value_reported, basis, score_status from core.score order by 1"
    ) == [
        ("hamd", "hamd_17", 14, 14, "reported_only", "complete"),
        ("irls", "irls_10", 20, 20, "reported_only", "complete"),
    ]


def test_an_undated_form_is_scored_and_stays_undated(place) -> None:
    place.ingest(place.write("irls.csv", f"subject_id,{IRLS}\nP1,{ANSWERS}\n"))
    assert totals(place) == [(None, None, None, 20, None, "items")]


def test_visits_and_raters_stay_apart(place) -> None:
    rows = [
        f"P1,2021-03-05,V1,A,{ANSWERS}",
        f"P1,2021-03-05,V1,B,{OTHERS}",
        f"P1,2021-03-05,V2,A,{OTHERS}",
    ]
    header = f"subject_id,assessment date,visit,rater,{IRLS}"
    place.ingest(place.write("irls.csv", "\n".join([header, *rows, ""])))
    assert [row[1:4] for row in totals(place)] == [("V1", "A", 20), ("V1", "B", 8), ("V2", "A", 8)]


def test_chinese_and_german_headers_mean_the_same(place) -> None:
    chinese = ",".join(f"不宁腿严重程度量表第{item}题" for item in range(1, 11))
    german = ",".join(f"IRLS Frage {item}" for item in range(1, 11))
    place.ingest(place.write("zh.csv", f"患者编号,评估日期,{chinese},IRLS总分\nP1,2021-03-05,{ANSWERS},20\n"))
    place.ingest(
        place.write("de.csv", f"Patientennummer,Testdatum,{german},IRLS Summe\nP2,2021-03-06,{OTHERS},8\n")
    )
    assert [row[3:] for row in totals(place)] == [(20, 20, "items"), (8, 8, "items")]


ITEMS = f"subject_id,assessment date,visit,rater,{IRLS}\nP1,2021-03-05,V1,A,{ANSWERS}\n"
TOTAL = "subject_id,assessment date,irls_total\nP1,2021-03-05,20\n"


@pytest.mark.parametrize("order", [("items", "totals"), ("totals", "items")])
def test_items_and_totals_of_two_files_join_in_either_order(place, order) -> None:
    for name in order:
        place.ingest(place.write(f"{name}.csv", {"items": ITEMS, "totals": TOTAL}[name]))
    assert totals(place) == [("2021-03-05", "V1", "A", 20, 20, "items")]
    assert place.rows("select count(*) from core.administration") == [(1,)]
    assert findings(place) == []


@pytest.mark.parametrize("order", [("items", "totals"), ("totals", "items")])
def test_many_answers_are_scored_in_parts(place, monkeypatch, order) -> None:
    """Twelve subjects in parts of about 25 answers; two of the totals are wrong by one."""
    monkeypatch.setattr(administrations, "PART", 25)
    named = [f"P{at},2021-03-{at:02d}" for at in range(1, 13)]
    files = {
        "items": [f"subject_id,assessment date,{IRLS}", *(f"{each},{ANSWERS}" for each in named)],
        "totals": ["subject_id,assessment date,irls_total", *(f"{each},20" for each in named)],
    }
    files["totals"][4:6] = [f"{each},21" for each in named[3:5]]
    for name in order:
        place.ingest(place.write(f"{name}.csv", "\n".join(files[name]) + "\n"))
    assert [row[3:] for row in totals(place)] == [
        (20, 21 if at in {4, 5} else 20, "items") for at in range(1, 13)
    ]
    wrong = "administration", "reported_score_disagrees", "irls"
    assert findings(place) == [wrong, wrong]
    place.ingest(place.write("totals.csv", "\n".join(files["totals"]) + "\n"))
    assert (len(totals(place)), findings(place)) == (12, [wrong, wrong])


def test_a_date_joins_a_time_of_that_day_but_no_other_day(place) -> None:
    place.ingest(place.write("items.csv", ITEMS.replace("2021-03-05", "2021-03-05 14:30")))
    place.ingest(place.write("totals.csv", TOTAL + "P1,2021-03-06,25\n"))
    assert [row[3:] for row in totals(place)] == [(20, 20, "items"), (25, 25, "reported_only")]


@pytest.mark.parametrize("is_total_first", [True, False])
def test_a_total_that_fits_two_administrations_joins_neither(place, is_total_first) -> None:
    both = place.write("items.csv", ITEMS + f"P1,2021-03-05,V1,B,{OTHERS}\n")
    total = place.write("totals.csv", TOTAL)
    for path in (total, both) if is_total_first else (both, total):
        place.ingest(path)
    assert [row[2:] for row in totals(place)] == [
        ("A", 20, None, "items"),
        ("B", 8, None, "items"),
        (None, 20, 20, "reported_only"),
    ]
    assert findings(place) == [("administration", "join_ambiguous", "irls")]


def test_raters_of_two_files_that_differ_do_not_join(place) -> None:
    place.ingest(place.write("items.csv", ITEMS))
    place.ingest(
        place.write("totals.csv", "subject_id,assessment date,rater,irls_total\nP1,2021-03-05,B,20\n")
    )
    assert [row[5] for row in totals(place)] == ["items", "reported_only"]


def test_a_total_of_a_part_stands_beside_the_items_of_the_longer_form(place) -> None:
    """HAMD-24, every item 1: 24; its first seventeen items: 17."""
    place.map("site: north\nfeeds:\n  a: {files: '*.csv', instruments: {hamd: {version: hamd_24}}}\n")
    items = ",".join(f"HAMD_{item}" for item in range(1, 25))
    ones = ",".join("1" for _ in range(24))
    place.ingest(
        place.write("totals.csv", "subject_id,assessment date,HAMD-17 total\nP1,2021-03-05,17\n"),
        place.write("items.csv", f"subject_id,assessment date,{items}\nP1,2021-03-05,{ones}\n"),
    )
    rows = "select version, scale, value, value_reported from core.score order by scale"
    assert place.rows(rows) == [("hamd_24", "hamd_17", 17, 17), ("hamd_24", "total", 24, None)]
    assert findings(place) == []


def test_a_total_of_another_version_is_not_compared(place) -> None:
    items = ",".join(f"HAMD_{item}" for item in range(1, 18))
    ones = ",".join("1" for _ in range(17))
    place.ingest(
        place.write("items.csv", f"subject_id,assessment date,{items}\nP1,2021-03-05,{ones}\n"),
        place.write("totals.csv", "subject_id,assessment date,HAMD-21 total\nP1,2021-03-05,31\n"),
    )
    assert place.rows("select version, value, value_reported from core.score") == [("hamd_17", 17, None)]
    found = "select check_id, value_reported, sentence is not null from core.score_finding"
    assert place.rows(found) == [("total_of_another_version", 31, True)]


def test_a_wrong_total_is_found_with_the_places_of_both_numbers_and_fails_validation(place) -> None:
    from etl.validation import run_validation

    place.ingest(place.write("items.csv", ITEMS), place.write("totals.csv", TOTAL.replace(",20\n", ",23\n")))
    assert totals(place) == [("2021-03-05", "V1", "A", 20, 23, "items")]
    files = dict(place.rows("select item = 'total', any_value(file_id) from core.response group by 1"))
    ((value, reported, origin),) = place.rows("select value, value_reported, origin from core.score_finding")
    assert (value, reported) == (20, 23)
    assert origin == [f"{files[True]}:L2/C3", *(f"{files[False]}:L2/C{4 + item}" for item in range(1, 11))]
    failed = {
        each.check_id: each.numerator for each in run_validation(place.warehouse).results if each.is_finding
    }
    assert failed["score_agrees_with_report"] == 1


def test_two_answers_to_one_item_from_two_files_conflict_and_equal_ones_do_not(place) -> None:
    first = place.write("a.csv", f"subject_id,assessment date,{IRLS}\nP1,2021-03-05,{ANSWERS}\n")
    second = place.write("b.csv", "subject_id,assessment date,irls_1,irls_2\nP1,2021-03-05,4,3\n")
    place.map("site: north\nfeeds:\n  a: {files: a.csv}\n  b: {files: b.csv, delivery: snapshot}\n")
    place.ingest(second)
    place.ingest(first)
    states = "select item, value, row_state from core.response where item in ('1', '2') order by all"
    conflict = [
        ("1", 2, "conflicting"),
        ("1", 4, "conflicting"),
        ("2", 3, "current"),
        ("2", 3, "current"),
    ]
    assert place.rows(states) == conflict
    assert place.rows("select value, score_status from core.score where scale = 'total'") == [
        (None, "invalid")
    ]
    assert findings(place) == [("administration", "two_answers", "irls")]
    assert place.problems() == []
    place.write("b.csv", "subject_id,assessment date,irls_1,irls_2\nP2,2021-03-05,4,3\n")
    place.ingest(second)
    assert place.rows(states.replace("where", "where file_id in (select file_id from meta.load) and")) == [
        ("1", 2, "current"),
        ("1", 4, "current"),
        ("2", 3, "current"),
        ("2", 3, "current"),
    ]
    assert place.rows("select value from core.score where score_status = 'complete' and scale = 'total'") == [
        (20,)
    ]
    assert findings(place) == []


def test_a_total_leaves_with_its_file(place) -> None:
    place.map(
        "site: north\nfeeds:\n  items: {files: items.csv}\n  totals: {files: totals.csv, delivery: snapshot}\n"
    )
    place.ingest(place.write("items.csv", ITEMS), place.write("totals.csv", TOTAL.replace(",20\n", ",23\n")))
    assert findings(place) == [("administration", "reported_score_disagrees", "irls")]
    place.ingest(place.write("totals.csv", "subject_id,assessment date,irls_total\nP9,2021-03-05,11\n"))
    assert [row[3:] for row in totals(place)] == [(20, None, "items"), (11, 11, "reported_only")]
    assert findings(place) == []


def test_answers_counted_from_one_are_found_although_the_highest_are_held(place) -> None:
    """Sixty forms with answers of 1 to 5 for items of 0 to 4: the fives are held, and are the evidence."""
    rows = [
        f"P{form},2021-03-05," + ",".join(str(1 + (form * 7 + item * 3) % 5) for item in range(10))
        for form in range(60)
    ]
    (outcome,) = place.ingest(
        place.write("irls.csv", "\n".join([f"subject_id,assessment date,{IRLS}", *rows, ""]))
    ).files
    assert outcome.counts.held == 120
    assert ("file", "items_shifted_up", "irls") in findings(place)
    assert place.rows("select count(*) from core.held_answer") == [(0,)]
    from etl.validation import run_validation

    failed = {each.check_id for each in run_validation(place.warehouse).results if each.is_finding}
    assert "scale_files_sound" in failed
    place.ingest(place.folder / "irls.csv")  # unchanged: what was found stays
    assert ("file", "items_shifted_up", "irls") in findings(place)


def test_a_free_text_is_kept_as_present_only(place) -> None:
    words = "the neighbour's dog"
    place.ingest(
        place.write(
            "psqi.csv",
            f"subject_id,assessment date,psqi_5j,psqi_5j_text\nP1,2021-03-05,2,{words}\nP2,sometime,2,{words}\n",
        )
    )
    assert place.rows(
        "select value, value_source, absent_reason from core.response where item = '5j_text'"
    ) == [(1, None, None)]
    # The form without a readable date is held: its original says that there was a text, not which.
    with place.connection() as connection:
        key = load_keys(place.warehouse, connection).seal
    held = place.rows("select raw_sealed from quarantine.record where measure = 'psqi/5j_text'")
    originals = [unseal(key, sealed).decode() for (sealed,) in held]
    assert len(originals) == 1
    assert "[text]" in originals[0]
    assert words not in originals[0]
