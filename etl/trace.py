"""Trace: from a row, a subject or a finding back to the cells of the source, with everything decided on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from etl import quarantine
from etl.findings import rows_of_finding
from etl.mart_lineage import Cell, origins
from etl.run import Run
from etl.study import ready_views
from expectations.suite import load_suites
from schemas.analytes import registry
from schemas.errors import UsageError
from schemas.reasons import REASONS
from warehouse import lineage
from warehouse.connection import open_warehouse
from warehouse.errors import guarded
from warehouse.keys import Keys, load_keys
from warehouse.quarantine import plain_id
from warehouse.seal import unseal

# So many rows are traced in full; more are listed, which is said.
FULL = 200
# What the source says, and what was made of it: shown when it was asked for.
_CELLS = (
    "comparator", "value", "value_source", "unit_source", "analyte_source", "code_source", "text_source", "ref_text",
    "ref_low", "ref_high", "flag_source", "lab_id", "platform", "method",
)  # fmt: skip
_FACTS = (
    "specimen", "collected_at", "resulted_at", "result_status", "absent_reason", "administration_id", "status",
    "started_at", "ended_at", "stage", "corrects", "resolved_by",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One row with its way from the source: plain values, by the names that the warehouse gives them."""

    kind: str  # result, response, attribute, condition, medication, held
    id: str
    subject_id: str | None
    what: str | None
    state: str | None
    site: str
    feed: str
    source: dict[str, Any]  # sha256, format, encoding, row_number, locator
    facts: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)  # empty unless revealed
    unit: dict[str, Any] = field(default_factory=dict)
    load: dict[str, Any] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    repeated: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """What one target leads to."""

    target: str
    kind: str  # row, administration, subject, finding, column
    steps: list[Step]
    rows: int  # all rows, also those that are not traced
    note: str = ""

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


def trace(warehouse: Path, targets: list[str], *, reveal: bool = False) -> list[Trace]:
    """Trace ids of rows, subjects or checks; reveal adds what the source says and is recorded.

    Raises UsageError for a target that leads nowhere.
    """
    return _follow(warehouse, lambda tracer: [tracer.trace(target) for target in targets], reveal=reveal)


def trace_cell(
    warehouse: Path, cell: Cell, study_file: Path | None = None, *, reveal: bool = False
) -> list[Trace]:
    """Trace the columns of a mart's row to the cells they came from, one trace a column; reveal as above.

    Raises UsageError for a mart, row or column that is not there.
    """
    ready_views(warehouse, study_file)
    return _follow(warehouse, lambda tracer: tracer.trace_cell(cell), reveal=reveal)


def _follow(warehouse: Path, follow: Callable[[Tracer], list[Trace]], *, reveal: bool) -> list[Trace]:
    if not reveal:
        with open_warehouse(warehouse, read_only=True) as connection:
            return follow(Tracer(connection, None))
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        found = follow(Tracer(connection, load_keys(warehouse, connection)))
        with Run(connection, warehouse, "trace") as run:
            run.detail = quarantine.revealed_to(ids=[step.id for each in found for step in each.steps])
        return found


