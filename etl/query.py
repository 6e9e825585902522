"""Named queries: the study's and the quality questions, each one an SQL file that describes itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from etl.study import ready_views
from schemas.errors import UsageError
from warehouse.catalogue import Query, bind_parameters, find_query, queries, run_query
from warehouse.connection import open_warehouse


def list_queries() -> pl.DataFrame:
    """Return the named queries with their parameters, one a row."""
    rows = [(q.name, q.topic, q.title, "; ".join(_parameters(q))) for q in queries().values()]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("query", "topic", "title", "parameters"), pl.String), orient="row"
    )


def run_named(
    warehouse: Path, name: str, given: Sequence[str] = (), study_file: Path | None = None
) -> pl.DataFrame:
    """Return the rows of a named query; given: its parameters as name=value.

    Raises UsageError for an unknown query or parameter, WarehouseMissing.
    """
    parameters = split_parameters(given)
    bind_parameters(find_query(name), parameters)  # a typing error shows before the marts are computed
    ready_views(warehouse, study_file)
    with open_warehouse(warehouse, read_only=True) as connection:
        return run_query(connection, name, parameters)


def split_parameters(given: Sequence[str]) -> dict[str, str]:
    """Return name=value pairs as a dictionary. Raises UsageError for anything else."""
    pairs = [text.partition("=") for text in given]
    for name, sign, _ in pairs:
        if not (name.strip() and sign):
            raise UsageError(f"'{name}' is no parameter.", "", "-p NAME=VALUE, once a parameter")
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < len(names):
        raise UsageError("A parameter is given twice.", "", "-p NAME=VALUE, once a parameter")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _parameters(query: Query) -> list[str]:
    return [f"{p.name}={p.default or ''} ({p.sentence.rstrip('.')})" for p in query.parameters]
