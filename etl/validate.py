"""Validate: run the suites on the warehouse, store the results, and tell what changed since the last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import duckdb
import polars as pl

from etl.clocks import clocks
from etl.derived import differences
from etl.suspicion import suspicions
from expectations.result import FAIL_ON, STATUSES, CheckResult, findings, worst
from expectations.runner import Parameters, run_suites
from expectations.suite import Suite, load_suites, override_thresholds, refuse_idle_overrides
from schemas.analytes import registry
from schemas.codes import VALUES
from schemas.errors import UsageError
from schemas.instruments import INSTRUMENTS
from schemas.tables import COMPARATORS

# The words of the contract tables, as their definition in the first migration lists them.
WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "comparator": COMPARATORS,
        "method_kind": ("reported", "derived"),
        "result_status": VALUES["result_status"],
        "row_state": ("current", "superseded", "conflicting", "withdrawn"),
        "score_status": ("complete", "prorated", "incomplete", "invalid", "unverified", "not_applicable"),
        "unit_basis": ("stated", "range", "declared"),
    }
)

ANALYTE_SCHEMA: Final = {
    "analyte": pl.String,
    "unit": pl.String,
    "hard_low": pl.Float64,
    "hard_high": pl.Float64,
    "soft_low": pl.Float64,
    "soft_high": pl.Float64,
}
ASSAY_SCHEMA: Final = {"analyte": pl.String, "low": pl.Float64, "high": pl.Float64}
FACTOR_SCHEMA: Final = {"factor_id": pl.String, "factor": pl.Float64}
SCALE_SCHEMA: Final = {
    "instrument": pl.String,
    "version": pl.String,
    "scale": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
}

_COLUMNS: Final = ", ".join(field.name for field in fields(CheckResult))


@dataclass(frozen=True)
class Changes:
    """What differs from the run before, by check and scope.

    unsettled: failed before, and now without rows to look at, or without that scope; not a sign that it was mended.
    """

    new: tuple[CheckResult, ...] = ()
    persisting: tuple[CheckResult, ...] = ()
    resolved: tuple[CheckResult, ...] = ()
    unsettled: tuple[CheckResult, ...] = ()


@dataclass(frozen=True)
class ValidationReport:
    """The results of one run, and what it takes to judge them."""

    run_id: str
    checked_at: datetime
    fail_on: str
    results: tuple[CheckResult, ...]
    changes: Changes
    previous_run_id: str | None = None

    @property
    def blocking(self) -> list[CheckResult]:
        """Return what has to be settled before an analysis."""
        return findings(self.results, self.fail_on)

    @property
    def status(self) -> str:
        """Return the gravest status of the run."""
        return worst(self.results)

    def exit_code(self) -> int:
        """Return 1 when something blocks."""
        return 1 if self.blocking else 0

    def document(self) -> dict[str, Any]:
        """Return the run as one JSON document."""
        return {
            "run_id": self.run_id,
            "checked_at": self.checked_at.isoformat(),
            "fail_on": self.fail_on,
            "status": self.status,
            "is_clean": self.is_clean,
            "blocking": len(self.blocking),
            "counts": {
                status: sum(result.status == status for result in self.results) for status in STATUSES
            },
            "previous_run_id": self.previous_run_id,
            "changes": {
                name: [{"check_id": each.check_id, "scope": each.scope} for each in group]
                for name, group in vars(self.changes).items()
            },
            "results": [
                asdict(result) | {"checked_at": result.checked_at.isoformat()} for result in self.results
            ],
        }

    @property
    def is_clean(self) -> bool:
        """Tell whether an analysis may go ahead: something was checked, and nothing blocks."""
        return not self.blocking and any(result.status == "passed" for result in self.results)


def validate(
    connection: duckdb.DuckDBPyConnection,
    *,
    run_id: str,
    as_of: datetime,
    fail_on: str = "fatal",
    thresholds: Path | None = None,
) -> ValidationReport:
    """Run every suite on the committed state of an open warehouse and store the results in meta.check_result.

    as_of: the present in the hospital's local time; what lies after it lies in the future. fail_on: fatal, convention
    or any. thresholds: CSV with check_id, scope, threshold, notes. Raises UsageError or DefinitionError.
    """
    if fail_on not in FAIL_ON:
        raise UsageError(
            f"'{fail_on}' is no severity.", "Checks have three.", f"--fail-on {' | '.join(FAIL_ON)}"
        )
    suites: Sequence[Suite] = load_suites()
    if thresholds:
        suites = override_thresholds(suites, thresholds)
    results = run_suites(connection, suites, parameters(connection, as_of), run_id=run_id, checked_at=as_of)
    refuse_idle_overrides(suites, results)
    previous = _newest_run(connection, except_for=run_id)
    before = _stored(connection, previous)
    _store(connection, results, run_id)
    return ValidationReport(run_id, as_of, fail_on, tuple(results), compare(results, before), previous)


def last_validation(connection: duckdb.DuckDBPyConnection, fail_on: str = "fatal") -> ValidationReport | None:
    """Return the newest stored run with its changes, without running anything; None before the first."""
    run_id = _newest_run(connection, except_for="")
    if run_id is None:
        return None
    results = _stored(connection, run_id)
    previous = _newest_run(connection, except_for=run_id)
    changes = compare(results, _stored(connection, previous))
    return ValidationReport(run_id, results[0].checked_at, fail_on, tuple(results), changes, previous)


def compare(results: Sequence[CheckResult], before: Sequence[CheckResult]) -> Changes:
    """Sort the findings of two runs into new, persisting, resolved and unsettled."""
    now_at = {result.key: result for result in results}
    was_open = {result.key: result for result in before if result.is_finding}
    is_passed = {key for key, result in now_at.items() if result.status == "passed"}
    open_now = [result for result in results if result.is_finding]
    return Changes(
        new=tuple(result for result in open_now if result.key not in was_open),
        persisting=tuple(result for result in open_now if result.key in was_open),
        resolved=tuple(now_at[key] for key in was_open if key in is_passed),
        unsettled=tuple(
            result
            for key, result in was_open.items()
            if key not in is_passed and not (key in now_at and now_at[key].is_finding)
        ),
    )


def parameters(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> Parameters:
    """Return what the suites read beside core: the registries, the present, and what the values say of themselves."""
    return Parameters(
        frames={
            "run": pl.DataFrame({"as_of": [as_of]}),
            "analyte": _analytes(connection),
            "factor": _factors(),
            "assay": _assays(),
            "scale": _scales(),
            "suspicion": suspicions(connection),
            "difference": differences(connection),
            "clock": clocks(connection),
        },
        value_sets=WORDS,
    )


def _analytes(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return unit and bounds of each analyte; a hard bound that a mapping widens is wide for the check, too."""
    declared = connection.execute(
        """
        select split_part(about, ':', 2), min(split_part(value, '..', 1)::double), max(split_part(value, '..', 2)::double)
        from meta.column_decision inner join meta.load using (load_id)
        where about like 'bounds:%' and status = 'active'
        group by all
        """
    ).fetchall()
    wide = {name: (low, high) for name, low, high in declared}
    rows = [
        (name, each.unit, *_widest(each.hard, wide.get(name, each.hard)), *each.soft)
        for name, each in registry().items()
    ]
    return pl.DataFrame(rows, schema=ANALYTE_SCHEMA, orient="row")


