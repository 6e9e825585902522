"""The published copy of a warehouse: what is read while another process writes to the warehouse itself.

It lies beside the warehouse under its name and `.published`, one at a time: a new one takes the old one's place in one
step, and whoever has the old one open goes on reading it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from schemas.errors import ReconciliationError, WarehouseLocked
from warehouse.catalogue import refresh
from warehouse.connection import open_warehouse, transaction
from warehouse.digest import content_digest
from warehouse.keys import PUBLISHED
from warehouse.shift import shift_dates

SHIFTED = ".shifted"  # the suffix of a copy whose dates are shifted; no command opens it by itself
PUBLISHED_AT = "published_at"  # the property of a copy that says when it was made


def published_path(warehouse: Path) -> Path:
    """Return where the published copy of a warehouse lies."""
    return warehouse.with_name(warehouse.name + PUBLISHED)


def shifted_path(warehouse: Path) -> Path:
    """Return where the copy with shifted dates lies."""
    return warehouse.with_name(warehouse.name + SHIFTED)


def is_published(path: Path) -> bool:
    """Tell whether a path is that of a published copy."""
    return path.name.endswith((PUBLISHED, SHIFTED))


def write_copy(connection: duckdb.DuckDBPyConnection, warehouse: Path, digest: str, at: datetime) -> Path:
    """Copy an open warehouse into a new file beside it and return that file, to be renamed.

    DuckDB copies from one snapshot. The file's own bytes are not copied: opening it a second time in this process would
    give up the lock on it. Raises ReconciliationError when the copy's content is not that of the warehouse.
    """
    new = published_path(warehouse).with_name(published_path(warehouse).name + ".new")
    _remove(new)
    try:
        _copy(connection, new, at)
        _compare(new, digest)
    except BaseException:
        _remove(new)
        raise
    return new


def write_shifted(copied: Path, days_of: Callable[[str], int]) -> Path:
    """Shift the dates of a copy, compute its marts again, and write it anew; return that file, to be renamed.

    The first copy goes: its unused blocks hold the dates as they were.
    """
    new = copied.with_name(copied.name + SHIFTED)
    _remove(new)
    try:
        with open_warehouse(copied) as connection:
            with transaction(connection):
                shift_dates(connection, days_of)
                refresh(connection)
            _copy(connection, new, None)
    except BaseException:
        _remove(new)
        raise
    finally:
        _remove(copied)
    return new


def _copy(connection: duckdb.DuckDBPyConnection, new: Path, at: datetime | None) -> None:
    """Copy an open warehouse; at: when it is published, which a copy of a copy knows."""
    (name,) = connection.execute("select current_database()").fetchall()[0]
    connection.execute(f"attach {_quoted(str(new), chr(39))} as published")
    try:
        connection.execute(f"copy from database {_quoted(name, chr(34))} to published")
        if at is not None:
            values = [PUBLISHED_AT, at.isoformat(" ", "seconds")]
            connection.execute("insert into published.meta.property values (?, ?)", values)
        connection.execute("checkpoint published")
    finally:
        connection.execute("detach published")


def _compare(new: Path, digest: str) -> None:
    with open_warehouse(new, read_only=True) as copied:
        if content_digest(copied) == digest:
            return
    raise ReconciliationError(
        f"The copy {new.name} does not hold what the warehouse holds.",
        "Their content digests differ, so it was not published.",
        "etl verify, then publish again",
    )


def _quoted(text: str, mark: str) -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def _remove(new: Path) -> None:
    for path in (new, new.with_name(new.name + ".wal")):
        path.unlink(missing_ok=True)


def remove_copies(warehouse: Path) -> None:
    """Remove what was published, because it holds what the warehouse may hold no longer."""
    for path in (published_path(warehouse), shifted_path(warehouse)):
        path.unlink(missing_ok=True)


def readable(warehouse: Path) -> tuple[Path, str]:
    """Return the file to read and what to tell the user: the published copy while another process holds the warehouse.

    Raises WarehouseMissing and WarehouseDamaged; WarehouseLocked when it is held and was never published.
    """
    try:
        with open_warehouse(warehouse, read_only=True):
            return warehouse, ""
    except WarehouseLocked:
        copy = published_path(warehouse)
        if not copy.exists():
            raise
    with open_warehouse(copy, read_only=True) as connection:
        row = connection.execute("select value from meta.property where name = ?", [PUBLISHED_AT]).fetchone()
    made = f" of {row[0]} UTC" if row else ""
    return copy, f"{warehouse.name} is in use by another process: this is its published copy{made}."
