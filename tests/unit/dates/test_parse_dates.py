"""Dates as hospitals print them. Expected moments are read by hand from the printed text, or made by datetime."""

from __future__ import annotations

import csv
import gzip
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.harmonize.date_text import read_date
from etl.harmonize.dates import collection_dates, parse_dates

REAL = Path(__file__).parents[4] / "shared" / "data" / "cdisc" / "pilot" / "lb_original.csv.gz"

# All of them are 5 March 2021, whatever the order of the column.
FIFTH_OF_MARCH = [
    "2021-03-05", "2021/3/5", "20210305", "2021年3月5日", "2021年03月05日", "2021.3.5", "2021.03.05", "2021 - 3 - 5",
    "05-Mar-2021", "05MAR2021", "5. März 2021", "05.Mrz.2021", "5 mars 2021", "5 marzo 2021", "5 de marzo de 2021",
    "March 5, 2021", "Mar 5 2021", "2021-Mar-05", "5th March 2021", "05-Mar-21", "令和3年3月5日", "R3.3.5", "R03/03/05",
    "２０２１－０３－０５", " 2021-03-05\t", "\ufeff2021-03-05", "2021年3月5号",
]  # fmt: skip
AT_TWELVE_PAST_EIGHT = [
    ("2021-03-05 08:12", 8, 12, 0, "minute"),
    ("2021-03-05 08:12:30", 8, 12, 30, "second"),
    ("2021-03-05T08:12:30", 8, 12, 30, "second"),
    ("2021/3/5 8:12", 8, 12, 0, "minute"),
    ("2021/3/5 8:12:30", 8, 12, 30, "second"),
    ("2021-03-05T08:12:30.000", 8, 12, 30, "second"),
    ("20210305081230", 8, 12, 30, "second"),
    ("202103050812", 8, 12, 0, "minute"),
    ("20210305T081230", 8, 12, 30, "second"),
    ("2021年3月5日 8时12分", 8, 12, 0, "minute"),
    ("2021年3月5日8时12分30秒", 8, 12, 30, "second"),
    ("2021-03-05 上午8:12", 8, 12, 0, "minute"),
    ("2021-03-05 下午 8:12", 20, 12, 0, "minute"),
    ("2021/03/05 午後8:12", 20, 12, 0, "minute"),
    ("2021-03-05 8:12 PM", 20, 12, 0, "minute"),
    ("2021-03-05 12:05 AM", 0, 5, 0, "minute"),
    ("2021-03-05 12:05 pm", 12, 5, 0, "minute"),
    ("05MAR2021:08:12:30", 8, 12, 30, "second"),
    ("Mar  5 2021  8:12AM", 8, 12, 0, "minute"),
    ("5. März 2021 08:12 Uhr", 8, 12, 0, "minute"),
]
IMPOSSIBLE = [
    "31.02.2021", "2021-02-30", "29.02.2021", "2021-13-01", "2021-00-05", "32.01.2021", "2021-03-05 25:00", "2021-03-05 08:61",
    "2021-03-05 上午13:00", "+2021-03-05", "2-Jan", "12:30", "Foo 5, 2021", "0001-01-01", "令和1年1月1日", "n.d.", "2021-03-05 noon",
    "1.5", "99/99/2021", "2021-03 08:12",
]  # fmt: skip


def parse(text: str | None, order: str | None, **options: object) -> dict[str, object]:
    frame = parse_dates(pl.Series([text], dtype=pl.String), order, **options)
    assert frame.columns == ["source", "at", "precision", "reason"]
    assert frame.schema["at"] == pl.Datetime("us")
    return frame.row(0, named=True)


@pytest.mark.parametrize("order", ["iso", "dmy", "mdy", "excel_1900", None])
@pytest.mark.parametrize("text", FIFTH_OF_MARCH)
def test_an_unambiguous_date_is_read_in_any_order(text: str, order: str | None) -> None:
    assert parse(text, order) == {
        "source": text,
        "at": datetime(2021, 3, 5),
        "precision": "day",
        "reason": None,
    }


