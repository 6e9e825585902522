"""The words of the report in each of its languages."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import UsageError


@cache
def languages() -> dict[str, dict[str, Any]]:
    """Return every language's words."""
    with Path(__file__).with_name("strings.toml").open("rb") as file:
        return tomllib.load(file)


def words(language: str) -> dict[str, Any]:
    """Return the words of a language. Raises UsageError."""
    if language not in languages():
        raise UsageError(f"There is no report in '{language}'.", fix=f"--language {' | '.join(languages())}")
    return languages()[language]
