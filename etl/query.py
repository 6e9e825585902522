"""Named queries: the study's and the quality questions, each one an SQL file that describes itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from etl.gate import inspect_gate
from etl.override import Override, rests_on
from etl.query_disclosure import disclosed
from etl.run import Run
from etl.study import ready_views
from schemas.errors import UsageError
from warehouse.catalogue import Query, bind_parameters, find_query, queries, run_query
from warehouse.connection import open_warehouse

ASSOCIATION = "association"  # the topic behind the gate


@dataclass(frozen=True)
class QueryOptions:
    """Which study protocol, and whether the gate is overridden."""

    study_file: Path | None = None
    override: Override = field(default_factory=Override)


@dataclass(frozen=True)
class Answer:
    """The rows of a query and, of an association, what they rest on and why they are a draft."""

    rows: pl.DataFrame
    watermark: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    is_internal: bool = False  # a list to work with: it counts what is there, however few

    def marked(self) -> pl.DataFrame:
        """Return the rows with what they rest on in columns of their own, for files that programs read."""
        marks = {**self.provenance, "watermark": self.watermark} if self.provenance else {}
        return self.rows.with_columns(**{name: pl.lit(text) for name, text in marks.items()})

    def notes(self) -> list[str]:
        """Return the same as lines, for people."""
        mark = [f"WATERMARK  {self.watermark}"] if self.watermark else []
        digest = self.provenance.get("content_digest")
        internal = ["To work with, not to share: small counts are not hidden."] if self.is_internal else []
        return [
            *mark,
            *internal,
            *([f"Data: {self.provenance['data']}; content digest {digest}"] if digest else []),
        ]


def list_queries() -> pl.DataFrame:
    """Return the named queries with their parameters, one a row."""
    rows = [(q.name, q.topic, q.title, "; ".join(_parameters(q))) for q in queries().values()]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("query", "topic", "title", "parameters"), pl.String), orient="row"
    )


def run_named(
    warehouse: Path, name: str, given: Sequence[str] = (), options: QueryOptions | None = None
) -> Answer:
    """Return the answer of a named query; given: its parameters as name=value.

    An association stands behind the gate like `etl associate`. Raises UsageError for an unknown query or parameter,
    GateClosed, WarehouseMissing.
    """
    options = options or QueryOptions()
    query, parameters = find_query(name), split_parameters(given)
    bind_parameters(query, parameters)  # a typing error shows before the marts are computed
    command = f"query {name}"
    options.override.check(command)
    ready_views(warehouse, options.study_file)
    if query.topic != ASSOCIATION:
        with open_warehouse(warehouse, read_only=True) as connection:
            return Answer(run_query(connection, name, parameters), is_internal=True)
    with open_warehouse(warehouse, read_only=True) as connection:
        gate = inspect_gate(connection)
        watermark = options.override.pass_gate(gate, command)
        rows = disclosed(run_query(connection, name, parameters), query.subjects)
        answer = Answer(rows, watermark, rests_on(connection))
    if watermark:
        with (
            open_warehouse(warehouse, must_exist=True) as connection,
            Run(connection, warehouse, "query") as run,
        ):
            options.override.record(connection, run, gate, command)
    return answer


def split_parameters(given: Sequence[str]) -> dict[str, str]:
    """Return name=value pairs as a dictionary. Raises UsageError for anything else."""
    pairs = [text.partition("=") for text in given]
    for name, sign, _ in pairs:
        if not (name.strip() and sign):
            raise UsageError(
                f"'{name}' is no parameter.",
                "It is not of the form NAME=VALUE.",
                "-p NAME=VALUE, once a parameter",
            )
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < len(names):
        raise UsageError(
            "A parameter is given twice.",
            "Which of its values counts cannot be known.",
            "-p NAME=VALUE, once a parameter",
        )
    return {name.strip(): value.strip() for name, _, value in pairs}


def _parameters(query: Query) -> list[str]:
    return [f"{p.name}={p.default or ''} ({p.sentence.rstrip('.')})" for p in query.parameters]
