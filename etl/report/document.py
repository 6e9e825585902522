"""The report as one JSON document."""

from __future__ import annotations

import json
from dataclasses import asdict

from etl.report.model import Report


def render(report: Report, language: str = "en") -> bytes:  # noqa: ARG001 - every format is asked the same way
    """Return the whole result model; names are the same in every language."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=1, default=str).encode()
