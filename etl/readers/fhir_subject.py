"""Patients, conditions and medications: what is said of a subject, one record a resource."""

from __future__ import annotations

from collections.abc import Callable

from etl.readers.fhir_items import Item, Kind, field, whole
from etl.readers.fhir_values import Json, References, at, coding, concept, listed, subject_id, text


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


def contained_patient(resource: Json, references: References) -> list[Item]:
    """Return the contained patient that a resource is about, as a record of that patient's number; else nothing."""
    contained = resource.get("contained")
    number = subject_id(resource, references) if contained else None
    reference = text(at(resource.get("subject") or resource.get("patient"), "reference")) or ""
    if number is None or not reference.startswith("#"):
        return []
    patient = references.resolve(reference, resource)
    place = next(at for at, each in enumerate(listed(contained)) if each is patient)
    return [Item(resource, patient or {}, f"contained[{place}]", references)]


def _number(item: Item) -> str | None:
    """Return the patient's number; the id of a contained one means something in its resource only."""
    return text(item.resource.get("id")) if item.part is item.resource else _subject(item)


_SOURCE_ID = _either("identifier.value", "id")

PATIENT = Kind(
    {
        "subject": _number,
        "sex": lambda item: text(item.part.get("gender")),
        "birth_date": lambda item: text(item.part.get("birthDate")),
    },
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
