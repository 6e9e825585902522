"""A file whose items are coded otherwise than the scale assumes stops an analysis; single wrong totals do not."""

from __future__ import annotations

import pytest

HEADER = ",".join(["subject_id", "assessment date", *(f"irls_{item}" for item in range(1, 11))])
FORMS = 10


def answers(form: int) -> list[int]:
    """A 3 and as many 2s as the form's number: the sums 3, 5 to 21, all odd; turning would keep a 20."""
    return [3, *(2 if item <= form else 0 for item in range(1, 10))]


def files(place, code, totals, *, forms: int = FORMS) -> list:
    """Items as `code` writes an answer, and the totals that `totals` makes of each form's number and sum."""
    items = [[f"P{form}", "2021-03-05", *map(code, answers(form))] for form in range(forms)]
    stated = [[f"P{form}", "2021-03-05", totals(form, sum(answers(form)))] for form in range(forms)]
    tables = {"items.csv": (HEADER, items), "totals.csv": ("subject_id,assessment date,irls_total", stated)}
    return [
        place.write(name, "\n".join([header, *(",".join(map(str, row)) for row in rows), ""]))
        for name, (header, rows) in tables.items()
    ]


def found(place) -> list[tuple[str, int | None, int | None]]:
    from etl.validation import run_validation

    results = run_validation(place.warehouse).results
    return [
        (each.status, each.numerator, each.denominator)
        for each in results
        if each.check_id == "file_scores_agree_with_report"
    ]


@pytest.mark.parametrize(
    "code", [lambda answer: 4 - answer, lambda answer: answer + 1], ids=["turned", "from one"]
)
def test_items_coded_otherwise_stop_the_analysis(place, code) -> None:
    for report in place.ingest(*files(place, code, lambda form, total: total)).files:
        assert report.counts.held == 0  # every answer lies within its range
    assert found(place) == [("failed", FORMS, FORMS)]


def test_totals_added_up_wrongly_do_not(place) -> None:
    place.ingest(*files(place, int, lambda form, total: total + (form < FORMS // 2)))
    assert found(place) == [("passed", FORMS // 2, FORMS)]


def test_few_forms_say_nothing(place) -> None:
    place.ingest(*files(place, lambda answer: 4 - answer, lambda form, total: total, forms=FORMS - 1))
    assert found(place) == [("not_applicable", 0, 0)]


def test_scores_filled_in_for_a_missing_item_are_not_compared(place) -> None:
    """PHQ-9 without its ninth question is 9 where eight answers are 1; the site adds up 8."""
    header = ",".join(
        ["subject_id", "assessment date", *(f"phq9_{item}" for item in range(1, 9)), "phq9_total"]
    )
    rows = [f"P{form},2021-03-05,{','.join(['1'] * 8)},8" for form in range(FORMS)]
    place.ingest(place.write("phq.csv", "\n".join([header, *rows, ""])))
    assert place.rows("select distinct value, value_reported, score_status from core.score") == [
        (9, 8, "prorated")
    ]
    assert found(place) == [("not_applicable", 0, 0)]
