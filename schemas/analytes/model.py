"""What the registry says of one analyte, and the factors that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from schemas.units import Kind, Measure, measure


@dataclass(frozen=True)
class Quantity:
    """A number of the registry with its source."""

    value: Fraction
    source: str
    is_verified: bool


@dataclass(frozen=True)
class Origin:
    """Where what stands in a table of the registry comes from; verified: read there, not remembered or judged."""

    source: str
    is_verified: bool


@dataclass(frozen=True)
class Affine:
    """A conversion that is no mere factor: canonical = factor x value + offset."""

    unit: str
    property: str
    factor: Quantity
    offset: Fraction


@dataclass(frozen=True)
class Fingerprint:
    """A pair of printed reference limits that belongs to one unit."""

    low: float
    high: float
    unit: str
    source: str
    is_verified: bool


@dataclass(frozen=True)
class Assay:
    """What a platform can measure, in its own unit."""

    platform: str
    unit: str
    low: float
    high: float
    source: str
    is_verified: bool


@dataclass(frozen=True)
class LoincCode:
    """What a LOINC code says: the property, what is measured, the system where it is not the usual one."""

    property: str
    measured_as: str | None
    specimen: str | None = None


@dataclass(frozen=True)
class Conversion:
    """How a value in `unit` becomes canonical: value x factor + offset, in double precision."""

    unit: str
    factor: float
    offset: float
    factor_id: str
    exact_factor: Fraction
    exact_offset: Fraction
    is_verified: bool


@dataclass(frozen=True)
class Analyte:
    """One study analyte. Bounds are in the canonical unit, both ends included."""

    id: str
    title: str
    unit: str
    property: str
    units: tuple[str, ...]
    measured_as: str | None
    is_studied: bool
    variant_of: str  # of an analyte that is not studied: the one it must not be taken for
    specimens: tuple[str, ...]
    other_specimens: tuple[str, ...]
    molar_masses: Mapping[str | None, Quantity]
    affine: tuple[Affine, ...]
    same: Mapping[str, str]
    hard: tuple[float, float]
    soft: tuple[float, float]
    bounds_origin: Origin
    loinc: Mapping[str, LoincCode]
    loinc_origin: Origin
    sdtm: Mapping[str, str | None]
    names: Mapping[str, str | None]  # as written -> measured_as
    languages: Mapping[str, tuple[str, ...]]  # the same names by language
    stems: tuple[str, ...]
    columns: Mapping[str, str]
    fingerprints: tuple[Fingerprint, ...]
    assays: tuple[Assay, ...]
    _conversions: dict[tuple[str, str | None], Conversion | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    def conversion(self, unit: str, measured_as: str | None = None) -> Conversion | None:
        """Return the conversion from a UCUM unit, or None when the unit cannot measure this analyte."""
        key = (unit, measured_as)
        if key not in self._conversions:
            self._conversions[key] = self._derive(unit, measured_as)
        return self._conversions[key]

    def property_of(self, unit: str) -> str | None:
        """Return the LOINC property that a unit has for this analyte."""
        for affine in self.affine:
            if affine.unit == unit:
                return affine.property
        if self._kind(unit) == self._kind(self.unit):
            return self.property
        return {"mass": "molar", "molar": "mass"}.get(self.property)

    def fingerprint(self, low: float | None, high: float | None) -> str | None:
        """Return the unit that a pair of printed limits belongs to; one limit alone is no evidence."""
        return next((f.unit for f in self.fingerprints if f.low == low and f.high == high), None)

    def is_same_unit(self, one: str, other: str) -> bool:
        """Tell whether two units have factor 1 between them for this analyte."""
        first, second = self.conversion(one), self.conversion(other)
        if first is None or second is None:
            return False
        return (first.exact_factor, first.exact_offset) == (second.exact_factor, second.exact_offset)

    def _kind(self, unit: str) -> Kind | None:
        found = measure(unit, self.same)
        return None if found is None else found.kind

    def _derive(self, unit: str, measured_as: str | None) -> Conversion | None:
        measured_as = measured_as or self.measured_as
        for affine in self.affine:
            if affine.unit == unit:
                return self._built(
                    unit, None, affine.factor.value, affine.offset, is_verified=affine.factor.is_verified
                )
        source, target = measure(unit, self.same), measure(self.unit, self.same)
        if source is None or target is None or not self._accepts(unit, source):
            return None
        if source.kind == target.kind:
            return self._built(unit, None, source.factor / target.factor)
        mass = self.molar_masses.get(measured_as) or self.molar_masses.get(self.measured_as)
        if mass is None:
            return None
        factor = source.factor / target.factor * _molar_step(source.kind, mass.value)
        return self._built(unit, measured_as, factor, is_verified=mass.is_verified)

    def _accepts(self, unit: str, found: Measure) -> bool:
        # By dimension, except for bare ratios: every ratio has the same dimension.
        return unit in self.units or bool(
            found.kind and any(found.kind == self._kind(known) for known in self.units)
        )

    def _built(
        self,
        unit: str,
        measured_as: str | None,
        factor: Fraction,
        offset: Fraction = Fraction(0),
        *,
        is_verified: bool = True,
    ) -> Conversion:
        middle = f":{measured_as}" if measured_as else ""
        identity = f"{self.id}{middle}:{unit}"
        return Conversion(unit, float(factor), float(offset), identity, factor, offset, is_verified)


def _molar_step(kind: Kind, molar_mass: Fraction) -> Fraction:
    return 1 / molar_mass if dict(kind).get("mass") else molar_mass
