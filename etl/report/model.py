"""The one result model behind every format of the report: what was checked, what was found, what is in the warehouse."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import duckdb

from etl.report import panels
from etl.report.disclosure import share
from etl.validate import ValidationReport
from expectations.result import STATUSES, CheckResult
from expectations.suite import FOLDER, SUBCATEGORIES, Check, load_suites

PACKAGES = ("great-expectations", "duckdb", "polars", "pandera")

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """Everything that a format shows; plain values only, and nothing that has to stay in the hospital."""

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


def build_report(connection: duckdb.DuckDBPyConnection, validation: ValidationReport) -> Report:
    """Describe a stored validation and the warehouse that it looked at, small cells of subjects hidden."""
    definitions = [check for suite in load_suites() for check in suite.checks]
    contexts = {check.id: check.context for check in definitions}
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
        checks=[_check(check, validation.results) for check in definitions],
        files=panels.files(connection),
        subjects=panels.subjects(connection),
        analytes=panels.analytes(connection),
        scales=panels.scales(connection),
        held=panels.held(connection),
        versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
        digests=_digests(),
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


def _check(check: Check, results: Sequence[CheckResult]) -> Row:
    own = [result for result in results if result.check_id == check.id]
    return {
        "id": check.id,
        "suite": check.suite,
        "category": check.category,
        "subcategory": check.subcategory,
        "context": check.context,
        "severity": check.severity,
        "threshold": check.threshold,
        "expectation": check.expectation or "expect_few_unexpected_rows",
        "text": {
            language: {part: check.text(part, language) for part in ("sentence", "reason", "advice")}
            for language in ("en", *check.translations)
        },
        "counts": _count(own),
        "results": [_result(check, result) for result in own],
    }


def _result(check: Check, result: CheckResult) -> Row:
    """Return a result as it may be shared: where subjects are counted, few of them are not."""
    numerator, denominator, percentage = result.numerator, result.denominator, result.percentage
    if check.counts == "subjects" and numerator is not None and denominator is not None:
        numerator, denominator = share(numerator, denominator)
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
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(FOLDER.glob("*.toml"))
    }
