"""The rule catalogue: what each rule asks, and which settings, checks and queries answer it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class CatalogueRule:
    """One rule of the catalogue; eligibility rules name it as their source."""

    id: str
    sentence: str
    settings: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    always: str = ""


@cache
def catalogue_rules() -> tuple[CatalogueRule, ...]:
    """Return the rules C01 to C21 in order."""
    document = tomllib.loads(files("schemas.study").joinpath("catalogue.toml").read_text("utf-8"))
    return tuple(
        CatalogueRule(
            id=rule_id,
            sentence=entry["sentence"],
            settings=tuple(entry.get("settings", ())),
            checks=tuple(entry.get("checks", ())),
            queries=tuple(entry.get("queries", ())),
            always=entry.get("always", ""),
        )
        for rule_id, entry in document.items()
    )
