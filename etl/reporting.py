"""The report command: the newest validation, written in every format that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from etl.quarantine import revealed_to
from etl.report import FORMATS, Report, build_report, write_report
from etl.report.rows import rows_to_fix
from etl.report.words import words
from etl.run import Run
from etl.validate import ValidationReport, last_validation
from expectations.result import FAIL_ON
from schemas.errors import UsageError
from warehouse.connection import open_warehouse
from warehouse.errors import guarded
from warehouse.keys import load_keys

NAME = "validation"
# Another name, so that nobody sends the one for the other.
REVEALING = "validation.revealed"


def write_reports(
    warehouse: Path,
    out: Path,
    formats: Sequence[str],
    language: str = "en",
    fail_on: str = "fatal",
    *,
    reveal: bool = False,
) -> list[Path]:
    """Write the newest validation to a folder, one file a format; return the files.

    The files hold no value of a subject, and small counts of subjects are hidden. reveal: add the rows to fix with what
    their source says; such files are readable for their owner alone, and that they were made is recorded. Raises
    UsageError for an unknown format, language or severity, and where nothing was validated yet.
    """
    endings = [f".{each.strip().lower()}" for each in formats]
    unknown = [ending for ending in endings if ending not in FORMATS]
    if unknown:
        known = ",".join(ending.removeprefix(".") for ending in FORMATS)
        raise UsageError(
            f"A report cannot be written as '{unknown[0][1:]}'.",
            "There is no such format.",
            f"--format {known}",
        )
    if fail_on not in FAIL_ON:
        raise UsageError(
            f"'{fail_on}' is no severity.", "Checks have three.", f"--fail-on {' | '.join(FAIL_ON)}"
        )
    words(language)
    report = _revealing(warehouse, fail_on) if reveal else _shareable(warehouse, fail_on)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{REVEALING if reveal else NAME}{ending}" for ending in dict.fromkeys(endings)]
    for path in paths:
        write_report(report, path, language)
    return paths


def _shareable(warehouse: Path, fail_on: str) -> Report:
    with open_warehouse(warehouse, read_only=True) as connection:
        return build_report(connection, _validated(connection, fail_on))


def _revealing(warehouse: Path, fail_on: str) -> Report:
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        validation = _validated(connection, fail_on)
        with Run(connection, warehouse, "report") as run:
            fixes = rows_to_fix(connection, load_keys(warehouse, connection), validation.results)
            run.detail = revealed_to(ids=fixes.record_ids)
        return build_report(connection, validation, fixes)


def _validated(connection: duckdb.DuckDBPyConnection, fail_on: str) -> ValidationReport:
    validation = last_validation(connection, fail_on)
    if validation is None:
        raise UsageError(
            "Nothing was validated yet.", "A report shows the newest validation.", "etl validate"
        )
    return validation
