"""Reading FHIR data types: concepts, quantities, references. Whatever is of another type than it should is no value."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
# Extensions that hold the score of an answer (FHIR R4 and R5).
SCORES = ("ordinalValue", "itemWeight")
_ID = re.compile(r"[A-Za-z0-9.\-_]{1,128}")


@cache
def words() -> Mapping[str, Mapping[str, Any]]:
    """Return the reader's data."""
    return tomllib.loads(files("etl.readers").joinpath("fhir.toml").read_text("utf-8"))


@dataclass(frozen=True)
class References:
    """What a bundle's references lead to, by full URL and by type and id."""

    targets: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: list[Any]) -> References:
        """Collect the resources of a bundle."""
        targets: dict[str, Json] = {}
        for entry in entries:
            resource = at(entry, "resource")
            if isinstance(resource, dict):
                targets[f"{resource.get('resourceType')}/{resource.get('id')}"] = resource
                if url := text(at(entry, "fullUrl")):
                    targets[url] = resource
        return cls(targets)

    def resolve(self, reference: str | None, within: Json) -> Json | None:
        """Return the resource that a reference leads to, in the resource itself or in its bundle; None if neither."""
        if not reference or not reference.startswith("#"):
            return self.targets.get(reference or "")
        return next(
            (each for each in listed(within.get("contained")) if at(each, "id") == reference[1:]), None
        )


def at(value: Any, *path: str | int) -> Any:  # noqa: ANN401 - any JSON
    """Follow a path of names and places; a name applies to the first of several; None where it leads nowhere."""
    for step in path:
        if value is None:
            return None
        if isinstance(value, list):
            place = step if isinstance(step, int) else 0
            value = value[place] if len(value) > place else None
            if place is step:
                continue
        value = value.get(step) if isinstance(value, dict) else None
    return value


def listed(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    """Return a list as it is, nothing as none, anything else as one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return a text, null if it is empty or none. Numbers are read as texts and keep their digits."""
    if isinstance(value, str):
        return value or None
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else None


def concept(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return what a concept is called: its text, else a display, else a code."""
    value = value[0] if isinstance(value, list) and value else value
    if not isinstance(value, dict):
        return None
    if found := text(value.get("text")):
        return found
    for name in ("display", "code"):
        for each in listed(value.get("coding")):
            if found := text(at(each, name)):
                return found
    return None


def coding(value: Any, kind: str) -> tuple[str | None, str | None]:  # noqa: ANN401 - any JSON
    """Return code and system of the coding that counts for a kind of resource."""
    codings = [each for each in listed(at(value, "coding")) if text(at(each, "code"))]
    if not codings:
        return None, None
    ranks = [_rank(text(at(each, "system")), kind) for each in codings]
    best = min(ranks)
    found = codings[ranks.index(best)]
    is_loinc = kind == "observation" and best < len(words()["systems"][kind])
    return text(at(found, "code")), "loinc" if is_loinc else text(at(found, "system"))


@lru_cache(maxsize=1 << 10)  # a file names few systems
def _rank(system: str | None, kind: str) -> int:
    """Return the place of a system among those that count for a kind of resource, behind all if it is none of them."""
    patterns = words()["systems"][kind]
    ranks = (at for at, each in enumerate(patterns) if system and re.search(each, system, re.IGNORECASE))
    return next(ranks, len(patterns))


def subject_id(resource: Json, references: References) -> str | None:
    """Return the id of the patient that a resource is about, None if that is nobody or no patient."""
    stated = resource.get("subject") or resource.get("patient")
    reference = text(at(stated, "reference"))
    if reference is None:
        return text(at(stated, "identifier", "value"))
    target = references.resolve(reference, resource)
    if reference.startswith("#"):  # its id means something inside this resource only
        return text(at(target, "identifier", "value")) if at(target, "resourceType") == "Patient" else None
    if target is not None:
        if target.get("resourceType") != "Patient":
            return None
        return text(target.get("id")) or id_of(reference, None)
    return id_of(reference, text(at(stated, "type")))


def id_of(reference: str, kind: str | None) -> str | None:
    """Return the id in a reference: Patient/1, a URL, urn:uuid:1, Patient?identifier=system|1, or the bare id."""
    if reference.startswith("urn:"):
        return reference.rsplit(":", 1)[1] or None
    path, _, query = reference.partition("?")
    steps = path.split("/_history", 1)[0].rstrip("/").split("/")
    if query:
        found = query.rpartition("|")[2] or None
        return found if steps[-1] == "Patient" and query.startswith("identifier=") else None
    kind = steps[-2] if len(steps) > 1 else kind
    return steps[-1] if kind in {None, "Patient"} and _ID.fullmatch(steps[-1]) else None


@dataclass(frozen=True)
class Value:
    """A result: its text, and comparator and unit where it is a quantity."""

    text: str | None
    comparator: str | None = None
    unit: str | None = None


def value_name(part: Json) -> str | None:
    """Return the name of the member that holds a value, which ends in its type."""
    for name in part:
        if name.startswith("value"):
            return name
    return None


def value_of(part: Json) -> Value:
    """Return the value of an observation, a component or an answer; the reason for its absence as a word."""
    name = value_name(part)
    if name is None:
        return Value(_absent(part.get("dataAbsentReason")))
    given = part[name]
    if isinstance(given, dict):
        found = _of_type(name.removeprefix("value"), given)
    else:
        found = Value(text(given)) if given is None or isinstance(given, str | bool) else None
    return found or Value(json.dumps(given, ensure_ascii=False))


def _of_type(kind: str, given: Json) -> Value | None:
    if kind in {"Quantity", "Count", "Duration", "Age", "Distance", "Money"}:
        return Value(text(given.get("value")), text(given.get("comparator")), unit_of(given))
    if kind == "CodeableConcept":
        return Value(concept(given))
    if kind == "Coding":
        return Value(_answer(given))
    if kind == "Range":
        bounds = (text(at(given, name, "value")) or "" for name in ("low", "high"))
        return Value("-".join(bounds), unit=unit_of(given.get("low")) or unit_of(given.get("high")))
    if kind == "Ratio":
        parts = (text(at(given, name, "value")) or "" for name in ("numerator", "denominator"))
        return Value(":".join(parts))
    return None


def unit_of(quantity: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return the unit: its UCUM code where it has one, else as written."""
    code = text(at(quantity, "code"))
    is_ucum = code and text(at(quantity, "system")) == UCUM
    return code if is_ucum else text(at(quantity, "unit")) or code


def _answer(given: Json) -> str | None:
    """Return the score of a coded answer where it has one, else a numeric code, else what it is called."""
    for each in listed(given.get("extension")):
        if (text(at(each, "url")) or "").endswith(SCORES):
            return text(at(each, "valueDecimal")) or text(at(each, "valueInteger"))
    code = text(given.get("code"))
    return code if code and code.isdecimal() else text(given.get("display")) or code


def _absent(reason: Any) -> str | None:  # noqa: ANN401 - any JSON
    known = words()["absent"]
    for each in listed(at(reason, "coding")):
        if word := known.get(text(at(each, "code")) or ""):
            return str(word)
    return concept(reason)
