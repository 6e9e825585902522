"""The study's views in a warehouse: installed when the protocol, a registry or a view has changed, else left alone."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import duckdb

from etl.inspect import registry_digest
from schemas.study import load_study
from warehouse.catalogue import install_views, views
from warehouse.connection import transaction


def ensure_views(connection: duckdb.DuckDBPyConnection, study_file: Path | None = None) -> bool:
    """Install the views for a protocol if they are not the ones that the warehouse has; tell whether it was done."""
    protocol = (
        study_file.read_bytes() if study_file else (files("schemas") / "study" / "study.yaml").read_bytes()
    )
    parts = [protocol, registry_digest().encode(), *(view.sql.encode() for view in views())]
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()
    known = connection.execute("select value from meta.property where name = 'views'").fetchone()
    if known and known[0] == digest:
        return False
    with transaction(connection):
        install_views(connection, load_study(study_file) if study_file else load_study())
        connection.execute("delete from meta.property where name = 'views'")
        connection.execute("insert into meta.property values ('views', ?)", [digest])
    return True
