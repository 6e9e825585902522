"""Great Expectations on an open DuckDB connection: the only module that imports it, and the boundary of its values.

Great Expectations closes its connection before it fetches from DuckDB, so the execution engine here keeps one. Its
results and exceptions quote cells; nothing leaves this module but counts and the names of groups.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from duckdb_engine import ConnectionWrapper
from great_expectations.core import ExpectationValidationResult
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, Expectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.query_metric_provider import QueryMetricProvider
from great_expectations.expectations.registry import get_expectation_impl

from expectations.result import EVERYTHING
from expectations.suite import Check

# No lists of values, no rows: counts are all that may be asked for.
RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0, "include_unexpected_rows": False}


EngineType = type[SqlAlchemyExecutionEngine]


@dataclass(frozen=True)
class Count:
    """Rows that fail among the rows looked at, in one scope."""

    scope: str
    numerator: int
    denominator: int


class UntiedConnection(ConnectionWrapper):
    """Give every query its own transaction: in a shared one, the first check that fails would fail the others."""

    def begin(self) -> None:
        """Do nothing; DuckDB commits by itself."""

    commit = rollback = begin


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Keep one connection for the life of the engine."""

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        """Yield the one connection."""
        if self._connection is None:
            self._connection = self.engine.connect()
        yield self._connection


class DuckDBDatasource(SQLDatasource):
    """Make DuckDB known to Great Expectations, which then offers `data_sources.add_duckdb`."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]  # how a datasource is registered

    @property
    def execution_engine_type(self) -> EngineType:
        """Name the engine."""
        return DuckDBExecutionEngine


class UnexpectedRowsByScope(QueryMetricProvider):
    """Count unexpected rows and all rows of a batch by scope, in one query."""

    metric_name = "unexpected_rows.count_by_scope"
    value_keys = ("numerator", "denominator", "scope")

    @metric_value(engine=DuckDBExecutionEngine)
    def _count(cls, execution_engine, metric_domain_kwargs, metric_value_kwargs, **_):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN202, N805 - the decorator asks for this signature
        rows, _domain, _accessor = execution_engine.get_compute_domain(
            metric_domain_kwargs, domain_type="table"
        )
        wanted = [f"{column} as scope_{index}" for index, column in enumerate(metric_value_kwargs["scope"])]
        wanted += [metric_value_kwargs["numerator"], metric_value_kwargs["denominator"]]
        query = sa.select(*map(sa.literal_column, wanted)).select_from(rows)
        groups: sa.ColumnClause[str] = sa.literal_column("all")
        return [tuple(row) for row in execution_engine.execute_query(query.group_by(groups)).fetchall()]


class ExpectFewUnexpectedRows(BatchExpectation):
    """Expect at most a percentage of unexpected rows in every scope."""

    numerator: str
    denominator: str
    scope: tuple[str, ...] = ()
    max_percentage: float = 0.0

    metric_dependencies: ClassVar[tuple[str, ...]] = (UnexpectedRowsByScope.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("numerator", "denominator", "scope", "max_percentage")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,  # noqa: ARG002 - the base class calls with it
        execution_engine: Any = None,  # noqa: ANN401, ARG002 - the base class calls with it
    ) -> dict[str, Any]:
        groups = metrics[UnexpectedRowsByScope.metric_name]
        few = all(100 * (group[-2] or 0) <= self.max_percentage * (group[-1] or 0) for group in groups)
        return {"success": few, "result": {"groups": groups}}


def count_unexpected(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[Check], value_sets: Mapping[str, Sequence[str]]
) -> dict[str, list[Count] | None]:
    """Run the checks; checks over the same rows share one batch, so their metrics share queries.

    value_sets fill in `value_set = "$name"`. A check that could not run has None in the place of its counts.
    """
    counts: dict[str, list[Count] | None] = {check.id: None for check in checks}
    by_rows: dict[str, list[Check]] = {}
    for check in checks:
        by_rows.setdefault(check.rows, []).append(check)
    with _silence():
        source = _datasource(connection)
        for number, group in enumerate(by_rows.values()):
            counts |= _run(source, f"rows_{number}", group, value_sets)
    return counts


def _run(
    source: DuckDBDatasource, name: str, checks: Sequence[Check], value_sets: Mapping[str, Sequence[str]]
) -> dict[str, list[Count] | None]:
    scopes = {check.id: check.scope for check in checks}
    try:
        suite = gx.ExpectationSuite(
            name=name, expectations=[_expectation(check, value_sets) for check in checks]
        )
        # A select around the rows lets them start with anything that can stand in a FROM clause.
        asset = source.add_query_asset(name, f"select * from (\n{checks[0].rows}\n)")
        batch = asset.add_batch_definition_whole_table(name).get_batch()
        outcome = batch.validate(suite, result_format=RESULT_FORMAT)
    except Exception:  # noqa: BLE001 - whatever it says may quote a cell
        return dict.fromkeys(scopes, None)
    return {
        (check_id := result.expectation_config.meta["check_id"]): _counts(result, scopes[check_id])
        for result in outcome.results
        if result.expectation_config is not None
    }


def _expectation(check: Check, value_sets: Mapping[str, Sequence[str]]) -> Expectation:
    meta = {"check_id": check.id}
    if check.expectation:
        kwargs = {name: _resolve(value, value_sets) for name, value in check.kwargs.items()}
        kwargs |= {"mostly": 1 - check.threshold / 100, "meta": meta}
        return get_expectation_impl(check.expectation)(**kwargs)
    counted = check.unexpected is None
    return ExpectFewUnexpectedRows(
        numerator="sum(numerator)" if counted else f"count(*) filter (where {check.unexpected})",
        denominator="sum(denominator)" if counted else "count(*)",
        scope=check.scope,
        max_percentage=check.threshold,
        meta=meta,
    )


def _resolve(value: Any, value_sets: Mapping[str, Sequence[str]]) -> Any:  # noqa: ANN401 - arguments of any expectation
    is_named = isinstance(value, str) and value.startswith("$")
    return list(value_sets[value.removeprefix("$")]) if is_named else value


def _counts(result: ExpectationValidationResult, scope: Sequence[str]) -> list[Count] | None:
    """Copy the counts of a result and nothing else; None when it holds none, because the check did not run."""
    found = result.result
    if "groups" in found:
        return [
            Count(_label(scope, names), int(bad or 0), int(rows or 0))
            for *names, bad, rows in found["groups"]
        ]
    if "unexpected_count" in found:
        rows = int(found["element_count"]) - int(found.get("missing_count") or 0)
        # The sum over no rows is null.
        return [Count(EVERYTHING, int(found["unexpected_count"] or 0), rows)]
    return None


def _label(scope: Sequence[str], names: Sequence[object]) -> str:
    return ", ".join(f"{column}={name}" for column, name in zip(scope, names, strict=True)) or EVERYTHING


def _datasource(connection: duckdb.DuckDBPyConnection) -> DuckDBDatasource:
    """Return a datasource over the caller's connection, in a context that lives in memory only."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    engine = {"creator": lambda: UntiedConnection(connection), "poolclass": sa.StaticPool}
    source = DuckDBDatasource(name="warehouse", connection_string="duckdb:///:memory:", kwargs=engine)
    context.add_datasource(datasource=source)
    return source


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the library's log from repeating what its exceptions quote."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
