"""Questionnaire responses: one record an answer."""

from __future__ import annotations

from collections.abc import Iterator

from etl.readers.fhir_items import Item, Kind, field, parts_of
from etl.readers.fhir_values import Json, References, at, subject_id, text, value_of


def items(resource: Json, references: References) -> list[Item]:
    """Return the answers in their order, those of nested items too; an item without an answer is no record."""
    return [
        Item(resource, answer, place, references, question=question)
        for place, question, answer in _answers(resource, "")
    ]


def _answers(holder: Json, place: str) -> Iterator[tuple[str, Json, Json]]:
    """Yield each answer with its place and its question."""
    for number, item in enumerate(parts_of(holder.get("item"))):
        where = f"{place}item[{number}]"
        for order, answer in enumerate(parts_of(item.get("answer"))):
            here = f"{where}.answer[{order}]"
            yield here, item, answer
            yield from _answers(answer, f"{here}.")
        yield from _answers(item, f"{where}.")


def _instrument(item: Item) -> str | None:
    """Return the questionnaire's name: its canonical URL's last part without version, else its display."""
    stated = text(item.resource.get("questionnaire"))
    return stated.split("|", 1)[0].rstrip("/").rsplit("/", 1)[-1] if stated else None


KIND = Kind(
    {
        "subject": lambda item: subject_id(item.resource, item.references),
        "administered_at": field("authored"),
        "instrument": _instrument,
        "item": lambda item: text(at(item.question, "linkId")),
        "item_text": lambda item: text(at(item.question, "text")),
        "value": lambda item: value_of(item.part).text,
        "status": field("status"),
        "language": field("language"),
    },
    items,
)
