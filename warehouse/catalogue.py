"""The catalogue of views and named queries: every SQL file describes itself in its header.

A header is a block of comment lines `-- key: text`, continued by `--   text`. Views read their own layer or a lower
one; layers are built in the order of their folders, and within a layer a view follows the views that it reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from schemas.errors import UsageError, WarehouseError
from warehouse.errors import query_error
from warehouse.matching import make_match_sets
from warehouse.protocol import Unit, store_study

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable

    from schemas.study import Study

# folder -> schema, from the lowest layer to the highest
LAYERS = {"1_staging": "staging", "2_intermediate": "intermediate", "3_marts": "mart"}
TOPICS = ("association", "quality")

_HEADER_LINE = re.compile(r"-- (\w+):(?: (.*))?")
_CONTINUED = re.compile(r"--   (.*)")
_READS = re.compile(r"\b(core|meta|quarantine|study|staging|intermediate|mart)\.(\w+)")
_PARAMETER = re.compile(r"(\w+) \((\w+)(?:, default ([^)]*))?\): (.+)")
# What the core tables hold, by the ledgers: every change of core comes with a load or a decision.
_STATE = """
    select concat_ws(
        '/', (select md5(string_agg(load_id || ':' || coalesce(status, ''), ',' order by load_id)) from meta.load),
        (select count(*) from meta.decision)
    )
"""
_CASTS = {"text": str, "integer": int, "number": float}


@dataclass(frozen=True)
class View:
    """One view of the warehouse."""

    schema: str
    name: str
    title: str
    grain: str
    parameters: str  # the settings of the study protocol that it reads
    source: str
    reads: frozenset[str]  # qualified names
    is_stored: bool
    sql: str

    @property
    def qualified(self) -> str:
        """The view's name with its schema."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a named query."""

    name: str
    kind: str  # text, integer, number
    default: str | None
    sentence: str


@dataclass(frozen=True)
class Query:
    """One named query."""

    topic: str
    name: str
    title: str
    grain: str
    parameters: tuple[Parameter, ...]
    source: str
    subjects: str  # its columns that count subjects; small ones are hidden from what may be shared
    reads: frozenset[str]
    sql: str


def read_header(sql: str) -> dict[str, str]:
    """Return the header of an SQL file; continuation lines are kept apart by line ends."""
    header: dict[str, str] = {}
    key = ""
    for line in sql.splitlines():
        if match := _HEADER_LINE.fullmatch(line):
            key = match[1]
            header[key] = match[2] or ""
        elif key and (match := _CONTINUED.fullmatch(line)):
            header[key] += f"\n{match[1]}"
        else:
            break
    return header


@cache
def views() -> tuple[View, ...]:
    """Return every view in the order in which they can be built."""
    return tuple(view for folder, schema in LAYERS.items() for view in _layer(folder, schema))


@cache
def queries() -> Mapping[str, Query]:
    """Return every named query by its name."""
    found = (_query(topic, file) for topic in TOPICS for file in _sql_files("queries", topic))
    return MappingProxyType({query.name: query for query in found})


def install_views(
    connection: duckdb.DuckDBPyConnection, study: Study, units: Iterable[Unit] | None = None
) -> tuple[View, ...]:
    """Store the study protocol and build every view; the caller's transaction makes it one step.

    units: how units of an analyte relate to its canonical one; by default those of the analyte registry.
    Raises DefinitionError when the protocol needs something that the views or registries do not have.
    """
    store_study(connection, study, units)
    connection.execute("delete from study.made_match")
    for schema in reversed(LAYERS.values()):
        connection.execute(f"drop schema if exists {schema} cascade")
    for schema in LAYERS.values():
        connection.execute(f"create schema {schema}")
    for view in views():
        connection.execute(f"create {'table' if view.is_stored else 'view'} {view.qualified} as {view.sql}")
    _match(connection)
    mark_fresh(connection)
    return views()


def refresh(connection: duckdb.DuckDBPyConnection) -> None:
    """Compute the stored views again, in the caller's transaction; needs install_views() before."""
    # Sets made from an earlier state of the data must not show in what is computed now.
    connection.execute("delete from study.made_match")
    _compute(connection, views())
    _match(connection)
    mark_fresh(connection)


def _match(connection: duckdb.DuckDBPyConnection) -> None:
    """Make match sets if the protocol says so, and compute again what shows them."""
    if make_match_sets(connection):
        _compute(connection, _above("intermediate.match_member"))


