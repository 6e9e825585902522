"""The one result model behind every format of the report: what was checked, what was found, what is in the warehouse."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import duckdb

from etl.disclosure import share
from etl.inspect import registry_digest
from etl.report import panels
from etl.report.rows import Fixes
from etl.run import tool_version
from etl.validate import ValidationReport
from expectations.result import STATUSES, CheckResult
from expectations.suite import FOLDER, SUBCATEGORIES, Check, load_suites

PACKAGES = ("great-expectations", "duckdb", "polars", "pandera")

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """Everything that a format shows, as plain values; nothing has to stay in the hospital unless it is revealing."""

    run_id: str
    checked_at: str
    fail_on: str
    previous_run_id: str | None
    verdict: str  # clean, blocked or nothing
    blocking: int
    counts: dict[str, int]  # by status
    changes: dict[str, list[Row]]
    kahn: list[Row]
    checks: list[Row]
    files: list[Row]
    subjects: Row
    analytes: list[Row]
    scales: list[Row]
    held: list[Row]
    versions: dict[str, str]
    digests: dict[str, str]
    is_revealing: bool = False
    fixes: list[Row] = field(default_factory=list)  # empty unless revealing
    fixes_left_out: int = 0


def build_report(
    connection: duckdb.DuckDBPyConnection, validation: ValidationReport, fixes: Fixes | None = None
) -> Report:
    """Describe a stored validation and the warehouse that it looked at, small cells of subjects hidden.

    fixes: the rows to fix, with what their source says; they make the report one that stays in the hospital.
    """
    definitions = [check for suite in load_suites() for check in suite.checks]
    contexts = {check.id: check.context for check in definitions}
    subjects = panels.subjects(connection)
    verdict = "clean" if validation.is_clean else "blocked" if validation.blocking else "nothing"
    return Report(
        run_id=validation.run_id,
        checked_at=validation.checked_at.isoformat(sep=" ", timespec="minutes"),
        fail_on=validation.fail_on,
        previous_run_id=validation.previous_run_id,
        verdict=verdict,
        blocking=len(validation.blocking),
        counts=_count(validation.results),
        changes={
            name: [
                {"check_id": each.check_id, "scope": each.scope, "severity": each.severity} for each in group
            ]
            for name, group in vars(validation.changes).items()
        },
        kahn=_kahn(validation.results, contexts),
        checks=[_check(check, validation.results, _hidden_groups(subjects)) for check in definitions],
        files=panels.files(connection),
        subjects=subjects,
        analytes=panels.analytes(connection),
        scales=panels.scales(connection),
        held=panels.held(connection),
        versions={"etl": tool_version(), "python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
        digests=_digests(),
        is_revealing=fixes is not None,
        fixes=fixes.rows if fixes else [],
        fixes_left_out=fixes.left_out if fixes else 0,
    )


def _count(results: Sequence[CheckResult]) -> dict[str, int]:
    return {status: sum(result.status == status for result in results) for status in STATUSES}


def _kahn(results: Sequence[CheckResult], contexts: dict[str, str]) -> list[Row]:
    """Return results by category, subcategory and context, in the order of the publication."""
    rows = []
    for category, names in SUBCATEGORIES.items():
        for name in names:
            for context in ("verification", "validation"):
                here = [
                    result
                    for result in results
                    if (result.category, result.subcategory) == (category, name)
                    and contexts.get(result.check_id) == context
                ]
                if here:
                    rows.append(
                        {"category": category, "subcategory": name, "context": context} | _count(here)
                    )
    return rows


def _hidden_groups(subjects: Row) -> set[tuple[str, str]]:
    """Return the sites and groups whose number of subjects is hidden; `described` is a whole site."""
    groups = [*subjects["groups"], "described"]
    return {
        (row["site"], group)
        for row in subjects["rows"]
        for group, number in zip(groups, [*row["subjects"], row["total"]], strict=True)
        if number is None
    }


def _check(check: Check, results: Sequence[CheckResult], hidden: set[tuple[str, str]]) -> Row:
    own = [result for result in results if result.check_id == check.id]
    return {
        "id": check.id,
        "suite": check.suite,
        "category": check.category,
        "subcategory": check.subcategory,
        "context": check.context,
        "severity": check.severity,
        "threshold": check.threshold,
        "counts_as": check.counts,
        "expectation": check.expectation or "expect_few_unexpected_rows",
        "text": {
            language: {part: check.text(part, language) for part in ("sentence", "reason", "advice")}
            for language in ("en", *check.translations)
        },
        "counts": _count(own),
        "results": [_result(check, result, hidden) for result in own],
    }


def _result(check: Check, result: CheckResult, hidden: set[tuple[str, str]]) -> Row:
    """Return a result as it may be shared: where subjects are counted, few of them are not, nor is a hidden group."""
    numerator, denominator, percentage = result.numerator, result.denominator, result.percentage
    if check.counts == "subjects" and numerator is not None and denominator is not None:
        scope = dict(part.partition("=")[::2] for part in result.scope.split(", "))
        group = scope.get("cohort_group", check.population)
        is_hidden = (scope.get("site"), group) in hidden
        numerator, denominator = (None, None) if is_hidden else share(numerator, denominator)
        percentage = percentage if numerator is not None else None
    return {
        "scope": result.scope,
        "status": result.status,
        "numerator": numerator,
        "denominator": denominator,
        "percentage": None if percentage is None else round(percentage, 2),
        "threshold": result.threshold,
        # What the definition does not say: the note of an overridden threshold.
        "note": result.reason.removeprefix(check.reason).strip()
        if result.status in {"failed", "passed"}
        else "",
    }


def _digests() -> dict[str, str]:
    """Return what identifies the definitions that were in force."""
    suites = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(FOLDER.glob("*.toml"))
    }
    return {"registry": registry_digest()} | suites
