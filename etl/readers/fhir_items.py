"""What a FHIR resource becomes: items, each one record with columns named by role."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from etl.readers.fhir_values import Json, References, listed, text

ItemT = TypeVar("ItemT", bound="Item")


class Malformed(ValueError):
    """A resource whose parts are not of the types that FHIR says."""


@dataclass(eq=False)
class Item:
    """One record of a resource: the part that has the value, and where in the resource it is.

    again: how many parts with the same code came before it. question: what an answer answers.
    """

    resource: Json
    part: Json
    place: str
    references: References
    again: int = 0
    question: Json | None = None


@dataclass(frozen=True)
class Kind(Generic[ItemT]):
    """A kind of resource: its columns in order, each with how it is read, and the items of a resource.

    items raises Malformed.
    """

    columns: Mapping[str, Callable[[ItemT], str | None]]
    items: Callable[[Json, References], Sequence[ItemT]]


def whole(resource: Json, references: References) -> list[Item]:
    """Return a resource as one item."""
    return [Item(resource, resource, "", references)]


def field(name: str) -> Callable[[Item], str | None]:
    """Return how a plain field of a resource is read."""
    return lambda item: text(item.resource.get(name))


def parts_of(value: Any) -> list[Json]:  # noqa: ANN401 - any JSON
    """Return the parts of a repeating element. Raises Malformed."""
    parts = listed(value)
    if not all(isinstance(each, dict) for each in parts):
        raise Malformed
    return parts
