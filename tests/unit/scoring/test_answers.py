"""Answer texts to values. Readings of times and durations: hand calculation; ranges and codes: the published forms."""

from __future__ import annotations

import polars as pl
import pytest

from etl.scoring.answers import parse_answer, parse_responses
from etl.scoring.texts import read_clock, read_hours, read_minutes, read_number


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("23:00", 23), ("23：00", 23), ("23:00:00", 23), ("11pm", 23), ("11:30 PM", 23.5), ("11.30pm", 23.5),
        ("晚上11点", 23), ("23点30分", 23.5), ("晚11点半", 23.5), ("2300", 23), ("0030", 0.5), ("24:00", 0), ("12am", 0),
        ("12pm", 12), ("晚上12点", 0), ("中午12点", 12), ("夜里1点", 1), ("凌晨1点", 1), ("下午2点", 14), ("22.5", 22.5),
        ("22,75", 22.75), ("23.30 Uhr", 23.5), ("23h30", 23.5), ("7", 7), ("830", 8.5), ("1899-12-30 23:00:00", 23),
        ("半夜12点", 0), ("半夜1点半", 1.5), ("深夜11点", 23), ("午夜", 0), ("零点", 0), ("midnight", 0), ("Mitternacht", 0), ("noon", 12),
        ("清晨6点", 6), ("早7点", 7), ("傍晚6点", 18), ("中午1点", 13), ("晚上5点", 17), ("２３：３０", 23.5), ("7h30", 7.5), ("2400", 0),
    ],
)  # fmt: skip
def test_clock_times_become_decimal_hours(text, hours):
    assert read_clock(text) == pytest.approx(hours)


@pytest.mark.parametrize(
    "text",
    [
        "23.30",
        "22.50",
        "0.9583",
        "0.5",
        "25:00",
        "24:30",
        "23:75",
        "上午14点",
        "late",
        "",
        "2460",
        "2430",
        "半夜",
        "30",
        "22:00-23:00",
    ],
)
def test_a_time_with_two_readings_or_none_is_not_guessed(text):
    assert read_clock(text) is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("30", 30), ("30 to 60", 45), ("30-60", 45), ("30~60分钟", 45), ("30 bis 60 min", 45), ("1h", 60), ("1小时", 60),
        ("半小时", 30), ("1小时半", 90), ("1h30", 90), ("0:30", 30), ("1-2h", 90), ("1h-90min", 75), ("0.5h", 30),
    ],
)  # fmt: skip
def test_latencies_are_minutes_and_ranges_their_middle(text, minutes):
    assert read_minutes(text) == pytest.approx(minutes)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("7", 7), ("7.5", 7.5), ("7,5", 7.5), ("7h30", 7.5), ("7:30", 7.5), ("7小时30分", 7.5), ("7小时半", 7.5), ("6-7", 6.5),
     ("7-8小时", 7.5), ("450min", 7.5), ("7个半小时", 7.5), ("７．５", 7.5)],
)  # fmt: skip
def test_hours_of_sleep(text, hours):
    assert read_hours(text) == pytest.approx(hours)


@pytest.mark.parametrize("text", ["-5", "7-6", "abc", "", "½"])
def test_durations_that_make_no_sense_are_not_read(text):
    assert read_minutes(text) is None


def test_numbers():
    assert [read_number(t) for t in ("2", "2.0", "2分", "０", "1,5", "-1")] == [2, 2, 2, 0, 1.5, -1]
    assert [read_number(t) for t in ("two", "½", "1½", "1e2", "")] == [None] * 5


@pytest.mark.parametrize(
    ("instrument", "item", "text", "value"),
    [
        ("phq9", "1", "Several days", 1), ("phq9", "1", "好几天", 1), ("phq9", "1", "An einzelnen Tagen", 1),
        ("phq9", "1", "几乎每天", 3), ("gad7", "2", "Nearly every day", 3), ("gad7", "2", "Überhaupt nicht", 0),
        ("irls", "1", "3 = severe", 3), ("irls", "1", "3、重度", 3), ("irls", "1", "(2) moderate", 2), ("irls", "1", "mild (1)", 1),
        # The place of an option is not its score: what the label says counts.
        ("phq9", "1", "2 - Several days", 1), ("gds", "1", "1. yes", 0), ("gds", "1", "2. no", 1),
        ("irls", "1", "3 of 4", None), ("irls", "1", "1-2 days", None),
    ],
)  # fmt: skip
def test_labels_are_read_by_their_words_or_the_number_beside_them(instrument, item, text, value):
    version = "gds_15" if instrument == "gds" else None
    assert parse_answer(instrument, version, item, text).value == value


