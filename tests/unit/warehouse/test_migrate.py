"""A warehouse of an earlier version keeps what it holds when it is brought up to date."""

from __future__ import annotations

from importlib.resources import files

import duckdb

from warehouse.migrate import migrate

# What stood before results were divided further: one text a row for the locator and for the subject.
BEFORE = ("0001_contract.sql", "0002_lab_result.sql")
SUBJECTS = ("a" * 26, "b" * 26)


def test_results_keep_their_subjects_and_their_cells() -> None:
    connection = duckdb.connect()
    for name in BEFORE:
        connection.execute((files("warehouse") / "migrations" / name).read_text("utf-8"))
        connection.execute("create table if not exists meta.migration (name varchar, applied_at timestamp)")
        connection.execute("insert into meta.migration values (?, now()::timestamp)", [name])
    connection.execute(
        "insert into core.lab_context (context_id, site, analyte) values (1, 'north', 'vitamin_b12')"
    )
    rows = [(number, SUBJECTS[number % 2], f"L{number}/C3") for number in range(1, 5)]
    connection.executemany(
        "insert into core.lab_row (result_id, subject_id, context_id, value, row_number, locator) "
        "values (uuid(), ?, 1, ?, ?, ?)",
        [(subject, number * 10.0, number, locator) for number, subject, locator in rows],
    )
    migrate(connection)
    found = connection.execute(
        "select row_number, subject_id, locator from core.lab_result order by 1"
    ).fetchall()
    assert found == rows
    assert connection.execute("select count(*) from core.lab_subject").fetchall() == [(2,)]


def test_a_cell_is_named_by_the_form_of_its_column() -> None:
    connection = duckdb.connect()
    migrate(connection)
    connection.execute("insert into core.lab_context (context_id, cell) values (1, 'L{}/C8'), (2, null)")
    connection.execute("insert into core.lab_subject values (7, 'a')")
    connection.execute(
        "insert into core.lab_row (context_id, subject_no, row_number, locator) "
        "values (1, 7, 311, null), (1, 7, 4, 'L9/C2'), (2, 7, 5, 'msg1/OBX[2]')"
    )
    found = connection.execute("select locator from core.lab_result order by row_number").fetchall()
    assert found == [("L9/C2",), ("msg1/OBX[2]",), ("L311/C8",)]