@pytest.mark.parametrize(("text", "hour", "minute", "second", "precision"), AT_TWELVE_PAST_EIGHT)
def test_times_of_the_day(text: str, hour: int, minute: int, second: int, precision: str) -> None:
    found = parse(text, "iso")
    assert (found["at"], found["precision"]) == (datetime(2021, 3, 5, hour, minute, second), precision)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("05/03/2021", "dmy", datetime(2021, 3, 5)),
        ("05/03/2021", "mdy", datetime(2021, 5, 3)),
        ("5.3.2021", "dmy", datetime(2021, 3, 5)),
        ("5. 3. 2021", "dmy", datetime(2021, 3, 5)),
        ("05-03-2021 08:12", "mdy", datetime(2021, 5, 3, 8, 12)),
        ("3/5/2021 8:12:30 PM", "mdy", datetime(2021, 3, 5, 20, 12, 30)),
        ("05031951", "dmy", datetime(1951, 3, 5)),  # TTMMJJJJ of the German LDT
        ("05.03.21", "dmy", datetime(2021, 3, 5)),
        ("05.03.99", "dmy", datetime(1999, 3, 5)),
    ],
)
def test_day_and_month_follow_the_decision(text: str, order: str, expected: datetime) -> None:
    assert parse(text, order)["at"] == expected
    assert parse(text, "iso")["reason"] == "bad_date"
    assert parse(text, None)["reason"] == "bad_date"


def test_a_two_digit_year_is_not_after_the_last_possible_day() -> None:
    within = (date(1900, 1, 1), date(2022, 6, 30))
    assert parse("05.03.51", "dmy", within=within)["at"] == datetime(1951, 3, 5)
    assert parse("05.03.22", "dmy", within=within)["at"] == datetime(2022, 3, 5)
    assert parse("05.03.23", "dmy", within=within)["at"] == datetime(1923, 3, 5)


@pytest.mark.parametrize("text", IMPOSSIBLE)
@pytest.mark.parametrize("order", ["iso", "dmy"])
def test_an_impossible_date_is_held(text: str, order: str) -> None:
    assert parse(text, order) == {"source": text, "at": None, "precision": None, "reason": "bad_date"}


def test_the_order_is_kept_even_where_the_other_would_be_possible() -> None:
    assert parse("03/31/2021", "dmy")["reason"] == "bad_date"
    assert parse("31/03/2021", "mdy")["reason"] == "bad_date"


@pytest.mark.parametrize("text", [None, "", "  ", "\t"])
def test_nothing_is_not_a_bad_date(text: str | None) -> None:
    assert parse(text, "dmy") == {"source": text, "at": None, "precision": None, "reason": None}


@pytest.mark.parametrize(
    ("text", "order", "at", "precision"),
    [
        ("2021", "iso", datetime(2021, 1, 1), "year"),
        ("2021-03", "iso", datetime(2021, 3, 1), "month"),
        ("2021/3", "iso", datetime(2021, 3, 1), "month"),
        ("2021年3月", "iso", datetime(2021, 3, 1), "month"),
        ("March 2021", "iso", datetime(2021, 3, 1), "month"),
        ("1951-00-00", "iso", datetime(1951, 1, 1), "year"),
        ("00.03.1951", "dmy", datetime(1951, 3, 1), "month"),
        ("00.00.1951", "dmy", datetime(1951, 1, 1), "year"),
        ("2021-03-05T08", "iso", datetime(2021, 3, 5), "day"),
    ],
)
def test_a_partial_date_keeps_its_precision(text: str, order: str, at: datetime, precision: str) -> None:
    found = parse(text, order)
    assert (found["at"], found["precision"], found["reason"]) == (at, precision, None)


@pytest.mark.parametrize(
    ("text", "order", "expected", "precision"),
    [
        ("44260", "excel_1900", datetime(2021, 3, 5), "day"),  # both serials are published pairs
        ("42798", "excel_1904", datetime(2021, 3, 5), "day"),
        ("44260.0", "excel_1900", datetime(2021, 3, 5), "day"),
        ("44260.25", "excel_1900", datetime(2021, 3, 5, 6), "minute"),
        ("44260,5", "excel_1900", datetime(2021, 3, 5, 12), "minute"),
        ("44260.3416666667", "excel_1900", datetime(2021, 3, 5, 8, 12), "minute"),
        ("1", "excel_1900", datetime(1900, 1, 1), "day"),
        ("59", "excel_1900", datetime(1900, 2, 28), "day"),
        ("61", "excel_1900", datetime(1900, 3, 1), "day"),
        ("2021", "excel_1900", datetime(2021, 1, 1), "year"),
    ],
)
def test_spreadsheet_serials(text: str, order: str, expected: datetime, precision: str) -> None:
    found = parse(text, order)
    assert (found["at"], found["precision"], found["reason"]) == (expected, precision, None)


