"""Patients, conditions and medications: what is said of a subject, one record a resource."""

from __future__ import annotations

from collections.abc import Callable

from etl.readers.fhir_items import Item, Kind, field, whole
from etl.readers.fhir_values import at, coding, concept, subject_id, text


def _either(*names: str) -> Callable[[Item], str | None]:
    """Return how the first of several fields that is given is read; `name.start` is a field of a period."""

    def column(item: Item) -> str | None:
        found = (text(at(item.resource, *name.split("."))) for name in names)
        return next((each for each in found if each), None)

    return column


def _subject(item: Item) -> str | None:
    return subject_id(item.resource, item.references)


def _status(name: str) -> Callable[[Item], str | None]:
    def column(item: Item) -> str | None:
        stated = item.resource.get(name)
        return text(stated) or text(at(stated, "coding", "code")) or concept(stated)

    return column


def _drug(item: Item) -> object:
    """Return the concept of the medication, which may stand in a resource of its own."""
    stated = item.resource.get("medicationCodeableConcept")
    if stated is not None:
        return stated
    reference = item.resource.get("medicationReference")
    target = item.references.resolve(text(at(reference, "reference")), item.resource)
    return at(target, "code") or {"text": at(reference, "display")}


_SOURCE_ID = _either("identifier.value", "id")

PATIENT = Kind(
    {"subject": field("id"), "sex": field("gender"), "birth_date": field("birthDate")},
    whole,
)
CONDITION = Kind(
    {
        "subject": _subject,
        "condition_text": lambda item: concept(item.resource.get("code")),
        "condition_code": lambda item: coding(item.resource.get("code"), "condition")[0],
        "condition_system": lambda item: coding(item.resource.get("code"), "condition")[1],
        "condition_status": _status("clinicalStatus"),
        "verification_status": _status("verificationStatus"),
        "started_at": _either("onsetDateTime", "onsetPeriod.start"),
        "ended_at": _either("abatementDateTime", "abatementPeriod.end"),
        "recorded_at": field("recordedDate"),
        "source_id": _SOURCE_ID,
    },
    whole,
)
MEDICATION = Kind(
    {
        "subject": _subject,
        "medication_text": lambda item: concept(_drug(item)),
        "medication_code": lambda item: coding(_drug(item), "medication")[0],
        "medication_system": lambda item: coding(_drug(item), "medication")[1],
        "medication_status": _status("status"),
        "started_at": _either("effectiveDateTime", "effectivePeriod.start", "whenHandedOver", "authoredOn"),
        "ended_at": _either("effectivePeriod.end"),
        "recorded_at": _either("authoredOn", "dateAsserted", "whenPrepared"),
        "source_id": _SOURCE_ID,
    },
    whole,
)
