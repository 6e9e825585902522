"""Open a warehouse: one DuckDB file, one writer, settings that bound memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from schemas.errors import WarehouseMissing
from warehouse.errors import guarded
from warehouse.migrate import migrate

# Rows stream through; more memory than this would only hide a plan that does not.
MEMORY_LIMIT = "512MB"
# Written blocks that nobody reads would fill it, and memory would grow with the file.
STREAM_LIMIT = "64MB"
LARGE = 100_000  # rows that are stored, or have to be compared


@contextmanager
def open_warehouse(
    path: Path, *, read_only: bool = False, must_exist: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse, bring its tables up to date when writing, and close it.

    Raises WarehouseMissing, WarehouseLocked, WarehouseDamaged or WarehouseFull.
    """
    if (read_only or must_exist) and not path.exists():
        raise WarehouseMissing(
            f"There is no warehouse at {path}.",
            "It is made by the first `etl ingest` or by `etl init`.",
            "give its path with --warehouse, or set ETL_WAREHOUSE",
        )
    with guarded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(path, read_only=read_only, config=_settings())
        connection.execute("set enable_progress_bar = false")  # it would come between the lines of ours
    try:
        with guarded(path):
            if not read_only:
                migrate(connection)
        yield connection
    finally:
        connection.close()


def _settings() -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": MEMORY_LIMIT,
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


@contextmanager
def transaction(
    connection: duckdb.DuckDBPyConnection, *, is_kept: bool = True, records: int = 0
) -> Iterator[None]:
    """Commit the block as a whole, or nothing of it; is_kept=False undoes it in any case, for a dry run.

    records: about how many it loads. The commit of many is a checkpoint, so that their blocks are not written to the
    log once more.
    """
    is_large = records > LARGE
    if is_large:
        connection.execute("set checkpoint_threshold = '1KB'")
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    else:
        connection.execute("commit" if is_kept else "rollback")
    finally:
        if is_large:
            connection.execute("reset checkpoint_threshold")
            make_room(
                connection
            )  # not before: after an error nothing can be asked until the transaction ends


def save_memory(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep DuckDB's memory small while the rows of a large file are appended, at most until the transaction's end."""
    connection.execute(f"set memory_limit = '{STREAM_LIMIT}'")


def make_room(connection: duckdb.DuckDBPyConnection) -> None:
    """Give DuckDB its usual memory back, for what compares many rows."""
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