@pytest.mark.parametrize("text", ["60", "60.5", "0", "2958466", "44260x"])
def test_a_serial_without_a_day_is_held(text: str) -> None:
    assert parse(text, "excel_1900")["reason"] == "bad_date"


@pytest.mark.parametrize("order", ["iso", "dmy", "mdy"])
def test_a_number_is_no_serial_unless_the_column_holds_serials(order: str) -> None:
    assert parse("44260", order)["reason"] == "bad_date"


def test_a_stated_offset_is_converted_to_the_zone_or_dropped() -> None:
    texts = [
        "2021-03-05T00:12:00Z",
        "2021-03-05T08:12:00+08:00",
        "20210305001200+0000",
        "2021-03-05T01:12:00.000+0100",
    ]
    for text in texts:
        assert parse(text, "iso", tz="Asia/Shanghai")["at"] == datetime(2021, 3, 5, 8, 12)
    assert [parse(text, "iso")["at"] for text in texts] == [
        datetime(2021, 3, 5, hour, 12) for hour in (0, 8, 0, 1)
    ]
    assert parse("2021-07-05T06:12:00Z", "iso", tz="Europe/Berlin")["at"] == datetime(
        2021, 7, 5, 8, 12
    )  # summer time


def test_the_end_of_a_day_is_the_start_of_the_next() -> None:
    assert parse("2021-03-05 24:00", "iso")["at"] == datetime(2021, 3, 6)
    assert parse("2021-03-05 24:01", "iso")["reason"] == "bad_date"


def test_a_date_outside_the_possible_days_is_held() -> None:
    within = collection_dates(date(2024, 5, 1))
    assert parse("9999-12-31", "iso", within=within)["reason"] == "bad_date"
    assert parse("1899-12-31", "iso", within=within)["reason"] == "bad_date"
    assert parse("2026-01-01", "iso", within=within)["reason"] == "bad_date"
    assert parse("1900-01-01", "iso", within=within)["reason"] is None
    assert parse("9999-12-31", "iso")["at"] == datetime(9999, 12, 31)


def test_a_column_of_midnights_holds_days() -> None:
    assert parse("2021-03-05 00:00:00", "iso", clock=False)["precision"] == "day"
    assert parse("2021-03", "iso", clock=False)["precision"] == "month"
    assert parse("2021-03-05 00:00:00", "iso")["precision"] == "second"


def test_rows_keep_their_places() -> None:
    texts = pl.Series(["2021-03-05", "x", None, "5. März 2021", "2021-03-05", "令和3年3月5日", ""])
    frame = parse_dates(texts, "iso")
    assert frame["source"].to_list() == texts.to_list()
    assert frame["at"].is_not_null().to_list() == [True, False, False, True, True, True, False]
    assert frame["reason"].to_list() == [None, "bad_date", None, None, None, None, None]


@pytest.mark.parametrize(
    "text", ["2021030508120", "202103050812000", "2021305", "11121123", "2021-03-05T08:12:00+0", "210305"]
)
def test_digits_left_out_are_not_guessed(text: str) -> None:
    usual = ["20210305081200", "202103050812", "20210305", "2021-03-05T08:12:00+0100"]
    frame = parse_dates(pl.Series([*usual, text]), "iso")
    assert frame["reason"].to_list() == [None] * 4 + ["bad_date"]


def test_an_empty_column() -> None:
    assert parse_dates(pl.Series([], dtype=pl.String), "dmy").height == 0