@pytest.mark.parametrize(("text", "value"), [("noise", 1), ("无", None), ("没有", None), ("-", None)])
def test_a_text_that_says_that_there_is_none_is_none(text, value):
    assert parse_answer("psqi", "order_a", "5j_text", text).value == value


@pytest.mark.parametrize(
    ("instrument", "version", "item", "text", "reason"),
    [
        ("irls", None, "1", "5", "item_out_of_range"),
        ("irls", None, "1", "-1", "item_out_of_range"),
        ("irls", None, "1", "1.5", "item_not_integer"),
        ("irls", None, "1", "severe", "bad_number"),
        ("irls", None, "11", "1", "item_out_of_range"),
        ("psqi", None, "6", "2", "order_undeclared"),
        ("psqi", None, "9", "2", "order_undeclared"),
        ("psqi", "order_a", "1", "23.30", "bad_number"),
        ("hamd", None, "total", "20", "version_unresolved"),
        ("hamd", None, "7", "2", "version_unresolved"),
        ("hamd", "hamd_24", "total", "77", "item_out_of_range"),
        ("hamd", "hamd_24", "16", "9", "item_out_of_range"),
        ("hamd", "hamd_24", "4", "3", "item_out_of_range"),
        ("hamd", "hamd_24_item7_max2", "7", "3", "item_out_of_range"),
        ("hamd", "hamd_17", "18", "1", "item_out_of_range"),
        ("bdi", None, "4", "1", "version_unresolved"),
        ("bdi", "bdi_ii", "1", "0.5", "item_not_integer"),
        ("bdi", "bdi_ii", "19b", "1", "item_out_of_range"),
        ("sds", None, "1", "0", "item_out_of_range"),
        ("phq9", None, "1", "9", "item_out_of_range"),
        ("nothing", None, "1", "1", "bad_code"),
        ("irls", "irls_99", "1", "1", "bad_code"),
    ],
)
def test_an_answer_that_cannot_be_used_has_its_reason(instrument, version, item, text, reason):
    assert parse_answer(instrument, version, item, text) == (None, None, reason)


@pytest.mark.parametrize(
    ("instrument", "version", "item", "text", "value"),
    [
        ("psqi", None, "5a", "2", 2),  # means the same in both orders
        ("psqi", None, "total", "7", 7),  # the order does not change a reported total
        ("psqi", "order_a", "5j_text", "noise", 1),
        ("hamd", None, "1", "2", 2),
        ("bdi", "bdi_ia", "1", "0.5", 0.5),
        ("bdi", "bdi_ii", "16", "2b", 2),
        ("gad7", None, "1", "Several days", 1),
        ("gds", "gds_15", "1", "YES", 0),  # "no" scores here
        ("gds", "gds_15", "2", "YES", 1),
        ("gds", "gds_15", "1", "1", 1),  # a number is points already
        ("irlssg_2012", None, "1", "是", 1),
    ],
)
def test_an_answer_has_the_value_of_its_form(instrument, version, item, text, value):
    assert parse_answer(instrument, version, item, text) == (value, None, None)


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "empty"), ("", "empty"), (" NA ", "empty"), ("未做", "not_done")]
)
def test_an_absent_answer_is_accepted_without_a_value(text, reason):
    assert parse_answer("irls", None, "1", text) == (None, reason, None)


def test_code_three_of_hamd_item_16_is_absent_and_elsewhere_a_score():
    assert parse_answer("hamd", "hamd_24", "16", "3") == (None, "not_done", None)
    assert parse_answer("hamd", "hamd_24", "1", "3") == (3, None, None)


def _rows(*texts: str | None) -> pl.DataFrame:
    return pl.DataFrame({"value_source": texts}, schema={"value_source": pl.String}).with_columns(
        instrument=pl.lit("irls"), version=pl.lit(None, pl.String), item=pl.lit("1")
    )


def test_rows_keep_their_order_and_other_columns():
    frame = _rows("3", None, "9", "3", "-9").with_columns(place=pl.Series([5, 4, 3, 2, 1]))
    parsed = parse_responses(frame, missing={"-9": "declared_missing"})
    assert parsed["place"].to_list() == [5, 4, 3, 2, 1]
    assert parsed["value"].to_list() == [3, None, None, 3, None]
    assert parsed["absent_reason"].to_list() == [None, "empty", None, None, "declared_missing"]
    assert parsed["reason"].to_list() == [None, None, "item_out_of_range", None, None]


def test_an_absent_reason_that_is_given_is_kept():
    frame = _rows("3", "99").with_columns(absent_reason=pl.Series(["cancelled", None], dtype=pl.String))
    parsed = parse_responses(frame)
    assert parsed.select("value", "absent_reason", "reason").rows() == [
        (None, "cancelled", None),
        (None, None, "item_out_of_range"),
    ]


def test_no_rows_give_no_rows():
    assert parse_responses(_rows()).height == 0
