"""Great Expectations suites as data, by Kahn category, and what runs them on DuckDB."""

from __future__ import annotations

from expectations.result import SEVERITIES, STATUSES, CheckResult, findings, worst
from expectations.runner import Parameters, run_suites
from expectations.suite import Check, Suite, load_suites, override_thresholds, refuse_idle_overrides

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
    "refuse_idle_overrides",
    "run_suites",
    "worst",
]
