"""Words in which exports write dates: the typed form of codes/calendars.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final


def _words(tables: dict[str, Any]) -> dict[str, int]:
    """Map each month name to its number. Raises ValueError if one word stands for two months."""
    months: dict[str, int] = {}
    for names in tables.values():
        for number, words in enumerate(names, start=1):
            for word in words.split():
                if months.setdefault(word.casefold(), number) != number:
                    message = f"calendars.toml: {word!r} stands for two months"
                    raise ValueError(message)
    return months


@dataclass(frozen=True)
class Calendars:
    """Hold the words of dates.

    Month names and halves of the day by folded word; first days of eras by name and letter; days zero of serials;
    how many of a unit of age make a year.
    """

    months: Mapping[str, int]
    afternoon: Mapping[str, bool]
    eras: Mapping[str, date]
    serials: Mapping[str, date]
    ages: Mapping[str, int]


def load_calendars(path: Path) -> Calendars:
    """Read calendars.toml."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    halves = {word: half == "pm" for half, words in tables["halves"].items() for word in words}
    eras = {era[by]: era["first_day"] for era in tables["eras"] for by in ("name", "letter")}
    return Calendars(
        months=MappingProxyType(_words(tables["months"])),
        afternoon=MappingProxyType(halves),
        eras=MappingProxyType(eras),
        serials=MappingProxyType(tables["serials"]),
        ages=MappingProxyType(
            {word: int(number) for number, words in tables["ages"].items() for word in words}
        ),
    )


CALENDARS: Final = load_calendars(Path(__file__).parent / "codes" / "calendars.toml")
