"""The form that a row is read and scored by: a version, or what all versions of an instrument agree on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from schemas.errors import DefinitionError
from schemas.instruments import INSTRUMENTS, Instrument, Item, Scale, Version


@dataclass(frozen=True)
class Form:
    """A version to score with. version_id is null when nothing tells the version.

    open_items: items that ask something else in another version; open_scales: scales that rest on them.
    """

    instrument: Instrument
    version: Version
    version_id: str | None
    items: Mapping[str, Item]
    open_items: frozenset[str] = frozenset()
    open_scales: frozenset[str] = frozenset()
    is_total_open: bool = False  # a reported total means something else in another version

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The scales that are stored."""
        return tuple(scale for scale in self.version.scales.values() if not scale.is_hidden)


@cache
def form_of(instrument: str, version: str | None) -> Form:
    """Return the form of a version, or the common form when there are several and none is named.

    Raises DefinitionError for an instrument or a version that is not defined.
    """
    definition = INSTRUMENTS.get(instrument)
    if definition is None:
        raise DefinitionError(
            f"There is no instrument '{instrument}'.",
            f"Known are {', '.join(INSTRUMENTS)}.",
            "etl instruments list",
        )
    if version is None and len(definition.versions) > 1:
        return _common_form(definition)
    chosen = next(iter(definition.versions)) if version is None else version
    if chosen not in definition.versions:
        raise DefinitionError(
            f"instrument '{instrument}' has no version '{version}'",
            f"it has {', '.join(definition.versions)}",
            f"etl instruments show {instrument}",
        )
    found = definition.versions[chosen]
    return Form(definition, found, chosen, found.items)


def _common_form(instrument: Instrument) -> Form:
    """Build the form of an unresolved version: whatever differs between versions stays open."""
    versions = list(instrument.versions.values())
    items = {name: item for v in reversed(versions) for name, item in v.items.items()}
    open_items = {n for n, item in items.items() if not all(_agree(item, v.items.get(n)) for v in versions)}
    first = max(versions, key=lambda v: len(v.items))
    return Form(
        instrument,
        first,
        None,
        items,
        frozenset(open_items),
        frozenset(s for s in first.scales if _is_open(s, versions, open_items)),
        is_total_open=instrument.unresolved_reason == "version_unresolved",
    )


def _agree(item: Item, other: Item | None) -> bool:
    return other is None or item.same_question(other)


def _is_open(scale: str, versions: list[Version], open_items: set[str]) -> bool:
    definitions = [v.scales.get(scale) for v in versions]
    return any(d != definitions[0] for d in definitions) or bool(
        open_items & set(versions[0].items_of(scale))
    )
