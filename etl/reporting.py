"""The report command: the newest validation, written in every format that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from etl.report import FORMATS, build_report, write_report
from etl.validate import last_validation
from schemas.errors import UsageError
from warehouse.connection import open_warehouse

NAME = "validation"
LANGUAGES = ("en", "zh")


def write_reports(
    warehouse: Path, out: Path, formats: Sequence[str], language: str = "en", fail_on: str = "fatal"
) -> list[Path]:
    """Write the newest validation to a folder, one file a format; return the files.

    The files hold no value of a subject, and small counts of subjects are hidden. Raises UsageError for an unknown format
    or language, and where nothing was validated yet.
    """
    endings = [f".{each.strip().lower()}" for each in formats]
    unknown = [ending for ending in endings if ending not in FORMATS]
    if unknown:
        known = ",".join(ending.removeprefix(".") for ending in FORMATS)
        raise UsageError(f"A report cannot be written as '{unknown[0][1:]}'.", "", f"--format {known}")
    if language not in LANGUAGES:
        raise UsageError(f"There is no report in '{language}'.", "", f"--language {' | '.join(LANGUAGES)}")
    with open_warehouse(warehouse, read_only=True) as connection:
        validation = last_validation(connection, fail_on)
        if validation is None:
            raise UsageError(
                "Nothing was validated yet.", "A report shows the newest validation.", "etl validate"
            )
        report = build_report(connection, validation)
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{NAME}{ending}" for ending in dict.fromkeys(endings)]
    for path in paths:
        write_report(report, path, language)
    return paths
