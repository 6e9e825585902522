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
MIDNIGHT = "P5,2021-03-05T00:00:00Z,Vitamin B12,305,pg/mL\n"
COMPACT = "P6,20210305073000+0900,Vitamin B12,306,pg/mL\n"


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


SCALE = "patient_id,assessment date,IRLS total\n"
FILLED_IN_UTC = "P1,2021-03-04T23:30:00Z,20\n"


def clocks(place) -> tuple[str, int | None]:
    """Return what the check of clocks says of the site, and of how many files and clocks."""
    from etl.validation import run_validation

    (found,) = [
        each for each in run_validation(place.warehouse).results if each.check_id == "one_clock_per_site"
    ]
    return found.status, found.numerator


@pytest.mark.parametrize(
    ("labs", "more", "expected"),
    [
        (CHINA, HEADER + UTC, ("failed", 2)),
        (CHINA, HEADER + BARE, ("failed", 2)),
        (CHINA, SCALE + FILLED_IN_UTC, ("failed", 2)),
        (CHINA, HEADER + COMPACT, ("failed", 2)),
        (CHINA, HEADER + DAY, ("passed", 0)),
        (CHINA, HEADER + MIDNIGHT, ("passed", 0)),
        (CHINA, HEADER + CHINA.replace("302", "305"), ("passed", 0)),
        (BARE, HEADER + BARE.replace("303", "305"), ("passed", 0)),
        (DAY, HEADER + DAY.replace("304", "305"), ("not_applicable", 0)),
    ],
    ids=["two", "one, none", "two feeds", "compact", "one and days", "and midnights", "one", "none", "days"],
)
def test_files_of_several_clocks_are_found(place, labs: str, more: str, expected) -> None:
    report = place.ingest(place.write("labs.csv", HEADER + labs), place.write("more.csv", more))
    assert {each.status for each in report.files} == {"loaded"}
    assert clocks(place) == expected


@pytest.mark.parametrize(
    ("winter", "summer", "expected"),
    [
        ("2021-01-15T08:30:00+01:00", "2021-07-15T08:30:00+02:00", ("passed", 0)),
        ("2021-07-16T08:30:00+01:00", "2021-07-15T08:30:00+02:00", ("failed", 2)),  # London and Berlin
        ("2021-01-15T08:30:00+01:00", "2021-07-15T08:30:00+03:00", ("failed", 2)),
    ],
    ids=["of one place", "both in summer", "two hours"],
)
def test_files_of_summer_and_winter_are_judged_as_columns_are(place, winter, summer, expected) -> None:
    place.ingest(place.write("labs.csv", _berlin(winter)), place.write("more.csv", _berlin(summer)))
    assert clocks(place) == expected


def test_columns_of_several_clocks_stop_an_analysis(place) -> None:
    columns = "patient_id,collected_at,resulted_at,test,result,unit\n"
    row = "P1,2021-03-04T23:30:00Z,2021-03-05T09:30:00+08:00,Vitamin B12,301,pg/mL\n"
    place.ingest(place.write("labs.csv", columns + row))
    assert clocks(place) == ("failed", 2)


def test_a_named_zone_and_a_refresh_settle_it(place) -> None:
    files = place.write("labs.csv", HEADER + CHINA), place.write("more.csv", HEADER + UTC)
    place.ingest(*files)
    assert clocks(place) == ("failed", 2)
    place.map("site: north\ntimezone: Asia/Shanghai\nfeeds: {labs: {files: [labs.csv, more.csv]}}\n")
    place.ingest(*files)
    assert clocks(place) == ("not_applicable", 0)
    assert place.rows("select distinct collected_at from core.lab_result") == [(datetime(2021, 3, 5, 7, 30),)]
