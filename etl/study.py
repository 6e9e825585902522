"""The study's views in a warehouse, brought up to date by whoever reads them first.

A load leaves them alone: it should cost what its file costs. Commands that read the marts come here first.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import duckdb

from etl.inspect import registry_digest
from schemas.errors import WarehouseLocked
from schemas.study import load_study
from warehouse.catalogue import install_views, is_stale, refresh, views
from warehouse.connection import open_warehouse, transaction
from warehouse.published import is_published


def ready_views(warehouse: Path, study_file: Path | None = None) -> str:
    """Bring the views of a warehouse up to date; return a warning when another process writes to it meanwhile.

    Raises WarehouseMissing; WarehouseLocked for a published copy, which stays as it is, with other views than asked for.
    """
    with open_warehouse(warehouse, read_only=True) as connection:
        if _are_current(connection, _digest(study_file)):
            return ""
    if is_published(warehouse):
        raise WarehouseLocked(
            f"{warehouse.name} holds the marts of another study protocol or version.",
            "Marts are computed in the warehouse itself, which another process holds.",
            "run the command again when the other one has ended",
        )
    try:
        with open_warehouse(warehouse) as connection:
            ensure_views(connection, study_file)
    except WarehouseLocked:
        return "Another process writes to the warehouse: the marts show the state before its last load."
    return ""


def ensure_views(connection: duckdb.DuckDBPyConnection, study_file: Path | None = None) -> None:
    """Install the views of a protocol if they are not those of the warehouse, and compute the stored ones again."""
    digest = _digest(study_file)
    if _are_current(connection, digest):
        return
    with transaction(connection):
        if _installed(connection) == digest:
            refresh(connection)
        else:
            install_views(connection, load_study(study_file) if study_file else load_study())
            connection.execute("delete from meta.property where name = 'views'")
            connection.execute("insert into meta.property values ('views', ?)", [digest])


def _are_current(connection: duckdb.DuckDBPyConnection, digest: str) -> bool:
    return _installed(connection) == digest and not is_stale(connection)


def _installed(connection: duckdb.DuckDBPyConnection) -> str | None:
    row = connection.execute("select value from meta.property where name = 'views'").fetchone()
    return str(row[0]) if row else None


def _digest(study_file: Path | None) -> str:
    protocol = (
        study_file.read_bytes() if study_file else (files("schemas") / "study" / "study.yaml").read_bytes()
    )
    parts = [protocol, registry_digest().encode(), *(view.sql.encode() for view in views())]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
