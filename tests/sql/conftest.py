"""Given rows, expected rows: one text file a view or query, in the folder `cases`.

    case: what the case shows (and where its expectation comes from)
    study pairing.window_days = 30
    parameter profile = ferritin_15
    given subject
    subject_id | sex    | birth_date
    a          | female | 1970-01-01
    expect
    subject_id | age
    a          | 51

`-` is null. `given subject` writes one core.subject_attribute row a cell; other tables are named in full. Columns that
a case leaves out take the defaults below; `where` picks rows of the target. `expect nothing` is a view without rows. Columns that a case does not name
are not compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from ruamel.yaml import YAML

from schemas.study import Study, load_study
from warehouse.catalogue import find_query, install_views, mark_fresh, run_query, views
from warehouse.protocol import store_study

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"

DEFAULTS = {
    "core.lab_result": {
        "site": "'north'", "feed": "'labs'", "analyte": "'vitamin_b12'", "row_state": "'current'",
        "collected_precision": "'minute'", "unit": "'pg/mL'", "unit_source": "'pg/mL'", "unit_basis": "'stated'",
    },
    "core.administration": {"site": "'north'", "feed": "'scales'"},
    "core.response": {"site": "'north'", "feed": "'scales'", "row_state": "'current'"},
    "core.score": {"scale": "'total'", "basis": "'items'", "score_status": "'complete'"},
    "core.subject_attribute": {"site": "'north'", "feed": "'subjects'", "row_state": "'current'"},
    "core.condition": {"site": "'north'", "feed": "'diagnoses'", "row_state": "'current'", "status": "'present'"},
    "core.medication": {"site": "'north'", "feed": "'drugs'", "row_state": "'current'", "status": "'present'"},
}  # fmt: skip


@dataclass
class Case:
    """One given/expect pair."""

    target: str
    says: str
    study: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    where: str = "true"
    given: list[tuple[str, list[str], list[list[str | None]]]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    expect: list[list[str | None]] = field(default_factory=list)


@cache
def default_study() -> Study:
    return load_study()


def read_cases() -> list[Case]:
    return [case for path in sorted(CASES.glob("*.txt")) for case in _parse(path)]


def _parse(path: Path) -> list[Case]:
    cases: list[Case] = []
    columns: list[str] | None = None
    rows: list[list[str | None]] = []
    for line in path.read_text("utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if word == "case:":
            cases.append(Case(path.stem, rest))
        elif word in {"study", "parameter"} and " = " in rest:
            name, _, value = rest.partition(" = ")
            (cases[-1].study if word == "study" else cases[-1].parameters)[name] = value
        elif word == "where":
            cases[-1].where = rest
        elif word == "given" and "|" not in line:
            columns, rows = None, []
            cases[-1].given.append((rest, [], rows))
        elif word == "expect" and "|" not in line:
            columns, rows = None, cases[-1].expect
        elif line.strip() and not line.startswith("#"):
            cells = [cell.strip() for cell in line.split("|")]
            if columns is None:
                columns = cells
                (cases[-1].columns if rows is cases[-1].expect else cases[-1].given[-1][1]).extend(cells)
            else:
                assert len(cells) == len(columns), f"{path.name}: {line}"
                rows.append([None if cell == "-" else cell for cell in cells])
    return cases


def changed(study: Study, path: str, value: object) -> Study:
    """Return a study with one setting changed, checked like any other."""
    document = study.model_dump(mode="json")
    *outer, last = path.split(".")
    part = document
    for name in outer:
        part = next(rule for rule in part if rule["id"] == name) if isinstance(part, list) else part[name]
    part[last] = [value] if isinstance(part[last], list) and isinstance(value, str) else value
    return Study.model_validate(document)


def contract() -> duckdb.DuckDBPyConnection:
    """Return an empty warehouse in memory."""
    connection = duckdb.connect(config={"threads": 1})  # small rows: more threads only wait for each other
    for migration in sorted((ROOT / "warehouse" / "migrations").glob("*.sql")):
        connection.execute(migration.read_text("utf-8"))
    connection.execute((ROOT / "tests" / "plain_results.sql").read_text("utf-8"))
    return connection


@pytest.fixture(scope="session")
def installed():
    """An empty warehouse with the default study and all views."""
    connection = contract()
    install_views(connection, default_study())
    yield connection
    connection.close()


@pytest.fixture
def warehouse(installed):
    """The installed warehouse; what a test writes is rolled back."""
    installed.execute("begin")
    yield installed
    installed.execute("rollback")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `case` once a case."""
    if "case" in metafunc.fixturenames:
        cases = read_cases()
        metafunc.parametrize("case", cases, ids=[f"{c.target}: {c.says[:60]}" for c in cases])


