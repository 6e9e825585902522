"""The validation report: one result model, and the formats that show it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Final

from etl.report.model import Report, build_report
from schemas.errors import UsageError

__all__ = ["FORMATS", "Report", "build_report", "write_report"]

# Ending -> the module whose render(report, language) makes the bytes; loaded when it is wanted.
FORMATS: Final = {".html": "etl.report.html", ".json": "etl.report.document", ".xlsx": "etl.report.workbook"}


def write_report(report: Report, path: Path, language: str = "en") -> None:
    """Write the report in the format that the path's ending names. Raises UsageError."""
    module = FORMATS.get(path.suffix.lower())
    if module is None:
        raise UsageError(f"A report cannot be written as '{path.suffix}'.", fix=f"{', '.join(FORMATS)}")
    path.write_bytes(import_module(module).render(report, language))
