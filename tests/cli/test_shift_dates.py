"""A copy with shifted dates: intervals and ages stay, dates and originals go. Days are counted from the dates written here."""

from __future__ import annotations

from datetime import date, datetime
from importlib.resources import files

import duckdb
import pytest

from etl.publish import publish
from schemas.errors import UsageError
from warehouse.published import published_path, shifted_path

LABS = """
    patient_id,birth date,test,result,unit,collected,reported
    P1,1980-05-20,Vitamin B12,310,pg/mL,2021-03-05 08:12,2021-03-05 14:40
    P1,1980-05-20,Vitamin B12,290,pg/mL,2021-06-01 09:00,2021-06-02 10:00
    P1,1980-05-20,Ferritin,20,ng/mL,2019,
    P2,1950-01-02,Vitamin B12,280,pg/mL,2021-03-05 08:12,2021-03-05 14:40
    P2,1950-01-02,Vitamin B12,x7731x,pg/mL,2021-03-05 08:12,
    P3,1961-07-11,Vitamin B12,270,pg/mL,2021-03-05 08:12,2021-03-05 14:40
"""
SCALES = (
    "patient_id,assessment date,"
    + ",".join(f"irls_{item}" for item in range(1, 11))
    + "\nP1,2021-03-06,2,3,2,1,2,2,3,2,1,2\n"
)
DIAGNOSES = "patient_id,diagnosis,icd10,start date\nP1,restless legs syndrome since 2015,G25.81,2015-04-17\n"
ROWS = """
    select analyte, value, collected_precision, collected_at, resulted_at, subject_id
    from core.lab_result order by value
"""


@pytest.fixture
def shifted(place):
    place.map(
        'site: north\nfeeds:\n  diagnoses: {files: ["diagnoses.csv"]}\n  labs: {files: ["labs.csv"]}\n  scales: {files: ["scales.csv"]}\n'
    )
    for name, text in (("labs.csv", LABS), ("scales.csv", SCALES), ("diagnoses.csv", DIAGNOSES)):
        assert place.ingest(place.write(name, text)).exit_code() == 0
    place.before = place.digest()
    publish(place.warehouse, is_shifted=True)
    return place


def rows(place, query: str, path=None) -> list[tuple]:
    with duckdb.connect(path or shifted_path(place.warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_all_times_of_a_subject_move_by_one_number_of_days(shifted) -> None:
    def moved(query: str) -> set[int]:
        """Return the days between the warehouse and the copy; a fraction would show as another day."""
        then, now = shifted.rows(query), rows(shifted, query)
        days = [
            (a - b)
            for before, after in zip(then, now, strict=True)
            for a, b in zip(before, after, strict=True)
            if a
        ]
        assert all(day.seconds == 0 for day in days)
        return {day.days for day in days}

    day = "where collected_precision <> 'year' order by subject_id, value"
    offsets = moved(f"select collected_at, resulted_at from core.lab_result {day}")
    assert len(offsets) == 3  # one a subject
    assert all(1 <= each <= 365 for each in offsets)
    ((p1,),) = shifted.rows("select distinct subject_id from core.administration")
    of_p1 = moved(
        f"select collected_at, resulted_at from core.lab_result where subject_id = '{p1}' and collected_precision <> 'year'"
    )
    assert len(of_p1) == 1
    for query in (
        "select administered_at from core.administration",
        "select administered_at from core.administration_claim",
        "select started_at from core.condition",
        f"select value::timestamp from core.subject_attribute where attribute = 'birth_date' and subject_id = '{p1}'",
    ):
        assert moved(query) == of_p1
    mart = f"select index_date::timestamp from mart.subject_baseline where subject_id = '{p1}'"
    assert moved(mart) == of_p1
    again = rows(shifted, ROWS)
    publish(shifted.warehouse, is_shifted=True)
    assert rows(shifted, ROWS) == again


def test_a_year_stays_a_year(shifted) -> None:
    """2019 is kept as its first day, which would show the offset."""
    (year,) = [row for row in rows(shifted, ROWS) if row[2] == "year"]
    assert year[3] in {datetime(2018, 1, 1), datetime(2019, 1, 1)}


def test_ages_and_values_are_the_same(shifted) -> None:
    query = "select subject_id, age, b12, irls from mart.subject_baseline order by subject_id"
    assert rows(shifted, query) == shifted.rows(query)
    assert [row[1] for row in rows(shifted, query)].count(None) == 0


def test_neither_dates_nor_originals_are_in_the_copy_and_all_are_in_the_warehouse(shifted) -> None:
    tables = rows(
        shifted, "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'meta'"
    )
    said = "".join(str(rows(shifted, f"from {table}")) for (table,) in tables)
    assert said
    for day in (date(2021, 3, 5), date(2021, 6, 1), date(1980, 5, 20), date(1950, 1, 2)):
        assert repr(datetime(day.year, day.month, day.day))[:-1].removesuffix(", 0, 0") not in said
        assert day.isoformat() not in said
    assert "since 2015" not in said
    for table, column in (("quarantine.record", "raw_sealed"), ("meta.source_file", "name_sealed")):
        assert rows(shifted, f"select count(*) from {table} where {column} is not null") == [(0,)]
        assert shifted.rows(f"select count(*) > 0 from {table} where {column} is not null") == [(True,)]
    assert shifted.digest() == shifted.before
    assert {path.name for path in shifted.folder.glob("w.duckdb.*")} == {
        "w.duckdb.key", "w.duckdb.ledger.jsonl", "w.duckdb.shifted",
    }  # fmt: skip
    assert not published_path(shifted.warehouse).exists()


def test_a_period_of_the_calendar_is_refused(shifted) -> None:
    protocol = (files("schemas") / "study" / "study.yaml").read_text("utf-8")
    own = shifted.write("own.yaml", protocol.replace("first_date: null", "first_date: 2021-01-01", 1))
    with pytest.raises(UsageError, match=r"index_draw.first_date"):
        publish(shifted.warehouse, own, is_shifted=True)
