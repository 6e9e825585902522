"""Great Expectations suites as data, by Kahn category, and what runs them on DuckDB."""

from __future__ import annotations

from expectations.result import SEVERITIES, STATUSES, CheckResult, findings, worst
from expectations.runner import Parameters, run_suites
from expectations.suite import Check, Suite, load_suites, override_thresholds

__all__ = [
    "SEVERITIES",
    "STATUSES",
    "Check",
    "CheckResult",
    "Parameters",
    "Suite",
    "findings",
    "load_suites",
    "override_thresholds",
    "run_suites",
    "worst",
]
