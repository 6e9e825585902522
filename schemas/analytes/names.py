"""Names as keys: how a name is folded, the reviewed list of other analytes, names that stand for several."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class OtherAnalyte:
    """A known analyte that is not studied; variant_of names the study analyte it must not be taken for."""

    name: str
    sdtm_code: str
    loinc: tuple[str, ...]
    variant_of: str


@dataclass(frozen=True)
class Reading:
    """One meaning of a name that stands for several: an analyte id, or `other`, and what settles for it."""

    analyte: str
    measured_as: str
    units: frozenset[str]
    categories: tuple[str, ...]


def fold(name: str) -> str:
    """Fold a name to its key: NFKC, case-folded, letters, digits and % only."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in plain if char.isalnum() or char == "%")


@cache
def others() -> tuple[OtherAnalyte, ...]:
    """Read the reviewed list of other analytes."""
    return tuple(
        OtherAnalyte(row["name"], row["sdtm_code"], tuple(row["loinc"].split()), row["variant_of"])
        for row in _rows("schemas", "other_analytes.csv")
    )


@cache
def collisions() -> dict[str, tuple[Reading, ...]]:
    """Read the names that stand for more than one analyte, by folded name."""
    found: dict[str, list[Reading]] = {}
    for row in _rows("schemas.analytes", "name_collisions.csv"):
        reading = Reading(
            row["analyte"],
            row["measured_as"],
            frozenset(row["units"].split()),
            tuple(row["categories"].split()),
        )
        found.setdefault(fold(row["name"]), []).append(reading)
    return {name: tuple(readings) for name, readings in found.items()}


def _rows(package: str, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((files(package) / name).read_text("utf-8").splitlines()))


@cache
def qualifiers() -> frozenset[str]:
    """Read the words that may stand beside a name without changing what is measured."""
    return frozenset(row["word"] for row in _rows("schemas.analytes", "name_qualifiers.csv"))
