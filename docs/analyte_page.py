"""The page of the registry: each analyte with its units, codes, bounds, ranges, assays and names, from its TOML."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from schemas.analytes import Analyte, registry

Table = Callable[[Iterable[str], Iterable[Iterable[object]]], str]
_READ = {True: "yes", False: "no"}


def analyte_page(table: Table) -> str:
    """Return a section an analyte; table writes rows as Markdown."""
    return "\n\n".join(part for analyte in registry().values() for part in _section(analyte, table))


def _section(analyte: Analyte, table: Table) -> list[str]:
    known = "Studied." if analyte.is_studied else f"Not studied; never taken for `{analyte.variant_of}`."
    parts = [
        f"## {analyte.title} (`{analyte.id}`)",
        f"{known} Canonical unit `{analyte.unit}`. Specimens: {', '.join(analyte.specimens) or 'none'}.",
        table(("what", "value", "source read", "source"), _numbers(analyte)),
        table(("unit", "of", "canonical = value x", "plus"), _conversions(analyte)),
    ]
    parts += (
        [table(("range", "proves", "source read", "source"), _ranges(analyte))]
        if analyte.fingerprints
        else []
    )
    parts += (
        [table(("assay", "measures", "source read", "source"), _assays(analyte))] if analyte.assays else []
    )
    return [
        *parts,
        table(("language", "names"), ((key, ", ".join(names)) for key, names in analyte.languages.items())),
    ]


def _numbers(analyte: Analyte) -> list[tuple[str, ...]]:
    bounds, codes = analyte.bounds_origin, analyte.loinc_origin
    listed = ", ".join(f"{code} ({found.property})" for code, found in analyte.loinc.items())
    rows = [
        ("held outside", _pair(*analyte.hard), _READ[bounds.is_verified], bounds.source),
        ("reviewed outside", _pair(*analyte.soft), _READ[bounds.is_verified], bounds.source),
        ("LOINC", listed or "none", _READ[codes.is_verified], codes.source),
    ]
    rows += [
        (
            f"molar mass{f' of {of}' if of else ''}",
            f"{float(mass.value):g} g/mol",
            _READ[mass.is_verified],
            mass.source,
        )
        for of, mass in analyte.molar_masses.items()
    ]
    return rows + [
        (f"{each.unit} (affine)", f"x {float(each.factor.value):g} + {float(each.offset):g}", _READ[each.factor.is_verified], each.factor.source)
        for each in analyte.affine
    ]  # fmt: skip


def _conversions(analyte: Analyte) -> list[tuple[str, ...]]:
    kinds = (None, *filter(None, analyte.molar_masses))
    found = (analyte.conversion(unit, kind) for unit in analyte.units for kind in kinds)
    by_id = {each.factor_id: each for each in found if each is not None}
    return [
        (
            f"`{each.unit}`",
            key.split(":")[1] if key.count(":") > 1 else "",
            f"{each.factor:.6g}",
            f"{each.offset:g}",
        )
        for key, each in by_id.items()
    ]


def _ranges(analyte: Analyte) -> list[tuple[str, ...]]:
    return [
        (_pair(each.low, each.high), f"`{each.unit}`", _READ[each.is_verified], each.source)
        for each in analyte.fingerprints
    ]


def _assays(analyte: Analyte) -> list[tuple[str, ...]]:
    return [
        (each.platform, f"{_pair(each.low, each.high)} `{each.unit}`", _READ[each.is_verified], each.source)
        for each in analyte.assays
    ]


def _pair(low: float, high: float) -> str:
    return f"{low:g} to {high:g}"
