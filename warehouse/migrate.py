"""Numbered migrations, each recorded in the transaction of its effect."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

import duckdb

from schemas.errors import WarehouseDamaged


def migrate(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Apply the migrations that the warehouse lacks, in order; return their names.

    Raises WarehouseDamaged when the file was written by a newer version of the tool.
    """
    available = {entry.name: entry.read_text("utf-8") for entry in _migrations()}
    applied = set(applied_migrations(connection))
    if unknown := applied - set(available):
        raise WarehouseDamaged(
            f"The warehouse has migrations that this version does not know: {', '.join(sorted(unknown))}.",
            "It was written by a newer version of the tool.",
            "upgrade the tool",
        )
    missing = sorted(set(available) - applied)
    for name in missing:
        connection.execute("begin")
        connection.execute(available[name])
        connection.execute("create table if not exists meta.migration (name varchar, applied_at timestamp)")
        connection.execute("insert into meta.migration values (?, now()::timestamp)", [name])
        connection.execute("commit")
    return missing


def applied_migrations(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of the migrations that the warehouse has."""
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'meta' and table_name = 'migration'"
    ).fetchall()
    if not found:
        return []
    return [
        name for (name,) in connection.execute("select name from meta.migration order by name").fetchall()
    ]


def _migrations() -> list[Traversable]:
    folder = files("warehouse") / "migrations"
    return [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
