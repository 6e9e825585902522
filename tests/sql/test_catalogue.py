"""The catalogue: headers, layers, building order, staleness, parameters; and that nothing is without a test."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from schemas.errors import UsageError, WarehouseError
from schemas.study import load_study
from warehouse.catalogue import (
    LAYERS,
    bind_parameters,
    find_query,
    install_views,
    is_stale,
    queries,
    read_header,
    refresh,
    run_query,
    views,
)

ROOT = Path(__file__).parents[2]
SQL_FILES = sorted((ROOT / "warehouse" / "views").rglob("*.sql")) + sorted(
    (ROOT / "warehouse" / "queries").rglob("*.sql")
)
# What a layer may read, beside itself.
LOWER = {
    "staging": {"core", "meta", "study"},
    "intermediate": {"study", "staging"},
    "mart": {"study", "staging", "intermediate"},
}


def test_every_view_and_query_has_a_case_that_expects_rows(cases) -> None:
    tested = {case.target for case in cases if case.expect}
    assert {view.qualified for view in views()} | {f"query.{name}" for name in queries()} == tested


def test_every_case_gives_rows_and_is_told_apart(cases) -> None:
    assert all(case.given and case.says for case in cases)
    assert max(Counter((case.target, case.says) for case in cases).values()) == 1


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.stem)
def test_every_file_describes_itself(path: Path) -> None:
    text = path.read_text("utf-8")
    header = read_header(text)
    assert {"title", "grain", "parameters", "source"} <= set(header)
    assert all(header[key] for key in ("title", "grain", "source"))
    assert len(text.splitlines()) <= 120
    assert path.stem == path.stem.lower()


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.stem)
def test_a_view_or_query_ends_in_an_explicit_column_list(path: Path) -> None:
    code = re.sub(r"--.*", "", path.read_text("utf-8"))
    last = code[code.rindex("\nselect") :] if path.stem != "eligibility_rule" else code
    assert "*" not in last.split("\nfrom ")[0].replace("count(*)", "").replace(" * ", "")


@pytest.mark.parametrize("view", views(), ids=lambda view: view.qualified)
def test_a_view_reads_its_own_layer_or_a_lower_one(view) -> None:
    assert {name.split(".")[0] for name in view.reads} <= {view.schema, *LOWER[view.schema]}


def test_layers_are_built_in_the_order_of_their_folders() -> None:
    order = [view.schema for view in views()]
    assert order == sorted(order, key=list(LAYERS.values()).index)
    built: set[str] = set()
    for view in views():
        assert {name for name in view.reads if name.split(".")[0] in LAYERS.values()} <= built
        built.add(view.qualified)


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.stem)
def test_no_limit_of_the_protocol_stands_in_sql(path: Path) -> None:
    """Numbers in SQL are 0-4, 12 and 15 (formulas, text lengths), quartiles, days of the average year, or far ends."""
    code = re.sub(r"--.*|'[^']*'", "", path.read_text("utf-8"))
    allowed = {
        "0",
        "1",
        "2",
        "3",
        "4",
        "6",
        "7",
        "10",
        "12",
        "0.25",
        "0.5",
        "0.75",
        "365.2425",
        "1000",
        "1.0",
        "2.0",
        "12.0",
    }
    assert set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?", code)) <= allowed


def test_every_setting_that_a_view_reads_is_in_the_study(installed) -> None:
    known = {row[0] for row in installed.execute("select name from study.parameter").fetchall()}
    for view in views():
        assert set(re.findall(r"name = '([\w.]+)'", view.sql)) <= known, view.qualified


def test_installing_again_changes_nothing(warehouse) -> None:
    listing = "select table_schema, table_name, table_type from information_schema.tables order by all"
    before = warehouse.execute(listing).fetchall()
    install_views(warehouse, load_study())
    assert warehouse.execute(listing).fetchall() == before
    assert {row[0] for row in before} <= {"core", "meta", "quarantine", "study", *LAYERS.values()}


def test_a_load_makes_the_stored_views_stale_until_they_are_refreshed(warehouse, insert) -> None:
    assert not is_stale(warehouse)
    insert(warehouse, "meta.load", ["load_id", "status"], [["l1", "active"]])
    insert(warehouse, "subject", ["subject_id", "cohort_group"], [["a", "case"]])
    assert is_stale(warehouse)
    with pytest.raises(WarehouseError):
        run_query(warehouse, "participant_flow")
    refresh(warehouse)
    assert not is_stale(warehouse)
    assert warehouse.execute("select subject_id from mart.subject_baseline").fetchall() == [("a",)]
    warehouse.execute("update meta.load set status = 'replaced'")
    assert is_stale(warehouse)


def test_a_decision_makes_the_stored_views_stale(warehouse, insert) -> None:
    insert(warehouse, "meta.decision", ["decision_id"], [["d1"]])
    assert is_stale(warehouse)


def test_a_query_without_the_views_is_a_user_error() -> None:
    with duckdb.connect() as empty, pytest.raises(UsageError):
        run_query(empty, "loads")


def test_a_mistyped_query_is_answered_with_its_neighbour() -> None:
    with pytest.raises(UsageError) as raised:
        find_query("exposure_corelation")
    assert raised.value.fix == "exposure_correlation"


def test_parameters_take_their_defaults_and_types() -> None:
    query = queries()["deficiency_by_group"]
    assert bind_parameters(query, {}) == {"profile": "main", "z": 1.959963984540054}
    assert bind_parameters(query, {"z": "1.5", "profile": "classic_200_pg"}) == {
        "profile": "classic_200_pg",
        "z": 1.5,
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [({"profil": "x"}, "no parameter profil"), ({"z": "wide"}, "z of deficiency_by_group is a number"), ({"z": None}, "needs the parameter z")],
)  # fmt: skip
def test_wrong_parameters_are_user_errors(given, said) -> None:
    with pytest.raises(UsageError, match=said):
        bind_parameters(queries()["deficiency_by_group"], given)


@pytest.mark.parametrize("query", queries().values(), ids=lambda query: query.name)
def test_a_query_uses_exactly_the_parameters_of_its_header(query) -> None:
    code = re.sub(r"--.*", "", query.sql)
    assert set(re.findall(r"\$(\w+)", code)) == {parameter.name for parameter in query.parameters}
