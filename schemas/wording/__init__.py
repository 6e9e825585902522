"""The words of which headers are made, and the naming schemes of standards: the typed form of the files beside this one.

Drafts of mappings are made from them; nothing here is used when files are loaded.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

IDENTIFYING: Final = ("surname", "contact", "national")  # cells under these words are nobody else's business


@dataclass(frozen=True, slots=True)
class Rule:
    """Ideas that make a field: one word of each list of `needs`, and no word beside them but of `may`."""

    field: str
    needs: tuple[frozenset[str], ...]
    may: frozenset[str]
    content: str
    strength: int
    in_part: int = 1  # where a part of the header is not understood


@dataclass(frozen=True, slots=True)
class Standard:
    """A naming scheme, and what bears it out: so many other columns of the table that have its form."""

    id: str
    sentence: str
    beside: re.Pattern[str]
    least: int
    is_upper: bool
    groups: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of variable of a scheme."""

    standard: Standard
    field: str
    pattern: re.Pattern[str]
    content: str
    only_with: str


@dataclass(frozen=True)
class Wording:
    """Words to ideas, first letters of pinyin to words, rules by field and forms of standards."""

    ideas: Mapping[str, frozenset[str]]
    initials: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]
    standards: Mapping[str, Standard]
    forms: tuple[Form, ...]


def plain(text: str) -> str:
    """Fold a text to what is compared of a word: width and case."""
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def wording() -> Wording:
    """Read words.toml, rules.toml and standards.toml. Raises ValueError for an idea that no word has."""
    words, rules, schemes = (_read(name) for name in ("words.toml", "rules.toml", "standards.toml"))
    ideas: dict[str, set[str]] = {}
    for idea, listed in words["concept"].items():
        for word in listed:
            ideas.setdefault(plain(word), set()).add(idea)
    found = tuple(_rule(each) for each in rules["rule"])
    unknown = {idea for rule in found for idea in (*rule.may, *frozenset().union(*rule.needs))}
    if unknown - words["concept"].keys():
        message = f"rules.toml names ideas without words: {sorted(unknown - words['concept'].keys())}"
        raise ValueError(message)
    standards = {name: _standard(name, table) for name, table in schemes["standard"].items()}
    return Wording(
        ideas=MappingProxyType({word: frozenset(of) for word, of in ideas.items()}),
        initials=MappingProxyType({letters: tuple(of) for letters, of in words["pinyin"].items()}),
        rules=found,
        standards=MappingProxyType(standards),
        forms=tuple(_form(each, standards) for each in schemes["form"]),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("schemas.wording") / name).read_text("utf-8"))


def _rule(table: dict[str, Any]) -> Rule:
    needs = tuple(frozenset(ideas) for ideas in table["all"])
    return Rule(
        table["field"],
        needs,
        frozenset(table["may"]),
        table["content"],
        table["strength"],
        table.get("in_part", 1),
    )


def _standard(name: str, table: dict[str, Any]) -> Standard:
    groups = {key: frozenset(value) for key, value in table.items() if isinstance(value, list)}
    is_upper = table.get("case") == "upper"
    beside = re.compile(table["beside"], 0 if is_upper else re.IGNORECASE)
    return Standard(name, table["sentence"], beside, table["least"], is_upper, MappingProxyType(groups))


def _form(table: dict[str, Any], standards: Mapping[str, Standard]) -> Form:
    standard = standards[table["standard"]]
    pattern = re.compile(table["form"], 0 if standard.is_upper else re.IGNORECASE)
    return Form(standard, table["field"], pattern, table["content"], table.get("only_with", ""))
