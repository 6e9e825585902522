"""Read the headers of a wide export as measures: `B12 (pg/mL)`, `Ferritin_ug_L`, `LBDB12SI`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from etl.harmonize.names import Hit, NameReading, read_name
from etl.harmonize.spelling import unit_readings
from schemas.analytes import registry


@dataclass(frozen=True)
class HeaderMeasure:
    """What a column measures; the unit and the specimen are null where the header is silent."""

    analyte: str
    unit: str | None = None
    specimen: str | None = None
    measured_as: str | None = None


def match_headers(headers: Sequence[str]) -> dict[str, HeaderMeasure]:
    """Return the headers that name a study analyte for certain; any other header is not claimed."""
    found = {header: _match(header) for header in headers}
    return {header: measure for header, measure in found.items() if measure is not None}


def _match(header: str) -> HeaderMeasure | None:
    listed = _listed(header)
    if listed is not None:
        return listed
    for name, unit in _splits(unicodedata.normalize("NFKC", header.strip())):
        units = unit_readings(unit)
        measure = _measure(read_name(name), units) if units else None
        if measure is not None:
            return measure
    return _measure(read_name(header), ()) or _measure(read_name(header.replace("_", " ")), ())


def _listed(header: str) -> HeaderMeasure | None:
    # NHANES variables carry their unit by definition.
    key = header.strip().upper()
    found = ((analyte, analyte.columns[key]) for analyte in registry().values() if key in analyte.columns)
    return next((HeaderMeasure(analyte.id, unit) for analyte, unit in found), None)


def _splits(header: str) -> list[tuple[str, str]]:
    """Return the ways to cut a header into a name and a unit, the surest first."""
    bracket = re.match(r"^(.+?)\s*[(\[{【]([^()\[\]【】]+|[^()]*\([^()]*\)[^()]*)[)\]}】]\s*$", header)
    cuts = [(bracket.group(1), bracket.group(2))] if bracket else []
    inner = re.match(r"^(.+[(\[][^()]+)\s*[,;]\s*([^()]+)[)\]]$", header)  # 总胆固醇(TC,mmol/L)
    cuts += [(f"{inner.group(1)})", inner.group(2))] if inner else []
    comma = re.match(r"^(.+?)\s*[,;:]\s*(\S.*)$", header)
    cuts += [(comma.group(1), comma.group(2))] if comma else []
    words = [word for word in re.split(r"[\s_]+", header) if word]
    for size in (3, 2, 1):  # ug_L before L
        if len(words) > size:
            name, tail = " ".join(words[:-size]), words[-size:]
            cuts += [(name, "/".join(tail)), (name, " ".join(tail))]
    return cuts


def _measure(reading: NameReading, units: tuple[str, ...]) -> HeaderMeasure | None:
    hit = reading.hit
    if hit is None or hit.is_other:
        return None
    analyte, measured_as = (_settled(hit, units), None) if hit.readings else (hit.analyte, hit.measured_as)
    if analyte is None:
        return None
    known = registry()[analyte]
    fitting = [unit for unit in units if known.conversion(unit) is not None]
    if (units and len(fitting) != 1) or (reading.specimen and reading.specimen in known.other_specimens):
        return None
    return HeaderMeasure(analyte, fitting[0] if fitting else None, reading.specimen, measured_as)


def _settled(hit: Hit, units: tuple[str, ...]) -> str | None:
    """Settle a colliding name by a unit that only one of its meanings has."""
    fitting = {reading.analyte for reading in hit.readings if reading.units & set(units)}
    return fitting.pop() if len(fitting) == 1 and "other" not in fitting else None
