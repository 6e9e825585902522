"""The boundary where DuckDB's errors become ours: its texts print whole lines, so they never pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from schemas.errors import (
    UsageError,
    UserError,
    WarehouseDamaged,
    WarehouseError,
    WarehouseFull,
    WarehouseLocked,
)

_FULL = ("no space left", "disk quota", "could not write", "max_temp_directory_size", "file too large")
_LOCKED = ("could not set lock", "conflicting lock", "being used by another process")
_REFUSED = ("permission denied", "is a directory", "read-only file system", "access is denied")
_DAMAGED = ("not a valid duckdb", "checksum", "corrupt", "serialization", "wal file", "older version")


def explain(error: duckdb.Error, path: Path) -> UserError | None:
    """Return the user error that a DuckDB error on this file stands for; None for a bug of ours."""
    text = str(error).lower()
    if any(mark in text for mark in _LOCKED):
        return WarehouseLocked(
            f"{path.name} is in use by another process.",
            "One process writes to a warehouse at a time; a copy made before with `etl publish` can be read meanwhile.",
            "wait for the other command to end",
        )
    if any(mark in text for mark in _REFUSED):
        return WarehouseError(
            f"{path} cannot be opened.",
            "It is a folder, or you may not read or write there.",
            "another path with --warehouse, or ask for the right to write to its folder",
        )
    if any(mark in text for mark in _FULL):
        return WarehouseFull(
            f"The disk that holds {path.name} is full.",
            "The file being loaded was rolled back; everything loaded before it is kept.",
            "free some space and run the same command again",
        )
    if any(mark in text for mark in _DAMAGED):
        return WarehouseDamaged(
            f"{path.name} cannot be opened as a warehouse.",
            "The file is damaged, or is not a DuckDB file of this tool.",
            "restore a copy, or ingest the exports again into a new warehouse",
        )
    return None


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn DuckDB's errors inside the block into user errors, or MemoryError, without cell values."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise explain(error, path) or MemoryError() from None
    except duckdb.Error as error:
        known = explain(error, path)
        if known is not None:
            raise known from None
        raise RuntimeError(f"a query failed in the warehouse ({type(error).__name__})") from None


def query_error(error: duckdb.Error) -> UsageError:
    """Return what may be shown of an error in a query that the user typed: DuckDB's first line.

    Parser, binder and catalogue errors name columns and tables only; conversion errors quote cells and are cut.
    """
    shown = isinstance(error, (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException))
    first = str(error).splitlines()[0] if shown else f"the query failed ({type(error).__name__})"
    return UsageError(
        first, "DuckDB does not take the query.", "see the tables with: etl sql 'show all tables'"
    )
