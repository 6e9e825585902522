"""What may not leave the adapter, and what one check may not do to another."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from datetime import datetime

import duckdb
import pytest

from expectations import Parameters, Suite, run_suites
from expectations.suite import Check

SECRET = "Müller"
TEMPLATE = Check(
    id="template",
    suite="test",
    category="conformance",
    subcategory="value",
    context="verification",
    severity="fatal",
    threshold=0.0,
    sentence="a sentence",
    reason="a reason",
    advice="an advice",
    rows="select * from person",
)


@pytest.fixture
def person():
    with duckdb.connect() as connection:
        connection.execute(
            f"create table person as select '{SECRET}' as name, i, i % 2 as site from range(10) as r (i)"
        )
        yield connection


def run(connection, *checks):
    suites = [Suite("test", "conformance", checks)]
    return run_suites(connection, suites, Parameters(), run_id="run1", checked_at=datetime(2024, 3, 2))


def check(name, **changes):
    return replace(TEMPLATE, id=name, **changes)


def test_no_cell_value_leaves(person, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    checks = (
        check("cast", unexpected="cast(name as integer) > 0"),
        check(
            "set",
            expectation="expect_column_values_to_be_in_set",
            kwargs={"column": "name", "value_set": ["x"]},
        ),
        check("unique", expectation="expect_column_values_to_be_unique", kwargs={"column": "name"}),
        check("rows", rows="select cast(name as date) as day from person", unexpected="day is null"),
    )
    results = run(person, *checks)
    printed = capfd.readouterr()
    assert [result.status for result in results] == ["error", "failed", "failed", "error"]
    assert SECRET not in f"{results}{caplog.text}{printed.out}{printed.err}"


def test_a_check_that_cannot_run_is_an_error_and_leaves_the_others_alone(person):
    broken = [check(f"broken_{n}", unexpected=f"cast(name as integer) > {n}") for n in range(3)]
    sound = [check(f"sound_{n}", unexpected=f"i > {n}") for n in range(3)]
    unknown = check("unknown", expectation="expect_no_such_thing", rows="select i from person")
    results = run(person, *(each for pair in zip(broken, sound, strict=True) for each in pair), unknown)
    assert [result.status for result in results] == ["error", "failed"] * 3 + ["error"]
    error = results[0]
    assert (error.numerator, error.denominator, error.percentage, error.threshold) == (None, None, None, 0.0)
    assert "could not run" in error.reason


def test_counts_by_scope_and_nulls(person):
    person.execute("insert into person values (null, null, null)")
    by_site = run(person, check("scoped", unexpected="i >= 4", scope=("site",)))
    # 0-9 by parity: three of five even numbers and three of five odd ones are at least 4; an unknown is not unexpected.
    assert [(r.scope, r.numerator, r.denominator) for r in by_site] == [
        ("site=0", 3, 5),
        ("site=1", 3, 5),
        ("site=None", 0, 1),
    ]
    (in_set,) = run(
        person,
        check(
            "set",
            expectation="expect_column_values_to_be_in_set",
            kwargs={"column": "i", "value_set": [0, 1, 2]},
        ),
    )
    assert (in_set.numerator, in_set.denominator) == (7, 10)  # the null is not looked at


def test_a_share_of_exactly_the_threshold_passes(person):
    third = check("third", unexpected="i < 1", rows="select i from person where i < 3", threshold=100 / 3)
    tenth = check("tenth", unexpected="i < 1", threshold=10.0)
    over = check("over", unexpected="i < 2", threshold=19.999)
    assert [result.status for result in run(person, third, tenth, over)] == ["passed", "passed", "failed"]


def test_nothing_is_written_and_nobody_is_called(person, monkeypatch):
    touched = []

    def watch(event, arguments):
        if not watching:
            return
        is_write = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if is_write or event in {"os.mkdir", "os.rename"} or event.startswith("socket."):
            touched.append((event, arguments))

    watching = False
    sys.addaudithook(watch)
    run(person, check("first", unexpected="i < 0"))  # imports happen here
    watching = True
    run(person, check("second", unexpected="i < 0"))
    watching = False
    assert touched == []


def test_a_read_only_warehouse_can_be_checked(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table person as select 1 as i")
    with duckdb.connect(path, read_only=True) as connection:
        (result,) = run(connection, check("reads", unexpected="i < 0"))
    assert result.status == "passed"


def test_a_checked_warehouse_is_free_again(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table person as select 1 as i")
        run(connection, check("reads", unexpected="i < 0"))
    another_process = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('drop table person')"
    subprocess.run([sys.executable, "-c", another_process, str(path)], check=True, timeout=60)
