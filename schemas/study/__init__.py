"""The study protocol: what the views apply, read from a commented YAML file.

`load_study()` returns the default protocol; `load_study(path)` one of a data manager's own.
"""

from __future__ import annotations

from schemas.study.loader import load_study
from schemas.study.model import (
    Criteria,
    IndexDraw,
    Matching,
    Pairing,
    Question,
    Results,
    Rule,
    Score,
    Study,
    Subjects,
)

__all__ = [
    "Criteria",
    "IndexDraw",
    "Matching",
    "Pairing",
    "Question",
    "Results",
    "Rule",
    "Score",
    "Study",
    "Subjects",
    "load_study",
]
