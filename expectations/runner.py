"""Run suites on an open warehouse and judge the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from expectations.result import EVERYTHING, CheckResult
from expectations.suite import Check, Suite

if TYPE_CHECKING:
    from expectations.adapter import Count

DID_NOT_RUN = "The check could not run, so nothing is known; it counts as a finding."
NOTHING_TO_CHECK = "There are no rows to look at, so there is no percentage."


@dataclass(frozen=True)
class Parameters:
    """What the checks need to know beside the warehouse.

    frames: name -> rows, which the checks read as the table `registry_<name>`. value_sets: name -> allowed words,
    which stand in a check as `value_set = "$name"`.
    """

    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    value_sets: Mapping[str, Sequence[str]] = field(default_factory=dict)


def run_suites(
    connection: duckdb.DuckDBPyConnection,
    suites: Sequence[Suite],
    parameters: Parameters,
    *,
    run_id: str,
    checked_at: datetime,
) -> list[CheckResult]:
    """Run every check on the committed state of an open warehouse; reading only, so a read-only connection will do.

    A check gives one result for each of its scopes, and never raises: what fails to run has the status `error`.
    """
    from expectations.adapter import count_unexpected  # the import takes seconds

    checks = [check for suite in suites for check in suite.checks]
    # A second connection to the same database: temporary tables stay with it and end with it.
    with connection.cursor() as cursor:
        for name, frame in parameters.frames.items():
            cursor.register("incoming", frame)
            cursor.execute(f"create temp table registry_{name} as select * from incoming")
            cursor.unregister("incoming")
        counts = count_unexpected(cursor, checks, parameters.value_sets)
    return [result for check in checks for result in _judge_all(check, counts[check.id], run_id, checked_at)]


def _judge_all(
    check: Check, counts: list[Count] | None, run_id: str, checked_at: datetime
) -> list[CheckResult]:
    if counts is None:
        return [_result(check, EVERYTHING, None, run_id, checked_at)]
    if not counts:
        return [_result(check, EVERYTHING, (0, 0), run_id, checked_at)]
    ordered = sorted(counts, key=lambda count: count.scope)
    return [
        _result(check, count.scope, (count.numerator, count.denominator), run_id, checked_at)
        for count in ordered
    ]


def _result(
    check: Check, scope: str, counts: tuple[int, int] | None, run_id: str, checked_at: datetime
) -> CheckResult:
    threshold, note = check.limit(scope)
    numerator, denominator = counts or (None, None)
    percentage = 100 * numerator / denominator if numerator is not None and denominator else None
    status, reason = _judge(check, counts, threshold)
    if note:
        reason = f"{reason} The threshold is {threshold:g} % instead of {check.threshold:g} %: {note}"
    return CheckResult(
        run_id=run_id,
        suite=check.suite,
        check_id=check.id,
        category=check.category,
        subcategory=check.subcategory,
        severity=check.severity,
        scope=scope,
        status=status,
        numerator=numerator,
        denominator=denominator,
        percentage=percentage,
        threshold=threshold,
        sentence=check.sentence,
        reason=reason,
        advice=check.advice,
        checked_at=checked_at,
    )


def _judge(check: Check, counts: tuple[int, int] | None, threshold: float) -> tuple[str, str]:
    if counts is None:
        return "error", DID_NOT_RUN
    numerator, denominator = counts
    if denominator == 0:
        return "not_applicable", NOTHING_TO_CHECK
    # Compared as products: a share of exactly the threshold passes, whatever a division would round it to.
    return ("failed" if 100 * numerator > threshold * denominator else "passed"), check.reason