FORMATS = {
    "%Y-%m-%d %H:%M:%S": "iso",
    "%Y-%m-%dT%H:%M:%S": "iso",
    "%Y/%-m/%-d %-H:%M:%S": "iso",
    "%d.%m.%Y %H:%M:%S": "dmy",
    "%-d/%-m/%Y %H:%M:%S": "dmy",
    "%m/%d/%Y %H:%M:%S": "mdy",
    "%Y%m%d%H%M%S": "iso",
    "%d-%b-%Y %H:%M:%S": "iso",
    "%d%b%Y:%H:%M:%S": "iso",
    "%Y年%-m月%-d日 %H:%M:%S": "iso",
}
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0))


@settings(max_examples=60, deadline=None)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=8), form=st.sampled_from(sorted(FORMATS)))
def test_what_datetime_prints_is_read_back_fast_and_slow(moments: list[datetime], form: str) -> None:
    texts = [at.strftime(form) for at in moments]
    order = FORMATS[form]
    assert parse_dates(pl.Series(texts), order)["at"].to_list() == moments
    slow = [read_date(text, order, None, 2068) for text in texts]
    assert [found.at for found in slow if found] == moments


@settings(max_examples=40, deadline=None)
@given(
    moments=st.lists(MOMENTS, min_size=1, max_size=5),
    zone=st.sampled_from(["Asia/Tokyo", "America/New_York", "UTC"]),
)
def test_offsets_agree_with_zoneinfo(moments: list[datetime], zone: str) -> None:
    aware = [at.replace(tzinfo=ZoneInfo(zone)) for at in moments]
    texts = [at.strftime("%Y-%m-%dT%H:%M:%S%z") for at in aware]
    local = [at.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) for at in aware]
    if all(len(text) == 24 for text in texts):  # old offsets with seconds are no ISO 8601
        assert parse_dates(pl.Series(texts), "iso", tz="Europe/Berlin")["at"].to_list() == local


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(alphabet="0123456789-/.: TZ年月日時分MarAPM上午R", max_size=20),
    order=st.sampled_from(["iso", "dmy", "excel_1900"]),
)
def test_any_text_is_a_date_or_held(text: str, order: str) -> None:
    found = parse(text, order)
    if order != "excel_1900":  # the quick way and the slow one agree
        slow = read_date(text, order, None, 2068)
        assert found["at"] == (slow.at if slow else None)
    assert (found["at"] is None) == (found["precision"] is None)
    assert (found["reason"] == "bad_date") == (found["at"] is None and bool(text.strip()))


@pytest.mark.skipif(not REAL.exists(), reason="the real data are not here")
def test_a_trial_s_collection_times() -> None:
    with gzip.open(REAL, "rt", newline="") as lines:
        texts = [row["LBDTC"] for row in csv.DictReader(lines)]
    frame = parse_dates(pl.Series(texts), "iso")
    assert frame["at"].to_list() == [datetime.fromisoformat(text) if text else None for text in texts]
    assert frame["reason"].null_count() == len(texts)


@settings(max_examples=150, deadline=None)
@given(
    cells=st.lists(
        st.one_of(
            st.sampled_from(
                [
                    None,
                    "",
                    " ",
                    "2021",
                    "2021-03",
                    "03/2021",
                    "nothing",
                    "+2021-03-05",
                    "12345-01-01",
                    "0099-01-01",
                ]
            ),
            st.builds(
                datetime.strftime,
                MOMENTS,
                st.sampled_from([*sorted(FORMATS), "%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", " %Y/%m/%d "]),
            ),
        ),
        max_size=14,
    ),
    order=st.sampled_from(["iso", "dmy", "mdy", None]),
    within=st.sampled_from([None, (date(1950, 1, 1), date(2068, 12, 31))]),
)
def test_a_column_of_several_formats_is_read_as_each_of_its_cells(
    cells: list[str | None], order: str | None, within: tuple[date, date] | None
) -> None:
    found = parse_dates(pl.Series(cells, dtype=pl.String), order, within=within)
    assert found["source"].to_list() == cells
    for cell, at, precision, reason in found.iter_rows():
        read = read_date(cell, order, None, 2068) if cell and cell.strip() else None
        if read and within and not within[0] <= read.at.date() <= within[1]:
            read = None
        assert (at, precision) == ((read.at, read.precision) if read else (None, None)), cell
        assert reason == ("bad_date" if cell and cell.strip() and not read else None)
