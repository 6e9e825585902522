"""The validation report: one result model, and the formats that show it."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Final

from etl.report.model import Report, build_report
from schemas.errors import UsageError

__all__ = ["FORMATS", "Report", "build_report", "write_report"]

# Ending -> the module whose render(report, language) makes the bytes; loaded when it is wanted.
FORMATS: Final = {
    ".html": "etl.report.html",
    ".json": "etl.report.document",
    ".pdf": "etl.report.pdf",
    ".xlsx": "etl.report.workbook",
}


def write_report(report: Report, path: Path, language: str = "en") -> None:
    """Write the report in the format that the path's ending names; a revealing one is its owner's alone (0600).

    Raises UsageError for an unknown ending or language, EngineUnavailable for one that needs an optional package.
    """
    module = FORMATS.get(path.suffix.lower())
    if module is None:
        raise UsageError(
            f"A report cannot be written as '{path.suffix}'.",
            "The ending chooses the format.",
            ", ".join(FORMATS),
        )
    content: bytes = import_module(module).render(report, language)
    if not report.is_revealing:
        path.write_bytes(content)
        return
    path.unlink(missing_ok=True)  # another mode than 0600 would stay
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
