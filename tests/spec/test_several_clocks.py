"""Times of one column that state different offsets wait for the site's zone; what is due is worked out by hand."""

from __future__ import annotations

from datetime import datetime

import pytest

# China is eight hours ahead of UTC all year, Berlin one in winter and two in summer.
HEADER = "patient_id,collected_at,test,result,unit\n"
UTC = "P1,2021-03-04T23:30:00Z,Vitamin B12,301,pg/mL\n"
CHINA = "P2,2021-03-05T07:30:00+08:00,Vitamin B12,302,pg/mL\n"
BARE = "P3,2021-03-05 07:30,Vitamin B12,303,pg/mL\n"
DAY = "P4,2021-03-05,Vitamin B12,304,pg/mL\n"


@pytest.mark.parametrize(
    "rows", [UTC + CHINA, CHINA + BARE, BARE + UTC], ids=["two", "one, none", "none, one"]
)
def test_several_clocks_wait(place, rows: str) -> None:
    (outcome,) = place.ingest(place.write("labs.csv", HEADER + rows)).files
    assert (outcome.status, outcome.counts.read) == ("needs_declaration", 0)
    assert "'collected_at'" in outcome.error.why
    assert "timezone: " in outcome.error.fix


def test_the_zone_that_is_named_puts_them_on_one_clock(place) -> None:
    place.map("site: north\nfeeds: {labs: {files: [labs.csv], timezone: Asia/Shanghai}}\n")
    place.ingest(place.write("labs.csv", HEADER + UTC + CHINA + BARE))
    at = datetime(2021, 3, 5, 7, 30)
    assert place.rows("select value, collected_at from core.lab_result order by 1") == [
        (301.0, at),
        (302.0, at),
        (303.0, at),
    ]


@pytest.mark.parametrize("rows", [UTC + DAY, CHINA + DAY, BARE + DAY], ids=["Z", "+08:00", "none"])
def test_one_clock_does_not_wait(place, rows: str) -> None:
    (outcome,) = place.ingest(place.write("labs.csv", HEADER + rows)).files
    assert (outcome.status, outcome.counts.accepted) == ("loaded", 2)


@pytest.mark.parametrize("rows", [(UTC, CHINA), (BARE, CHINA)], ids=["two", "none, one"])
def test_the_second_clock_may_be_far_behind_the_first(place, rows: tuple[str, str]) -> None:
    (outcome,) = place.ingest(place.write("labs.csv", HEADER + rows[0] * 70_000 + rows[1])).files
    assert outcome.status == "needs_declaration"


def test_spellings_of_one_offset_are_one_clock(place) -> None:
    spellings = (
        "2021-03-05T07:30+08:00",
        "2021-03-05 07:30:00+0800",
        "20210305073000+0800",
        "2021-03-05T07:30:00.5+08",
    )
    rows = "".join(f"P{at},{text},Vitamin B12,300,pg/mL\n" for at, text in enumerate(spellings))
    (outcome,) = place.ingest(place.write("labs.csv", HEADER + rows)).files
    assert (outcome.status, outcome.counts.accepted) == ("loaded", 4)


def _berlin(*moments: str) -> str:
    return HEADER + "".join(f"P{at},{text},Vitamin B12,30{at},pg/mL\n" for at, text in enumerate(moments))


def test_summer_and_winter_of_one_place_are_one_clock(place) -> None:
    """The clock changed on 28 March and 31 October 2021; in both months both offsets are right."""
    moments = ("2021-01-15T08:30:00+01:00", "2021-07-15T08:30:00+02:00", "2021-03-01T08:30:00+01:00")
    changing = ("2021-03-29T08:30:00+02:00", "2021-10-30T08:30:00+02:00", "2021-11-01T08:30:00+01:00")
    (outcome,) = place.ingest(place.write("labs.csv", _berlin(*moments, *changing))).files
    assert (outcome.status, outcome.counts.accepted) == ("loaded", 6)
    assert place.rows("select distinct hour(collected_at) from core.lab_result") == [(8,)]
    about = "select value from meta.column_decision where about = 'offsets:collected_at'"
    assert place.rows(about) == [("summer_time",)]


@pytest.mark.parametrize(
    "moments",
    [
        ("2021-07-15T08:30:00+01:00", "2021-07-16T08:30:00+02:00"),  # London and Berlin
        ("2021-10-15T08:30:00+01:00", "2021-10-16T08:30:00+02:00"),  # no month tells
        ("2021-01-15T08:30:00+01:00", "2021-07-15T08:30:00+03:00"),  # two hours
        ("2021-01-15T08:30:00+01:00", "2021-07-15T08:30:00+02:00", "2021-07-15T08:30:00"),
    ],
    ids=["both in summer", "in October only", "two hours", "none beside"],
)
def test_an_hour_of_two_places_waits(place, moments) -> None:
    (outcome,) = place.ingest(place.write("labs.csv", _berlin(*moments))).files
    assert outcome.status == "needs_declaration"
