"""The synthetic cohort from raw exports with planted defects to a validated warehouse, made once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
import pytest


@pytest.fixture(scope="session")
def validated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from etl.demo import generate
    from etl.ingest import IngestOptions, ingest
    from etl.sites.mapping import load_sites
    from etl.validation import run_validation

    folder = tmp_path_factory.mktemp("cohort")
    generate(folder)
    ingest([str(folder / "exports")], folder / "w.duckdb", IngestOptions(sites=load_sites(folder / "sites")))
    run_validation(folder / "w.duckdb")
    return folder


@pytest.fixture
def warehouse(validated: Path, tmp_path: Path) -> Path:
    """A copy with its planted defects: an IRLS score in a control keeps a fatal check open."""
    for path in validated.glob("w.duckdb*"):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / "w.duckdb"


@pytest.fixture
def opened(warehouse: Path) -> Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]:
    """Open the copy for writing; the marts are up to date."""
    from etl.study import ensure_views
    from warehouse.connection import open_warehouse

    @contextmanager
    def opening() -> Iterator[duckdb.DuckDBPyConnection]:
        with open_warehouse(warehouse) as connection:
            ensure_views(connection)
            yield connection

    return opening


@pytest.fixture
def settled(warehouse: Path) -> Path:
    """The copy as if the open finding had been settled before the validation."""
    settle(warehouse)
    return warehouse


def settle(warehouse: Path) -> None:
    with duckdb.connect(warehouse) as connection:
        connection.execute("update meta.check_result set status = 'passed' where status = 'failed'")


@pytest.fixture(scope="session")
def shown(validated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a settled warehouse, never written again, and its association in `out`."""
    from etl.association import associate

    folder = tmp_path_factory.mktemp("shown")
    for path in validated.glob("w.duckdb*"):
        shutil.copy(path, folder / path.name)
    settle(folder / "w.duckdb")
    associate(folder / "w.duckdb", folder / "out")
    return folder