def _widest(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), max(one[1], other[1])


def _factors() -> pl.DataFrame:
    """Return every conversion of the registry; units with one factor count as one unit."""
    conversions = (
        analyte.conversion(unit, measured_as)
        for analyte in registry().values()
        for unit in analyte.units
        for measured_as in (None, *filter(None, analyte.molar_masses))
    )
    rows = {(each.factor_id, each.factor) for each in conversions if each is not None}
    return pl.DataFrame(sorted(rows), schema=FACTOR_SCHEMA, orient="row")


def _assays() -> pl.DataFrame:
    """Return what each known assay can measure, in the canonical unit of its analyte."""
    rows = [
        (name, *(limit * conversion.factor + conversion.offset for limit in (assay.low, assay.high)))
        for name, analyte in registry().items()
        for assay in analyte.assays
        if (conversion := analyte.conversion(assay.unit)) is not None
    ]
    return pl.DataFrame(rows, schema=ASSAY_SCHEMA, orient="row")


def _scales() -> pl.DataFrame:
    rows = [
        (name, version.id, scale.id, scale.low, scale.high)
        for name, instrument in INSTRUMENTS.items()
        for version in instrument.versions.values()
        for scale in version.scales.values()
        if not scale.is_hidden
    ]
    return pl.DataFrame(rows, schema=SCALE_SCHEMA, orient="row")


def _newest_run(connection: duckdb.DuckDBPyConnection, *, except_for: str) -> str | None:
    newest = connection.execute(
        "select run_id from meta.check_result where run_id <> ? group by run_id order by max(checked_at) desc, run_id limit 1",
        [except_for],
    ).fetchone()
    return str(newest[0]) if newest else None


def _stored(connection: duckdb.DuckDBPyConnection, run_id: str | None) -> list[CheckResult]:
    rows = connection.execute(
        f"select {_COLUMNS} from meta.check_result where run_id = ? order by suite, check_id, scope", [run_id]
    ).fetchall()
    return [CheckResult(*row) for row in rows]


def _store(connection: duckdb.DuckDBPyConnection, results: Sequence[CheckResult], run_id: str) -> None:
    """Replace what is stored of this run, so that a repeated run leaves one set of results."""
    names = _COLUMNS.split(", ")
    frame = pl.DataFrame(
        [astuple(result) for result in results], schema=names, orient="row", infer_schema_length=None
    )
    connection.execute("delete from meta.check_result where run_id = ?", [run_id])
    connection.register("incoming", frame)
    connection.execute(f"insert into meta.check_result ({_COLUMNS}) select {_COLUMNS} from incoming")
    connection.unregister("incoming")
