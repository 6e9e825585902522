"""Observations as laboratory rows: one for the value, one for each component; other resources as names out of scope."""

from __future__ import annotations

from functools import cached_property

from etl.readers.fhir_items import Item, Kind, field, parts_of
from etl.readers.fhir_values import (
    Json,
    References,
    Value,
    at,
    coding,
    concept,
    listed,
    subject_id,
    text,
    value_name,
    value_of,
)

NAME = "Observation"
OTHER_CATEGORY = "resource"  # of a row that only says that a resource of another type was there


class Result(Item):
    """A value of an observation; or another resource, which has its type for a name and nothing else."""

    @property
    def is_other(self) -> bool:
        """Whether the resource is no observation."""
        return bool(self.resource["resourceType"] != NAME)

    @cached_property
    def coding(self) -> tuple[str | None, str | None]:
        """The code and its system."""
        return (None, None) if self.is_other else coding(self.part.get("code"), "observation")

    @cached_property
    def value(self) -> Value:
        """The value."""
        return Value(None) if self.is_other else value_of(self.part)

    @cached_property
    def ranges(self) -> list[Json]:
        """The ranges for the healthy: those marked normal, else those that are not marked at all."""
        ranges = [each for each in listed(self.part.get("referenceRange")) if isinstance(each, dict)]
        if not any("type" in each for each in ranges):
            return ranges
        normal = [each for each in ranges if at(each, "type", "coding", "code") == "normal"]
        return normal or [each for each in ranges if not each.get("type")]


def items(resource: Json, references: References) -> list[Result]:
    """Return the value and the components; one item for an observation that has neither these nor members."""
    if resource.get("resourceType") != NAME:
        return [Result(resource, resource, "", references)]
    components = parts_of(resource.get("component"))
    found = []
    if value_name(resource) is not None:
        found.append(Result(resource, resource, "", references))
    seen: dict[str | None, int] = {}
    for place, part in enumerate(components):
        name = coding(part.get("code"), "observation")[0] or concept(part.get("code"))
        seen[name] = seen.get(name, -1) + 1
        found.append(Result(resource, part, f"component[{place}]", references, seen[name]))
    if not found and not resource.get("hasMember"):
        found.append(Result(resource, resource, "", references))
    return found


def _analyte(item: Result) -> str | None:
    """Return what was measured as its sender calls it; a bare LOINC is a code and no name."""
    if item.is_other:
        return text(item.resource["resourceType"])
    name = concept(item.part.get("code"))
    return None if item.coding == (name, "loinc") else name


def _category(item: Result) -> str | None:
    return OTHER_CATEGORY if item.is_other else concept(item.resource.get("category"))


def _specimen(item: Result) -> str | None:
    stated = item.resource.get("specimen")
    if stated is None:
        return None
    specimen = item.references.resolve(text(at(stated, "reference")), item.resource)
    return concept(at(specimen, "type")) or text(at(stated, "display"))


def _limit(item: Result, name: str) -> str | None:
    return text(at(item.ranges[0], name, "value")) if len(item.ranges) == 1 else None


def _range_text(item: Result) -> str | None:
    return (
        "; ".join(found for each in item.ranges if (found := text(at(each, "text")) or _printed(each)))
        or None
    )


def _printed(limits: Json) -> str | None:
    """Print the limits of one range among several; alone it has columns for them."""
    low, high = (text(at(limits, name, "value")) for name in ("low", "high"))
    return f"{low or ''}-{high or ''}" if low or high else None


def _flag(item: Result) -> str | None:
    stated = item.part.get("interpretation")
    return text(at(stated, "coding", "code")) or concept(stated)


def _collected(item: Result) -> str | None:
    said = item.resource
    return (
        text(said.get("effectiveDateTime"))
        or text(at(said, "effectivePeriod", "start"))
        or text(said.get("effectiveInstant"))
        or text(at(said, "effectiveTiming", "event", 0))
    )


def _source_id(item: Result) -> str | None:
    """Return the number of the resource; parts with the same code are told apart by their order."""
    number = text(at(item.resource.get("identifier"), "value")) or text(item.resource.get("id"))
    return f"{number}#{item.again + 1}" if number and item.again else number


def _laboratory(item: Result) -> str | None:
    """Return the organization that measured; a person who did is nobody's business here."""
    for each in listed(item.resource.get("performer")):
        reference = text(at(each, "reference")) or ""
        organization = item.references.resolve(reference, item.resource)
        if at(organization, "resourceType") == "Organization":
            return text(at(organization, "name")) or text(at(each, "display"))
        if "Organization/" in reference or text(at(each, "type")) == "Organization":
            return text(at(each, "display")) or reference.rsplit("/", 1)[-1] or None
    return None


def _comment(item: Result) -> str | None:
    notes = [text(at(each, "text")) for each in listed(item.resource.get("note"))]
    return "\n".join(each for each in notes if each) or None


KIND: Kind[Result] = Kind(
    {
        "subject": lambda item: subject_id(item.resource, item.references),
        "analyte": _analyte,
        "code": lambda item: item.coding[0],
        "code_system": lambda item: item.coding[1],
        "category": _category,
        "specimen": _specimen,
        "value": lambda item: item.value.text,
        "comparator": lambda item: item.value.comparator,
        "unit": lambda item: item.value.unit,
        "ref_text": _range_text,
        "ref_low": lambda item: _limit(item, "low"),
        "ref_high": lambda item: _limit(item, "high"),
        "flag": _flag,
        "collected_at": _collected,
        "resulted_at": field("issued"),
        "source_id": _source_id,
        "status": field("status"),
        "lab_id": _laboratory,
        "platform": lambda item: text(at(item.resource.get("device"), "display")),
        "method": lambda item: concept(item.resource.get("method")),
        "comment": _comment,
    },
    items,
)
