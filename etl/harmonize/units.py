"""Settle each result's unit by evidence: the stated unit, the printed reference range, the LOINC property, a declaration.

No range check sees a pg/mL that is a pmol/L (factor 1.355), so nothing here looks at the value. The first rule that
fits wins; where the witnesses contradict each other the rows are held.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from etl.harmonize.spelling import is_unstated, parse_unit, suggest_unit, unit_readings
from schemas.analytes import Analyte, Conversion, is_loinc, registry

__all__ = ["CONTEXT", "SETTLED", "parse_unit", "settle_units", "suggest_unit", "unit_readings"]

CONTEXT = (
    "analyte",
    "measured_as",
    "unit_source",
    "ref_low",
    "ref_high",
    "code_source",
    "code_system",
    "unit_declared",
    "override",
)
SETTLED = {
    "unit": pl.String,  # canonical, UCUM
    "unit_stated": pl.String,  # what the source says, as UCUM
    "factor": pl.Float64,  # canonical value = value x factor + offset, in double precision
    "offset": pl.Float64,
    "factor_id": pl.String,
    "unit_basis": pl.String,  # stated, range, declared
    "unit_flag": pl.String,  # loinc_disagrees, factor_unverified
    "reason": pl.String,  # id in schemas/reasons.toml
}


@dataclass(frozen=True)
class Evidence:
    """What the witnesses say about one context, each as a UCUM unit of the analyte or None."""

    analyte: Analyte
    measured_as: str | None
    stated: str | None
    printed: str | None  # by the reference range's fingerprint
    declared: str | None
    property: str | None  # by the LOINC code
    has_unit_text: bool
    is_known_spelling: bool
    is_declared: bool
    is_override: bool


@dataclass(frozen=True)
class Verdict:
    """A unit with its basis, or the reason why none is settled."""

    unit: str | None = None
    basis: str | None = None
    reason: str | None = None


def settle_units(contexts: pl.DataFrame, hints: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Add SETTLED to distinct contexts (CONTEXT columns, any null); rows without an analyte stay null.

    hints: the site's own spellings, as unit text -> UCUM.
    """
    rows = [_settle(row, hints or {}) for row in contexts.select(CONTEXT).iter_rows(named=True)]
    return contexts.hstack(pl.DataFrame(rows, schema=SETTLED, orient="row"))


def _settle(row: Mapping[str, object], hints: Mapping[str, str]) -> dict[str, object]:
    analyte = registry().get(str(row["analyte"]))
    if analyte is None:
        return dict.fromkeys(SETTLED)
    evidence = _evidence(analyte, row, hints)
    verdict = _verdict(evidence)
    conversion = analyte.conversion(verdict.unit, evidence.measured_as) if verdict.unit else None
    return {
        "unit": analyte.unit if conversion else None,
        "unit_stated": evidence.stated,
        "factor": conversion and conversion.factor,
        "offset": conversion and conversion.offset,
        "factor_id": conversion and conversion.factor_id,
        "unit_basis": verdict.basis,
        "unit_flag": conversion and _flag(evidence, conversion),
        "reason": verdict.reason,
    }


def _evidence(analyte: Analyte, row: Mapping[str, object], hints: Mapping[str, str]) -> Evidence:
    text = _text(row["unit_source"])
    readings = _readings(text, hints)
    declared = _text(row["unit_declared"])
    low, high = row["ref_low"], row["ref_high"]
    pair = (low, high) if isinstance(low, float) and isinstance(high, float) else (None, None)
    return Evidence(
        analyte=analyte,
        measured_as=_text(row["measured_as"]),
        stated=_of_analyte(analyte, readings),
        printed=analyte.fingerprint(*pair),
        declared=_of_analyte(analyte, _readings(declared, hints)),
        property=_loinc_property(analyte, _text(row["code_source"]), _text(row["code_system"])),
        has_unit_text=not is_unstated(text),
        is_known_spelling=bool(readings),
        is_declared=declared is not None,
        is_override=row["override"] is True,
    )


def _verdict(e: Evidence) -> Verdict:
    """Apply the table of units by evidence; the first row that fits wins."""
    if e.is_declared and (e.declared is None or _contradicts(e, e.declared)):
        if e.is_override and e.declared is not None:
            return Verdict(e.declared, "declared")
        return Verdict(reason="declaration_conflict")
    if not e.has_unit_text:
        return _unstated(e)
    if e.stated is None:
        return Verdict(reason="unit_not_commensurable" if e.is_known_spelling else "unit_unknown")
    return _stated(e, e.stated)


def _unstated(e: Evidence) -> Verdict:
    if e.declared is not None:
        return Verdict(e.declared, "declared")
    if e.printed is not None:
        return Verdict(e.printed, "range")
    return Verdict(reason="unit_missing")  # LOINC alone is not enough


def _stated(e: Evidence, stated: str) -> Verdict:
    if e.printed is not None and not e.analyte.is_same_unit(e.printed, stated):
        return Verdict(reason="unit_range_conflict")
    if e.printed is None and _disagrees(e, stated):
        # A declaration that names the stated unit is the laboratory's answer to this very conflict.
        return Verdict(stated, "declared") if e.is_declared else Verdict(reason="unit_loinc_conflict")
    return Verdict(stated, "stated")


def _contradicts(e: Evidence, declared: str) -> bool:
    if e.is_known_spelling and e.stated is None:
        return True
    return any(
        unit is not None and not e.analyte.is_same_unit(unit, declared) for unit in (e.stated, e.printed)
    )


def _disagrees(e: Evidence, unit: str) -> bool:
    return e.property is not None and e.property != e.analyte.property_of(unit)


def _flag(e: Evidence, conversion: Conversion) -> str | None:
    flags = {
        "loinc_disagrees": _disagrees(e, conversion.unit),
        "factor_unverified": not conversion.is_verified,
    }
    return ",".join(name for name, is_raised in flags.items() if is_raised) or None


def _readings(text: str | None, hints: Mapping[str, str]) -> tuple[str, ...]:
    if text is not None and text.strip() in hints:
        return (hints[text.strip()],)
    return unit_readings(text)


def _of_analyte(analyte: Analyte, readings: tuple[str, ...]) -> str | None:
    """Return the one reading that can measure the analyte: G/L of haemoglobin is gram, not giga, per litre."""
    fitting = [unit for unit in readings if analyte.conversion(unit) is not None]
    return fitting[0] if len(fitting) == 1 else None


def _loinc_property(analyte: Analyte, code: str | None, system: str | None) -> str | None:
    if code is None or system not in {None, "loinc"} or not is_loinc(code.strip()):
        return None
    found = analyte.loinc.get(code.strip())
    return found.property if found else None


def _text(cell: object) -> str | None:
    return cell if isinstance(cell, str) else None
