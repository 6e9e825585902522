"""The registry of study analytes: one commented TOML each, and the factors derived from it.

A factor is never typed in. It follows from the two units' dimensions, or from a molar mass with its source, as an
exact fraction; only at the end it becomes the nearest double.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any

from schemas.analytes.checks import check_registry, is_loinc
from schemas.analytes.model import (
    Affine,
    Analyte,
    Assay,
    Conversion,
    Fingerprint,
    LoincCode,
    Origin,
    Quantity,
)
from schemas.analytes.names import OtherAnalyte, Reading, collisions, fold, others

__all__ = [
    "ANALYTES",
    "Affine",
    "Analyte",
    "Assay",
    "Conversion",
    "Fingerprint",
    "LoincCode",
    "Origin",
    "OtherAnalyte",
    "Quantity",
    "Reading",
    "collisions",
    "fold",
    "is_loinc",
    "others",
    "read_analyte",
    "registry",
    "study_analytes",
]


_NO_CODE = Origin("no code was verified", is_verified=True)


@cache
def registry() -> Mapping[str, Analyte]:
    """Load and check every analyte. Raises DefinitionError."""
    folder = files(__package__)
    paths = sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)
    found = {}
    for path in paths:
        analyte_id = path.name.removesuffix(".toml")
        found[analyte_id] = read_analyte(analyte_id, tomllib.loads(path.read_text("utf-8")))
    check_registry(found)
    return found


def study_analytes() -> tuple[str, ...]:
    """Return the ids of the analytes that are studied."""
    return tuple(analyte.id for analyte in registry().values() if analyte.is_studied)


def read_analyte(analyte_id: str, data: Mapping[str, Any]) -> Analyte:
    """Build an analyte from the tables of its TOML."""
    measured_as = data.get("measured_as")
    variants = data.get("variants", {})
    return Analyte(
        id=analyte_id,
        title=data["title"],
        unit=data["unit"],
        property=data["property"],
        units=tuple(data["units"]),
        measured_as=measured_as,
        is_studied="variant_of" not in data,
        variant_of=data.get("variant_of", ""),
        specimens=tuple(data["specimens"]),
        other_specimens=tuple(data.get("other_specimens", ())),
        molar_masses=_molar_masses(data, measured_as, variants),
        affine=tuple(
            Affine(a["unit"], a["property"], _quantity(a, "factor"), Fraction(a["offset"]))
            for a in data.get("affine", ())
        ),
        same=data.get("same", {}),
        hard=_pair(data["bounds"]["hard"]),
        soft=_pair(data["bounds"]["soft"]),
        bounds_origin=_origin(data["bounds"]),
        loinc=_loinc(data, measured_as, variants),
        loinc_origin=_origin(data["loinc"]) if "loinc" in data else _NO_CODE,
        sdtm=_sdtm(data, measured_as, variants),
        names=_names(data.get("names", {}), measured_as)
        | {name: as_ for key, v in variants.items() for name, as_ in _names(v.get("names", {}), key).items()},
        languages=_languages(data.get("names", {}), *(v.get("names", {}) for v in variants.values())),
        stems=tuple(fold(stem) for stem in data.get("stems", ())),
        columns=data.get("columns", {}),
        fingerprints=tuple(
            Fingerprint(float(low), float(high), f["unit"], f["source"], f["verified"])
            for f in data.get("fingerprints", ())
            for low, high in f["pairs"]
        ),
        assays=tuple(
            Assay(a["platform"], a["unit"], float(a["low"]), float(a["high"]), a["source"], a["verified"])
            for a in data.get("assays", ())
        ),
    )


def _pair(limits: list[float]) -> tuple[float, float]:
    low, high = limits
    return float(low), float(high)


def _origin(table: Mapping[str, Any]) -> Origin:
    return Origin(table.get("source", ""), table.get("verified", False))


def _quantity(table: Mapping[str, Any], key: str) -> Quantity:
    return Quantity(Fraction(table[key]), table["source"], table["verified"])


def _molar_masses(
    data: Mapping[str, Any], measured_as: str | None, variants: Mapping[str, Any]
) -> Mapping[str | None, Quantity]:
    masses: dict[str | None, Quantity] = {}
    if "molar_mass" in data:
        masses[measured_as] = _quantity(data["molar_mass"], "value")
    return masses | {
        key: _quantity(v["molar_mass"], "value") for key, v in variants.items() if "molar_mass" in v
    }


def _loinc(
    data: Mapping[str, Any], measured_as: str | None, variants: Mapping[str, Any]
) -> dict[str, LoincCode]:
    specimens = data.get("code_specimens", {})
    tables = [
        (measured_as, data.get("loinc", {})),
        *((key, v.get("loinc", {})) for key, v in variants.items()),
    ]
    return {
        code: LoincCode(prop, as_, specimens.get(code))
        for as_, table in tables
        for prop, codes in table.items()
        if prop not in {"source", "verified"}
        for code in codes
    }


def _sdtm(
    data: Mapping[str, Any], measured_as: str | None, variants: Mapping[str, Any]
) -> dict[str, str | None]:
    own: dict[str, str | None] = dict.fromkeys(data.get("sdtm", {}).get("codes", ()), measured_as)
    return own | {code: key for key, v in variants.items() for code in v.get("sdtm", ())}


def _languages(*tables: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    every = dict.fromkeys(language for table in tables for language in table)
    return {
        language: tuple(name for table in tables for name in table.get(language, ())) for language in every
    }


def _names(languages: Mapping[str, list[str]], measured_as: str | None) -> dict[str, str | None]:
    return {name: measured_as for names in languages.values() for name in names}


ANALYTES = study_analytes()
