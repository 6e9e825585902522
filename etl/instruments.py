"""List and show: what the tool knows about the clinical scales."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from etl.scoring.forms import form_of
from schemas.instruments import INSTRUMENTS, Version


def list_instruments() -> pl.DataFrame:
    """Return one row a version: instrument, version, title, items, scales with their ranges, direction, verified."""
    rows = [
        {
            "instrument": instrument.id,
            "version": version.id,
            "title": version.title,
            "items": len(version.scored_items),
            "scales": ", ".join(_scale_range(version)),
            "direction": instrument.direction,
            "profiles": ", ".join(dict.fromkeys(bands.profile for bands in version.bands)),
            "unverified": ", ".join(
                s.id for s in version.scales.values() if not s.is_verified and not s.is_hidden
            ),
        }
        for instrument in INSTRUMENTS.values()
        for version in instrument.versions.values()
    ]
    return pl.DataFrame(rows)


def show_instrument(instrument: str, version: str | None = None) -> dict[str, Any]:
    """Return the whole definition as plain data, of one version or of all. Raises DefinitionError for unknown names."""
    definition = form_of(instrument, version).instrument
    shown = definition.model_dump(mode="json", exclude_defaults=True)
    if version:
        shown["versions"] = {version: shown["versions"][version]}
    return shown


def _scale_range(version: Version) -> Iterator[str]:
    for scale in version.scales.values():
        if not scale.is_hidden:
            yield scale.id if scale.low is None else f"{scale.id} {scale.low:g}-{scale.high:g}"
