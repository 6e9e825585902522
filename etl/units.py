"""Units: what the registry knows of each analyte, and which piece of evidence settles the unit of a result."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Final

import polars as pl

from etl.harmonize.units import CONTEXT, SETTLED, settle_units, suggest_unit, unit_readings
from schemas.analytes import Analyte, Origin, fold, registry
from schemas.errors import UsageError
from schemas.reasons import REASONS


@dataclass(frozen=True)
class Printed:
    """What stands beside a result: the unit, the printed reference range, a LOINC code, and a declaration for it."""

    unit: str | None = None
    low: float | None = None
    high: float | None = None
    loinc: str | None = None
    declared: str | None = None
    override: bool = False


@dataclass(frozen=True)
class Explanation:
    """Which row of the table decides, what each witness says, and what follows. row, reason: null where none."""

    analyte: str
    row: str
    rule: str
    witnesses: dict[str, str]
    unit: str | None
    factor: float | None
    offset: float | None
    factor_id: str | None
    basis: str | None
    flag: str | None
    reason: str | None
    advice: str | None

    def document(self) -> dict[str, Any]:
        """Return the explanation as one JSON document."""
        return asdict(self)


# The rows of the table of units by evidence, in their order; the first that fits wins.
RULES: Final = {
    "declaration_conflict": "a declaration contradicts the stated unit or the printed range: held",
    "declaration_override": "a declaration with --override contradicts the stated unit or the range: accepted as declared",
    "declared": "no unit is stated, a declaration is in force: accepted as declared",
    "unit_range_conflict": "the stated unit measures the analyte, the range belongs to another unit: held",
    "stated_flagged": "stated unit and range agree, the LOINC property does not: accepted as stated, flagged",
    "unit_loinc_conflict": "the stated unit has no range beside it that proves it, the LOINC property disagrees: held",
    "loinc_settled": "unit and LOINC property disagree, a declaration names the stated unit: accepted as declared",
    "stated": "the stated unit measures the analyte and nothing contradicts it: accepted as stated",
    "range": "no unit is stated, the printed range belongs to one unit: accepted by the range",
    "unit_missing": "no unit, no range that proves one; a LOINC code alone is not enough: held",
    "unit_not_commensurable": "the stated unit cannot measure the analyte: held",
    "unit_unknown": "the stated unit is spelt in no known way: held",
}


def find_analyte(text: str) -> Analyte:
    """Return the analyte of an id or a known name. Raises UsageError."""
    known = registry()
    if text in known:
        return known[text]
    name = fold(text)
    for analyte in known.values():
        if name in {fold(each) for each in analyte.names}:
            return analyte
    near = get_close_matches(text.lower(), known, n=1, cutoff=0.5)
    raise UsageError(
        f"No analyte is called '{text}'.",
        "An analyte is named by its id in the registry, or by a name that laboratories print.",
        f"etl units show {near[0]}" if near else "etl units list",
    )


def find_unit(analyte: Analyte, text: str) -> str:
    """Return the UCUM unit of a spelling that can measure the analyte. Raises UsageError."""
    fitting = [unit for unit in unit_readings(text) if analyte.conversion(unit) is not None]
    if len(fitting) == 1:
        return fitting[0]
    near = suggest_unit(text)
    usable = near if near and analyte.conversion(near) else analyte.unit
    raise UsageError(
        f"'{text}' is not a unit of {analyte.id}.",
        f"It is stated in {', '.join(analyte.units)}, in any usual spelling.",
        f"--unit {usable}",
    )


def list_units() -> pl.DataFrame:
    """Return every analyte with its canonical unit, the units it may be stated in, and its bounds."""
    rows = [
        (
            each.id,
            each.unit,
            ", ".join(each.units),
            *each.hard,
            *each.soft,
            len(each.fingerprints),
            each.is_studied,
        )
        for each in registry().values()
    ]
    names = (
        "analyte",
        "unit",
        "stated_in",
        "hard_low",
        "hard_high",
        "soft_low",
        "soft_high",
        "ranges",
        "studied",
    )
    return pl.DataFrame(rows, schema=names, orient="row")


def show_analyte(text: str) -> dict[str, Any]:
    """Return what the registry says of an analyte, each number with its source and whether that was read."""
    analyte = find_analyte(text)
    return {
        "analyte": analyte.id,
        "title": analyte.title,
        "unit": analyte.unit,
        "bounds": {"hard": analyte.hard, "soft": analyte.soft, **_said(analyte.bounds_origin)},
        "specimens": analyte.specimens,
        "other_specimens": analyte.other_specimens,
        "units": _conversions(analyte),
        "molar_masses": [
            {
                "of": of or analyte.id,
                "value": float(mass.value),
                "source": mass.source,
                "verified": mass.is_verified,
            }
            for of, mass in analyte.molar_masses.items()
        ],
        "loinc": {code: found.property for code, found in analyte.loinc.items()},
        "loinc_origin": _said(analyte.loinc_origin),
        "ranges": [
            {"low": f.low, "high": f.high, "unit": f.unit, "source": f.source, "verified": f.is_verified}
            for f in analyte.fingerprints
        ],
        "assays": [
            {
                "platform": a.platform,
                "low": a.low,
                "high": a.high,
                "unit": a.unit,
                "source": a.source,
                "verified": a.is_verified,
            }
            for a in analyte.assays
        ],
        "names": {language: sorted(names) for language, names in analyte.languages.items()},
    }


def _said(origin: Origin) -> dict[str, Any]:
    return {"source": origin.source, "verified": origin.is_verified}


def explain(text: str, printed: Printed) -> Explanation:
    """Tell which row of the table settles the unit of a result, and why. Raises UsageError."""
    analyte = find_analyte(text)
    settled = _settled(analyte, printed)
    row = _row(analyte, printed, settled)
    reason = settled["reason"]
    return Explanation(
        analyte=analyte.id,
        row=row,
        rule=RULES[row],
        witnesses=_witnesses(analyte, printed),
        unit=settled["unit"],
        factor=settled["factor"],
        offset=settled["offset"],
        factor_id=settled["factor_id"],
        basis=settled["unit_basis"],
        flag=settled["unit_flag"],
        reason=reason,
        advice=REASONS[reason].advice if reason else None,
    )


def _conversions(analyte: Analyte) -> list[dict[str, Any]]:
    """Return every conversion once; `of` says what is measured where that picks the factor (urea nitrogen)."""
    kinds = (None, *filter(None, analyte.molar_masses))
    found = (analyte.conversion(unit, kind) for unit in analyte.units for kind in kinds)
    by_id = {each.factor_id: each for each in found if each is not None}
    return [
        {
            "unit": each.unit,
            "of": factor_id.split(":")[1] if factor_id.count(":") > 1 else None,
            "factor": each.factor,
            "offset": each.offset,
            "verified": each.is_verified,
        }
        for factor_id, each in by_id.items()
    ]


def _settled(analyte: Analyte, printed: Printed) -> dict[str, Any]:
    schema = dict.fromkeys(CONTEXT, pl.String) | {
        "ref_low": pl.Float64,
        "ref_high": pl.Float64,
        "override": pl.Boolean,
    }
    row = dict.fromkeys(CONTEXT) | {
        "analyte": analyte.id,
        "unit_source": printed.unit,
        "ref_low": printed.low,
        "ref_high": printed.high,
        "code_source": printed.loinc,
        "code_system": "loinc" if printed.loinc else None,
        "unit_declared": printed.declared,
        "override": printed.override,
    }
    return settle_units(pl.DataFrame([row], schema=schema)).select(list(SETTLED)).row(0, named=True)


def _row(analyte: Analyte, printed: Printed, settled: dict[str, Any]) -> str:
    """Return the key of the row of RULES that led to this verdict."""
    if settled["reason"]:
        return str(settled["reason"])
    if settled["unit_basis"] == "declared":
        plain = Printed(**(asdict(printed) | {"override": False}))
        if _settled(analyte, plain)["reason"] == "declaration_conflict":
            return "declaration_override"
        return "loinc_settled" if settled["unit_stated"] else "declared"
    is_flagged = "loinc_disagrees" in (settled["unit_flag"] or "")
    return (
        "stated_flagged" if settled["unit_basis"] == "stated" and is_flagged else str(settled["unit_basis"])
    )


def _witnesses(analyte: Analyte, printed: Printed) -> dict[str, str]:
    """Return what each piece of evidence says, in words."""
    said = {"unit": _unit_says(analyte, printed.unit), "range": _range_says(analyte, printed)}
    said["loinc"] = _loinc_says(analyte, printed.loinc)
    said["declaration"] = f"{printed.declared}" if printed.declared else "none"
    return said


def _unit_says(analyte: Analyte, text: str | None) -> str:
    if not text or not unit_readings(text):
        near = suggest_unit(text) if text else None
        return f"'{text}' is not known" + (f"; nearest: {near}" if near else "") if text else "none"
    readings = [unit for unit in unit_readings(text) if analyte.conversion(unit)]
    if len(readings) != 1:
        return f"'{text}' cannot measure {analyte.id}"
    return f"{readings[0]} ({analyte.property_of(readings[0])})"


def _range_says(analyte: Analyte, printed: Printed) -> str:
    if printed.low is None or printed.high is None:
        return "none" if printed.low is None and printed.high is None else "one limit alone is no evidence"
    unit = analyte.fingerprint(printed.low, printed.high)
    source = next(
        (f.source for f in analyte.fingerprints if (f.low, f.high) == (printed.low, printed.high)), ""
    )
    return f"{unit} ({source})" if unit else "a pair that belongs to no unit for sure"


def _loinc_says(analyte: Analyte, code: str | None) -> str:
    if not code:
        return "none"
    found = analyte.loinc.get(code.strip())
    return found.property if found else f"{code} is not a code of {analyte.id}"
