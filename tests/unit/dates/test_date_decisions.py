"""The order of day and month is a matter of the whole column. Expected decisions are worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.harmonize.dates import date_evidence, decide_dates, has_clock, join_date_time, merge_evidence

DECISIONS = [
    (["2021-03-05", "2021/3/5 8:12"], "iso", "content"),
    (["2021年3月5日", "05-Mar-2021", "R3.3.5", "20210305"], "iso", "content"),
    (["13/03/2021", "05/03/2021"], "dmy", "witness"),
    (["03/13/2021", "05/03/2021"], "mdy", "witness"),
    (["05/03/2021", "06/03/2021"], None, "witness"),
    (["05.03.2021"], None, "witness"),
    (["13/03/2021", "03/13/2021"], None, "witness"),
    (["05/05/2021", "6/6/2021"], "dmy", "witness"),
    (["31/31/2021", "05/03/2021"], None, "witness"),
    (["2021-03-05", "13/03/2021"], "dmy", "witness"),
    (["44260", "44261.5"], "excel_1900", "content"),
    (["44260", "2021-03-05"], "excel_1900", "content"),
    (["44260", "13/03/2021"], None, "witness"),  # a spreadsheet has swapped the dates that it could
    (["05031951", "24121960"], "dmy", "witness"),
    ([None, ""], "iso", "default"),
    ([], "iso", "default"),
    (["n.d."], "iso", "content"),
]


@pytest.mark.parametrize(("texts", "value", "basis"), DECISIONS)
def test_the_column_decides(texts: list[str | None], value: str | None, basis: str) -> None:
    decision = decide_dates("dates:collected_at", date_evidence(pl.Series(texts, dtype=pl.String)), None)
    assert (decision.about, decision.value, decision.basis) == ("dates:collected_at", value, basis)


@pytest.mark.parametrize("declared", ["iso", "dmy", "mdy", "excel_1900", "excel_1904"])
def test_a_declaration_decides_what_has_no_witness(declared: str) -> None:
    evidence = date_evidence(pl.Series(["05/03/2021"] * 10))
    decision = decide_dates("dates:collected_at", evidence, declared)
    assert (decision.value, decision.basis) == (declared, "declared")


def test_a_declaration_outweighs_slips_but_not_the_column() -> None:
    slips = date_evidence(pl.Series(["05/03/2021"] * 10 + ["03/13/2021"] * 2))
    assert decide_dates("d", slips, "dmy").value == "dmy"
    against = date_evidence(pl.Series(["05/03/2021"] * 10 + ["03/13/2021"] * 3))
    assert decide_dates("d", against, "dmy").value is None
    mixed = date_evidence(pl.Series(["13/03/2021"] * 3 + ["03/13/2021"] * 3))
    assert decide_dates("d", mixed, "dmy").value == "dmy"


def test_an_unknown_order_is_a_bug() -> None:
    with pytest.raises(ValueError, match="ymd"):
        decide_dates("d", {}, "ymd")


def test_evidence_is_counted_by_hand() -> None:
    texts = [
        "13/03/2021",
        "03/13/2021",
        "5/3/2021",
        "5/5/2021",
        "05.03.21",
        "2021-03-05 08:12",
        "15. September 2021",
        "?",
        None,
    ]
    assert date_evidence(pl.Series(texts)) == {
        "clock": 1,
        "either_order": 2,
        "first_over_12": 1,
        "month_name": 1,
        "same_parts": 1,
        "second_over_12": 1,
        "two_digit_year": 1,
        "unreadable": 1,
        "year_first": 1,
        "year_last": 5,
    }


def test_evidence_holds_no_cell() -> None:
    texts = ["Erika Mustermann", "13.03.1951", "110105194912310021"]
    assert not any(text in str(date_evidence(pl.Series(texts))) for text in ("Erika", "1951", "1949"))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2021-03-05 00:00:00", "2021-03-06 00:00:00"], False),
        (["2021-03-05 00:00:00", "2021-03-06 08:12:00"], True),
        (["2021/3/5 0:00"], False),
        (["2021/3/5 0:00", "2021-03-05"], False),
        (["20210305081200"], True),
    ],
)
def test_a_column_of_midnights_has_no_clock(texts: list[str], expected: bool) -> None:
    assert has_clock(date_evidence(pl.Series(texts))) is expected


TEXTS = st.sampled_from(
    [text for texts, _, _ in DECISIONS for text in texts] + ["5. September 2021 08:12", "x"]
)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXTS, max_size=12), cut=st.integers(0, 12))
def test_counts_of_parts_add_up_to_the_whole(texts: list[str | None], cut: int) -> None:
    whole = date_evidence(pl.Series(texts, dtype=pl.String))
    parts = [date_evidence(pl.Series(part, dtype=pl.String)) for part in (texts[:cut], texts[cut:])]
    assert merge_evidence(*parts) == whole


def test_date_and_time_are_joined() -> None:
    dates = pl.Series(["2021-03-05", "2021-03-05 00:00:00", "05.03.2021", None, "2021-03-05", "2021/3/5"])
    times = pl.Series(["08:12", "08:12:30", "8:12", "08:12", None, "2021/3/5 8:12"])
    joined = join_date_time(dates, times).to_list()
    assert joined == [
        "2021-03-05 08:12",
        "2021-03-05 08:12:30",
        "05.03.2021 8:12",
        None,
        "2021-03-05",
        "2021/3/5 8:12",
    ]
