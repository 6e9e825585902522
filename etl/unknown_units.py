"""Unit texts that settled nothing, with what was probably meant: what a data manager asks the site about.

The texts stand sealed in the quarantine. A unit is nobody's value, so it is shown without --reveal, but only a text
that looks like a unit: a shifted column may have put a name there.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from etl.harmonize.spelling import suggest_unit, unit_readings
from etl.quarantine import fields
from schemas.analytes import registry
from warehouse import quarantine
from warehouse.connection import open_warehouse
from warehouse.keys import load_keys
from warehouse.quarantine import Chosen

REASONS: Final = ("unit_unknown", "unit_not_commensurable")
_LONGEST: Final = 24
_UNIT: Final = re.compile(r"[^\W\d]{1,6}\s?[/%]\s?[^\W\d]{0,6}\d?")
HIDDEN: Final = "(not shown: it does not look like a unit)"


@dataclass(frozen=True)
class UnknownUnit:
    """A unit text that is unknown, or cannot measure its analyte. suggestion: UCUM, null where nothing is near."""

    site: str
    feed: str
    analyte: str
    spelling: str
    reason: str
    records: int
    suggestion: str | None

    @property
    def advice(self) -> str:
        """Tell what settles it."""
        if self.reason == "unit_not_commensurable":
            return (
                f"ask the site; etl units declare --site {self.site} --analyte {self.analyte} --override ..."
            )
        if self.spelling == HIDDEN:
            return "etl quarantine show RECORD --reveal"
        return f'spellings: {{"{self.spelling}": {self.suggestion or "UNIT"}}}'

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self) | {"advice": self.advice}


def unknown_units(warehouse: Path, site: str | None = None) -> list[UnknownUnit]:
    """Return the unit texts of open records that settled nothing, the most frequent first. Raises WarehouseMissing."""
    counted: Counter[tuple[str, str, str, str, str]] = Counter()
    with open_warehouse(warehouse, read_only=True) as connection:
        keys = load_keys(warehouse, connection)
        for reason in REASONS:
            for record in quarantine.records(connection, Chosen(reason=reason, site=site)):
                spelling = fields(record, keys).get("unit") or fields(record, keys).get("unit_glued") or ""
                counted[record.site, record.feed, record.measure or "", _shown(spelling.strip()), reason] += 1
    found = [
        UnknownUnit(*key, number, _suggestion(key[2], key[3]))  # the analyte and the spelling
        for key, number in counted.items()
    ]
    return sorted(found, key=lambda each: (-each.records, each.site, each.feed, each.analyte, each.spelling))


def _suggestion(analyte: str, text: str) -> str | None:
    known = registry().get(analyte)
    return suggest_unit(
        text, lambda unit: known is None or any(known.is_same_unit(unit, u) for u in known.units)
    )


@cache
def _shown(text: str) -> str:
    is_unit = suggest_unit(text) or unit_readings(text) or _UNIT.fullmatch(text)
    return text if len(text) <= _LONGEST and is_unit else HIDDEN