@pytest.fixture(scope="session")
def cases() -> list[Case]:
    return read_cases()


@pytest.fixture
def check_case(warehouse) -> Callable[[Case], None]:
    return lambda case: check(warehouse, case)


@pytest.fixture(scope="session")
def insert() -> Callable[..., None]:
    """give(), for tests that write their rows in Python."""
    return give


def give(
    connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], rows: list[list[str | None]]
) -> None:
    """Insert text rows, cast to the table's types, the rest from the defaults."""
    if table == "subject":
        cells = [
            (row[0], c, v) for row in rows for c, v in zip(columns[1:], row[1:], strict=True) if v is not None
        ]
        give(
            connection,
            "core.subject_attribute",
            ["subject_id", "attribute", "value"],
            [list(c) for c in cells],
        )
        return
    rest = {name: text for name, text in DEFAULTS.get(table, {}).items() if name not in columns}
    if table == "core.lab_result" and "result_id" not in columns:
        rest["result_id"] = "uuid()"
    marks = f"({', '.join([*('?' * len(columns)), *rest.values()])})"
    if rows:
        connection.execute(
            f"insert into {table} ({', '.join([*columns, *rest])}) values {', '.join([marks] * len(rows))}",
            [cell for row in rows for cell in row],
        )


def ancestors(reads: frozenset[str]) -> list:
    """Return the stored views that something rests on, in build order."""
    known = {view.qualified: view for view in views()}
    needed: set[str] = set()
    open_names = set(reads)
    while open_names:
        name = open_names.pop()
        if name in known and name not in needed:
            needed.add(name)
            open_names |= known[name].reads
    return [view for view in views() if view.qualified in needed and view.is_stored]


def compute(connection: duckdb.DuckDBPyConnection, case: Case) -> pl.DataFrame:
    """Return what the target of a case holds once the given rows are there."""
    if case.study:
        study = default_study()
        for path, value in case.study.items():
            study = changed(study, path, YAML(typ="safe").load(value))
        store_study(connection, study)
    for table, columns, rows in case.given:
        give(connection, table, columns, rows)
    view = next((view for view in views() if view.qualified == case.target), None)
    query = None if view else find_query(case.target.removeprefix("query."))
    for stored in ancestors(frozenset({case.target}) if view else query.reads):
        connection.execute(f"create or replace table {stored.qualified} as {stored.sql}")
    mark_fresh(connection)
    if query:
        return run_query(connection, query.name, case.parameters)
    return connection.sql(f"select * from {case.target} where {case.where}").pl()


def check(connection: duckdb.DuckDBPyConnection, case: Case) -> None:
    """Compare a case's rows in any order; expected cells are cast to the types of the result."""
    actual = compute(connection, case)
    if not case.columns:
        assert actual.is_empty()
        return
    actual = actual.select(case.columns)
    connection.register("actual_rows", actual)
    casts = ", ".join(
        f"cast(${i} as {kind}) as {name}"
        for i, (name, kind) in enumerate(
            zip(case.columns, connection.table("actual_rows").types, strict=True), start=1
        )
    )
    parts = [connection.sql(f"select {casts}", params=row).pl() for row in case.expect]
    expected = pl.concat(parts) if parts else actual.clear()
    connection.unregister("actual_rows")
    order = [name for name, dtype in actual.schema.items() if not dtype.is_nested()] or case.columns
    assert_frame_equal(
        actual.sort(order, nulls_last=True),
        expected.cast(dict(actual.schema)).sort(order, nulls_last=True),
        abs_tol=1e-9,
        rel_tol=1e-9,
    )
