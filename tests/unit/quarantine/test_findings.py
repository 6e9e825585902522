"""Every check leads to rows of the warehouse when it fails; the few that are about whole files are named."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import duckdb
import pytest

from etl.findings import rows_of_finding
from expectations import load_suites

ROOT = Path(__file__).parents[3]
BROKEN = tomllib.loads((ROOT / "tests" / "unit" / "expectations" / "broken.toml").read_text("utf-8"))
CHECKS = {check.id: check for suite in load_suites() for check in suite.checks}
# About loads, tokens and match sets.
ABOUT_FILES = {
    "load_attributes_balance", "load_candidates_balance", "load_lines_balance", "delivery_not_smaller", "matched_sets_whole",
    "one_active_load", "one_clock_per_site", "rows_of_active_loads", "token_of_one_subject", "unmapped_resembles_analyte",
}  # fmt: skip
# What they judge is computed from the values when they run; the test of the suites puts it there by hand.
COMPUTED = {"derived_agrees_with_reported", "values_fit_their_unit", "held_open"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "w.duckdb"
    with duckdb.connect(path) as connection:
        for migration in sorted((ROOT / "warehouse" / "migrations").glob("*.sql")):
            connection.execute(migration.read_text("utf-8"))
        connection.execute((ROOT / "tests" / "plain_results.sql").read_text("utf-8"))
        connection.execute((ROOT / "tests" / "unit" / "expectations" / "sound.sql").read_text("utf-8"))
    return path


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_failed_check_leads_to_rows(sound, tmp_path, name) -> None:
    path = shutil.copy(sound, tmp_path / "w.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute(BROKEN[name]["sql"])
        rows, note = rows_of_finding(connection, CHECKS[name])
    if name in ABOUT_FILES:
        assert (rows, note) == (
            [],
            "This check is about whole files or sites; its numbers are in the report.",
        )
    elif name in COMPUTED:
        assert (rows, note) == ([], "Nothing in the warehouse is unexpected to this check now.")
    else:
        assert rows