class Tracer:
    """Follows rows in one open warehouse; with keys it also opens what is sealed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, keys: Keys | None) -> None:
        self._connection = connection
        self._keys = keys
        self._verdicts = lineage.verdicts(connection)
        self._steps: dict[str, Step] = {}  # many columns of a mart lead to one row

    def trace(self, target: str) -> Trace:
        """Trace one target. Raises UsageError for one that leads nowhere."""
        kind, rows, note = self._rows(target)
        if not rows and not note:
            raise _nowhere(target)
        return self._trace(target, kind, rows, note)

    def trace_cell(self, cell: Cell) -> list[Trace]:
        """Trace the columns of a mart's row."""
        found = origins(self._connection, cell)
        return [self._trace(each.cell, "column", each.rows, each.note) for each in found]

    def _trace(self, target: str, kind: str, rows: list[lineage.Row], note: str) -> Trace:
        if len(rows) > FULL:
            note = f"{note} {len(rows)} rows; the first {FULL} are shown.".strip()
        return Trace(target, kind, [self._step(row) for row in rows[:FULL]], len(rows), note)

    def _rows(self, target: str) -> tuple[str, list[lineage.Row], str]:
        """Return what a target is, and the rows that it leads to."""
        check = next((each for suite in load_suites() for each in suite.checks if each.id == target), None)
        if check:
            return "finding", *rows_of_finding(self._connection, check)
        wanted = plain_id(target)
        if rows := lineage.rows_by_id(self._connection, wanted):
            return "row", rows, ""
        if rows := lineage.rows_of_administration(self._connection, wanted):
            return "administration", rows, "Its scores are derived from these answers."
        return "subject", lineage.rows_of_subject(self._connection, target), ""

    def _step(self, row: lineage.Row) -> Step:
        if row["id"] not in self._steps:
            self._steps[row["id"]] = self._walk(row)
        return self._steps[row["id"]]

    def _walk(self, row: lineage.Row) -> Step:
        load = lineage.load_of(self._connection, row["file_id"])
        place = {name: load.get(name) for name in ("sha256", "format", "encoding")}
        place |= {"row_number": row["row_number"], "locator": quarantine.masked(row["locator"])}
        if self._keys:
            sealed = load.get("name_sealed")
            place |= {
                "locator": row["locator"],
                "path": unseal(self._keys.seal, sealed).decode() if sealed else None,
            }
        kept = ("load_id", "run_id", "command", "tool_version", "loaded_at", "delivery", "plan_digest")
        return Step(
            **{name: row[name] for name in ("kind", "id", "subject_id", "what", "state", "site", "feed")},
            source=place,
            facts={name: row[name] for name in _FACTS if row.get(name) is not None},
            cells=self._cells(row, load),
            unit=_unit(row),
            load={name: load.get(name) for name in kept},
            decisions=self._decisions(row, load),
            rules=_own_rules(row) + self._checks(row),
            repeated=self._repeated(row),
            versions=lineage.versions_of(self._connection, row.get("result_key"), row["id"]),
        )

    def _cells(self, row: lineage.Row, load: lineage.Row) -> dict[str, Any]:
        if not self._keys:
            return {}
        if row["kind"] == "held":
            return dict(quarantine.opened(row["raw_sealed"], self._keys, load.get("encoding")))
        return {name: row[name] for name in _CELLS if row.get(name) is not None}

    def _decisions(self, row: lineage.Row, load: lineage.Row) -> list[dict[str, Any]]:
        """Return what was decided for whole columns of the file, and what people decided on the row."""
        columns = lineage.column_decisions(self._connection, load["load_id"]) if load else []
        decided = [each | {"evidence": json.loads(each["evidence"] or "{}")} for each in columns]
        return decided + lineage.decisions_on(self._connection, row["id"])

    def _checks(self, row: lineage.Row) -> list[dict[str, Any]]:
        """Return the verdicts of the newest validation whose scope holds the row."""
        known = {"site": row["site"], "feed": row["feed"], "file_id": row["file_id"]}
        if row["kind"] == "result":
            known |= {"analyte": row["what"]}
        elif row["kind"] == "response":
            known |= {"instrument": row["what"].split("/")[0]}
        return [each for each in self._verdicts if _covers(each["scope"], known)]

    def _repeated(self, row: lineage.Row) -> list[dict[str, Any]]:
        found = lineage.duplicates_of(self._connection, row["id"])
        if self._keys:
            return found
        return [each | {"locator": quarantine.masked(each["locator"])} for each in found]


def _covers(scope: str, known: dict[str, str]) -> bool:
    """Tell whether a scope such as `site=north, analyte=ferritin` holds a row; what holds everything says nothing of it."""
    parts = [part.partition("=") for part in scope.split(", ")]
    return all(known.get(name) == value for name, _, value in parts)


def _unit(row: lineage.Row) -> dict[str, Any]:
    """Return the unit of a result, and the factor that led to it with its source."""
    if row["kind"] != "result" or row["unit"] is None:
        return {}
    found = {name: row[name] for name in ("unit", "unit_basis", "unit_flag", "factor_id")}
    analyte = registry().get(row["what"])
    if analyte is None or not row["factor_id"]:
        return found
    _, *measured, unit = row["factor_id"].split(":")
    measured_as = measured[0] if measured else None
    conversion = analyte.conversion(unit, measured_as)
    if conversion is None:
        return found
    stated = next((each.factor for each in analyte.affine if each.unit == unit), None)
    if stated is None and analyte.property_of(unit) != analyte.property:
        masses = analyte.molar_masses
        stated = masses.get(measured_as) or masses.get(analyte.measured_as)
    # Without a molar mass a factor follows from the two units alone.
    source = stated.source if stated else f"the definitions of {unit} and {analyte.unit} (UCUM)"
    return found | {"factor": conversion.factor, "offset": conversion.offset, "factor_source": source}


def _own_rules(row: lineage.Row) -> list[dict[str, Any]]:
    """Return the rules that the row itself met or broke when it was loaded."""
    if row["kind"] == "held":
        return [
            {"check_id": name, "status": "failed", "sentence": quarantine.sentence(name)}
            for name in row["reasons"]
        ]
    analyte = registry().get(row["what"]) if row["kind"] == "result" else None
    if analyte is None or row["value"] is None:
        return []
    low, high = analyte.hard
    sentence = f"The value lies between {low:g} and {high:g} {analyte.unit}."
    return [{"check_id": REASONS["out_of_bounds"].id, "status": "passed", "sentence": sentence}]


def _nowhere(target: str) -> UsageError:
    checks = [each.id for suite in load_suites() for each in suite.checks]
    near = get_close_matches(target, checks, n=1)
    return UsageError(
        "Nothing in the warehouse has this id.",
        "A target is the id of a result, an answer, an administration, a held record or a subject, the name of a check or a mart.",
        f"etl trace {near[0]}"
        if near
        else "etl sql 'select result_id, subject_id from core.lab_result limit 5'",
    )
