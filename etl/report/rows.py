"""The rows to fix, with what their source says: for the report that stays in the hospital, and for no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from etl import quarantine as use
from etl.report.words import languages, reason_texts
from etl.trace import Step, Tracer
from expectations.result import CheckResult
from expectations.suite import load_suites
from warehouse import quarantine
from warehouse.keys import Keys
from warehouse.quarantine import Chosen, HeldRecord

# A page of more rows is no help; `etl quarantine export` and `etl trace` have them all.
MOST_HELD = 2_000
MOST_TRACED = 20  # rows of one check

Row = dict[str, Any]


@dataclass(frozen=True)
class Fixes:
    """Rows to fix, and how many more there are than are listed."""

    rows: list[Row]
    left_out: int

    @property
    def record_ids(self) -> list[str]:
        """Return the ids of the rows whose source is shown."""
        return [row["id"] for row in self.rows]


def rows_to_fix(connection: duckdb.DuckDBPyConnection, keys: Keys, results: Sequence[CheckResult]) -> Fixes:
    """Return every open held record, and the rows that failed checks lead to, with their cells unsealed."""
    held = quarantine.records(connection, Chosen())
    rows = [_held(record, keys) for record in held[:MOST_HELD]]
    left_out = len(held) - len(rows)
    failed = {result.check_id for result in results if result.is_finding}
    tracer = Tracer(connection, keys)
    for check in (check for suite in load_suites() for check in suite.checks if check.id in failed):
        found = tracer.trace(check.id)
        advice = {language: check.text("advice", language) for language in languages()}
        rows += [_traced(check.id, step, advice) for step in found.steps[:MOST_TRACED] if step.kind != "held"]
        left_out += max(0, found.rows - MOST_TRACED)
    return Fixes(rows, left_out)


def _held(record: HeldRecord, keys: Keys) -> Row:
    shown = use.original(record, keys)
    advice = {
        language: " ".join(reason_texts(reason)[language]["advice"] for reason in record.reasons)
        for language in languages()
    }
    return {
        "id": record.record_id,
        "about": list(record.reasons),
        "site": record.site,
        "feed": record.feed,
        "path": shown["path"],
        "place": record.locator,
        "original": _said(shown["fields"]),
        "text": advice,
    }


def _traced(check_id: str, step: Step, advice: dict[str, str]) -> Row:
    return {
        "id": step.id,
        "about": [check_id],
        "site": step.site,
        "feed": step.feed,
        "path": step.source.get("path"),
        "place": step.source.get("locator"),
        "original": _said({"what": step.what} | step.cells),
        "text": advice,
    }


def _said(cells: dict[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in cells.items() if value not in (None, ""))
