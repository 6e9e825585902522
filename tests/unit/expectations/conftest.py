from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from expectations import Parameters

ROOT = Path(__file__).parents[3]
AS_OF = datetime(2024, 3, 2)
SUSPICION = pl.DataFrame(
    [
        ("north", "vitamin_b12", "vitamin_b12:pg/mL", "fits"),
        ("south", "vitamin_b12", "vitamin_b12:pg/mL", "undecided"),
        ("west", "vitamin_b12", "vitamin_b12:pg/mL", "suspected"),
    ],
    schema=["site", "analyte", "factor_id", "verdict"],
    orient="row",
)
DIFFERENCE = pl.DataFrame({"result_id": ["00000000-0000-0000-0000-000000000001"], "difference": [50.0]})
CLOCK = pl.DataFrame(
    [
        ("lab_north", "+08:00", False),
        ("forms_north", "+08:00", False),
        ("lab_west", "+08:00", True),
        ("lab_west", "+00:00", True),
    ],
    schema=["load_id", "clock", "is_one_of_several"],
    orient="row",
)


@pytest.fixture(scope="session")
def sound_file(tmp_path_factory) -> Path:
    """The sound warehouse as a file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("warehouse") / "sound.duckdb"
    with duckdb.connect(path) as connection:
        migrate(connection)
        connection.execute((Path(__file__).parent / "sound.sql").read_text())
    return path


@pytest.fixture
def sound(sound_file, tmp_path) -> Iterator[duckdb.DuckDBPyConnection]:
    copy = shutil.copy(sound_file, tmp_path / "copy.duckdb")
    with duckdb.connect(copy) as connection:
        yield connection


@pytest.fixture
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        migrate(connection)
        yield connection


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    for path in sorted((ROOT / "warehouse" / "migrations").glob("*.sql")):
        connection.execute(path.read_text())
    connection.execute((ROOT / "tests" / "plain_results.sql").read_text())


@pytest.fixture
def parameters() -> Parameters:
    """Bounds of the test's own; B12 and IRLS as in the published tables, the others wide."""
    units = {"vitamin_b12": "pg/mL", "homocysteine": "umol/L"}
    lipids = ("total_cholesterol", "hdl_cholesterol", "ldl_cholesterol")
    rows = [
        ("vitamin_b12", "pg/mL", 1.0, 100_000.0, 50.0, 2000.0),
        ("homocysteine", units["homocysteine"], 1.0, 500.0, 3.0, 100.0),
    ]
    rows += [(name, "mmol/L", 0.0, 1e6, None, None) for name in lipids]
    analyte = pl.DataFrame(
        rows, schema=["analyte", "unit", "hard_low", "hard_high", "soft_low", "soft_high"], orient="row"
    )
    scale = pl.DataFrame(
        [("irls", "irls_10", "total", 0.0, 40.0), ("psqi", "order_a", "total", 0.0, 21.0)],
        schema=["instrument", "version", "scale", "low", "high"],
        orient="row",
    )
    factor = pl.DataFrame(
        {
            "factor_id": [f"vitamin_b12:{unit}" for unit in ("pg/mL", "ng/L", "pmol/L")]
            + [f"total_cholesterol:{unit}" for unit in ("mmol/L", "mg/dL")],
            "factor": [1.0, 1.0, 1.35537, 1.0, 1 / 38.665],
        }
    )
    words = {
        "comparator": ("<", "<=", ">", ">="),
        "method_kind": ("reported", "derived"),
        "result_status": ("final", "corrected"),
        "row_state": ("current", "superseded", "conflicting", "withdrawn"),
        "score_status": ("complete", "incomplete"),
        "unit_basis": ("stated", "range", "declared"),
    }
    frames = {
        "analyte": analyte,
        "factor": factor,
        "assay": pl.DataFrame({"analyte": ["vitamin_b12"], "low": [83.0], "high": [2000.0]}),
        "scale": scale,
        "suspicion": SUSPICION,
        "difference": DIFFERENCE,
        "clock": CLOCK,
    }
    return Parameters(frames | {"run": pl.DataFrame({"as_of": [AS_OF]})}, words)
