"""The result of a check: one row of meta.check_result, and the orders in which results are judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

# Gravest first. A check that did not run is never a pass, so `error` comes before all that ran.
STATUSES = ("error", "not_applicable", "failed", "passed")

# Gravest first. fatal: no analysis before it is settled; convention: to be explained; characterization: to be known.
SEVERITIES = ("fatal", "convention", "characterization")

# From which severity on a failure blocks.
FAIL_ON = ("fatal", "convention", "any")

EVERYTHING = "all"


@dataclass(frozen=True)
class CheckResult:
    """One check in one scope. The fields are the columns of meta.check_result, in their order.

    numerator: rows that fail; denominator: rows looked at; percentage: 100 * numerator / denominator; all three are
    null when the check ended in an error, and percentage is null when there was nothing to look at: `reason` says so.
    """

    run_id: str
    suite: str
    check_id: str
    category: str
    subcategory: str
    severity: str
    scope: str
    status: str
    numerator: int | None
    denominator: int | None
    percentage: float | None
    threshold: float
    sentence: str
    reason: str
    advice: str
    checked_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the same check in another run."""
        return self.check_id, self.scope

    @property
    def is_finding(self) -> bool:
        """Tell whether someone has to look at it."""
        return self.status in {"error", "failed"}


def worst(results: Iterable[CheckResult]) -> str:
    """Return the gravest status present; `not_applicable` when there are no results."""
    found = {result.status for result in results}
    return next((status for status in STATUSES if status in found), "not_applicable")


def findings(results: Iterable[CheckResult], fail_on: str) -> list[CheckResult]:
    """Return what blocks: failures at or above a severity, and every check that could not run."""
    graver = SEVERITIES[: FAIL_ON.index(fail_on) + 1]
    return [
        result
        for result in results
        if result.status == "error" or (result.status == "failed" and result.severity in graver)
    ]