def _compute(connection: duckdb.DuckDBPyConnection, wanted: Iterable[View]) -> None:
    for view in wanted:
        if view.is_stored:
            connection.execute(f"create or replace table {view.qualified} as {view.sql}")


def _above(name: str) -> list[View]:
    """Return the views that rest on one, in build order."""
    found: dict[str, View] = {}
    for view in views():
        if name in view.reads or view.reads & found.keys():
            found[view.qualified] = view
    return list(found.values())


def is_stale(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether a load or a decision came after the stored views were computed."""
    rows = connection.execute(f"select state is distinct from ({_STATE}) from study.build").fetchall()
    return not rows or bool(rows[0][0])


def mark_fresh(connection: duckdb.DuckDBPyConnection) -> None:
    """Remember what the core tables hold while the stored views are computed from it."""
    connection.execute(f"create or replace table study.build as select ({_STATE}) as state")


def run_query(
    connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, object] | None = None
) -> pl.DataFrame:
    """Run a named query with its parameters; those left out take their defaults.

    Raises UsageError for wrong parameters, and WarehouseError when the stored views are older than the data.
    """
    query = find_query(name)
    values = bind_parameters(query, parameters or {})
    try:
        if is_stale(connection):
            raise _stale()
        result: pl.DataFrame = connection.sql(query.sql, params=values).pl()
    except duckdb.Error as error:
        raise query_error(error) from None
    return result


def _stale() -> WarehouseError:
    return WarehouseError(
        "The study's views are older than the data.",
        "Something was loaded or decided since they were computed.",
        "etl validate, which computes them",
    )


def find_query(name: str) -> Query:
    """Return a named query. Raises UsageError with the names that resemble it."""
    if name in queries():
        return queries()[name]
    near = get_close_matches(name, queries(), n=1)
    raise UsageError(
        f"There is no query called {name}.",
        "The catalogue has no such name.",
        near[0] if near else ", ".join(queries()),
    )


def bind_parameters(query: Query, given: Mapping[str, object]) -> dict[str, object]:
    """Return a value for every parameter of a query. Raises UsageError for unknown, missing and ill-typed ones."""
    known = {parameter.name: parameter for parameter in query.parameters}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UsageError(
            f"The query {query.name} has no parameter {unknown[0]}.",
            "Its header names those that it has.",
            ", ".join(known) or "the query without one",
        )
    return {
        name: _bind(query, parameter, given.get(name, parameter.default)) for name, parameter in known.items()
    }


def _bind(query: Query, parameter: Parameter, value: object) -> object:
    if value is None:
        raise UsageError(
            f"The query {query.name} needs the parameter {parameter.name}.",
            parameter.sentence,
            f"-p {parameter.name}=VALUE",
        )
    try:
        return _CASTS[parameter.kind](str(value))
    except ValueError:
        raise UsageError(
            f"The parameter {parameter.name} of {query.name} is a {parameter.kind}.",
            "What was given cannot be read as one.",
            f"-p {parameter.name}=VALUE",
        ) from None


def _sql_files(*folders: str) -> list[Traversable]:
    folder = files("warehouse").joinpath(*folders)
    return sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)


def _reads(sql: str) -> frozenset[str]:
    code = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    return frozenset(f"{schema}.{name}" for schema, name in _READS.findall(code))


def _layer(folder: str, schema: str) -> list[View]:
    found = {}
    for file in _sql_files("views", folder):
        sql = file.read_text("utf-8")
        head = read_header(sql)
        name = file.name.removesuffix(".sql")
        found[f"{schema}.{name}"] = View(
            schema=schema,
            name=name,
            title=head["title"],
            grain=head["grain"],
            parameters=head["parameters"],
            source=head["source"],
            reads=_reads(sql),
            is_stored=head.get("stored") == "yes",
            sql=sql,
        )
    order = TopologicalSorter({name: sorted(view.reads & set(found)) for name, view in found.items()})
    return [found[name] for name in order.static_order()]


def _query(topic: str, file: Traversable) -> Query:
    sql = file.read_text("utf-8")
    head = read_header(sql)
    return Query(
        topic=topic,
        name=file.name.removesuffix(".sql"),
        title=head["title"],
        grain=head["grain"],
        parameters=tuple(Parameter(*m) for m in _PARAMETER.findall(head["parameters"])),
        source=head["source"],
        subjects=" ".join(head.get("subjects", "").split()),
        reads=_reads(sql),
        sql=sql,
    )
