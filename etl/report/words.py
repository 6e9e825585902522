"""The words of the report in each of its languages."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from schemas.errors import UsageError
from schemas.reasons import REASONS


@cache
def languages() -> dict[str, dict[str, Any]]:
    """Return every language's words."""
    return _read("strings.toml")


@cache
def _translated() -> dict[str, dict[str, dict[str, str]]]:
    return _read("reasons.toml")


def _read(name: str) -> dict[str, Any]:
    with Path(__file__).with_name(name).open("rb") as file:
        return tomllib.load(file)


def reason_texts(name: str) -> dict[str, dict[str, str]]:
    """Return what a reason means and what settles it, by language; English where there is no translation."""
    known = REASONS.get(name)
    english = {"sentence": known.sentence if known else name, "advice": known.advice if known else ""}
    return {language: english | _translated().get(language, {}).get(name, {}) for language in languages()}


def words(language: str) -> dict[str, Any]:
    """Return the words of a language. Raises UsageError."""
    if language not in languages():
        raise UsageError(
            f"There is no report in '{language}'.",
            "Nobody has translated it.",
            f"--language {' | '.join(languages())}",
        )
    return languages()[language]
