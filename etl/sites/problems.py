"""What is wrong with a mapping, in words that name the line and what to type."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from etl.sites.model import Lines, SiteMapping
from schemas.errors import DefinitionError

Keys = tuple[str, ...]

_SCHEMA = "see mapping.schema.json, which `etl init` writes beside the mappings"
# Type of pydantic's error: what is wrong, and what to type.
_PLAIN = {
    "missing": ("the key is missing", "add the key"),
    "string_type": ("this is text and must be written as text", 'put it in quotes, as in "01"'),
    "bool_type": ("this is neither true nor false", "true or false, without quotes"),
    "int_type": ("this is no whole number", "a whole number, without quotes"),
    "dict_type": ("keys with values are expected here", _SCHEMA),
    "model_type": ("keys with values are expected here", _SCHEMA),
    "tuple_type": ("a list is expected here", 'a list, as in ["a", "b"]'),
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a mapping: where, what, why, and what to type."""

    keys: Keys
    what: str
    why: str = ""
    fix: str = _SCHEMA


def unknown_word(keys: Keys, word: str, kind: str, choices: Collection[str]) -> Problem:
    """Describe a word that is none of the choices, with the one that was probably meant."""
    nearest = get_close_matches(word, choices, n=1)
    fix = f"{nearest[0]} instead of {word}" if nearest else "one of these"
    return Problem(keys, f"'{word}' is no {kind}", f"It may be: {', '.join(sorted(choices))}.", fix)


def from_validation(detail: ErrorDetails) -> Problem:
    """Describe what the models refuse."""
    keys = tuple(str(part) for part in detail["loc"] if part != "[key]")
    if detail["type"] == "extra_forbidden":
        return unknown_word(keys, keys[-1], "key of this place", _fields(keys[:-1]))
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        choices = re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
        return unknown_word(keys, detail["input"], "word known here", choices)
    what, fix = _PLAIN.get(detail["type"], (detail["msg"].removeprefix("Value error, "), _SCHEMA))
    return Problem(keys, what, fix=fix)


def definition_error(path: Path, lines: Lines, problems: Collection[Problem]) -> DefinitionError:
    """Make one error of all problems: the first in full, the others by line."""
    # A misspelt key is also a missing one; the misspelling says more.
    ordered = sorted(problems, key=lambda each: (each.what == _PLAIN["missing"][0], _line(lines, each.keys)))
    first, *others = ordered
    place = f"{path}, line {_line(lines, first.keys)}"
    what = f"{place}, {'.'.join(first.keys)}: {first.what}." if first.keys else f"{place}: {first.what}."
    also = [f"Line {_line(lines, each.keys)}, {'.'.join(each.keys)}: {each.what}." for each in others]
    return DefinitionError(what, "\n  ".join(filter(None, (first.why, *also))), first.fix)


def _line(lines: Lines, keys: Keys) -> int:
    return next((lines[keys[:length]] for length in range(len(keys), 0, -1) if keys[:length] in lines), 1)


def _fields(keys: Keys) -> set[str]:
    """Return the keys that the mapping may have at this place."""
    model: type[BaseModel] = SiteMapping
    for key in keys:
        field = next((f for name, f in model.model_fields.items() if key in (name, f.alias)), None)
        model = next(iter(_models(field.annotation)), model) if field else model
    return {field.alias or name for name, field in model.model_fields.items()} - {"feed", "site"} | (
        {"site"} if model is SiteMapping else set()
    )


def _models(annotation: object) -> list[type[BaseModel]]:
    """Find the models inside an annotation such as dict[str, FeedMapping]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in _models(inner)]
