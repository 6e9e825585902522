"""Recognise which analyte a record is about, and in which specimen.

The name, the code and what stands beside them must agree. A name on the reviewed list of other analytes is out of
scope; a name that only resembles a study analyte is held, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from etl.harmonize.codes_of_analytes import CodeReading, read_code
from etl.harmonize.concepts import Concept, concept_id, likeness, read_concept
from etl.harmonize.headers import HeaderMeasure, match_headers
from etl.harmonize.names import Hit, NameReading, read_name, resembles
from etl.harmonize.specimens import is_measured_in, read_specimen, specimen_of_category
from etl.harmonize.spelling import unit_readings
from schemas.analytes import Analyte, Reading, fold, is_loinc, registry

__all__ = ["CONTEXT", "RECOGNISED", "HeaderMeasure", "match_headers", "recognise", "resembles"]

CONTEXT = ("analyte_source", "code_source", "code_system", "category", "specimen_source", "unit_source")
CONCEPT = "concept"  # the id of a concept, in a column that contexts may have besides
RECOGNISED = {
    "analyte": pl.String,
    "measured_as": pl.String,
    "specimen": pl.String,
    "specimen_basis": pl.String,  # stated, name, code, category, default
    "bucket": pl.String,  # null: a study analyte, or out_of_scope
    "reason": pl.String,  # id in schemas/reasons.toml
    "code_read": pl.String,  # what counts as the row's code: its own, or that of its concept
    "system_read": pl.String,
    "is_by_concept": pl.Boolean,  # nothing that the row itself says is known
}
OTHER = "other"


@dataclass(frozen=True)
class Context:
    """One distinct combination of what a record says about its analyte."""

    name: str | None
    code: str | None
    system: str | None
    category: str | None
    specimen: str | None
    unit: str | None
    concept: Concept | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Verdict:
    """The analyte, or that it is another one, or why it is not settled."""

    analyte: str | None = None
    measured_as: str | None = None
    is_other: bool = False
    reason: str | None = None


OUT_OF_SCOPE = Verdict(is_other=True)
AMBIGUOUS = Verdict(reason="ambiguous_analyte")


def recognise(
    contexts: pl.DataFrame, extra: Mapping[str, str], concepts: Mapping[str, Concept] | None = None
) -> pl.DataFrame:
    """Add RECOGNISED to distinct contexts (CONTEXT columns, any null; CONCEPT where rows have one).

    extra: the site's names or codes -> analyte id, `id:measured_as`, or `other`. concepts: by their ids.
    """
    declared = {fold(name): target for name, target in extra.items()}
    ids = contexts[CONCEPT].to_list() if CONCEPT in contexts.columns else [None] * contexts.height
    beside = [(concepts or {}).get(concept_id(each) or "") for each in ids]
    rows = [
        _recognise(Context(*(_text(cell) for cell in row), concept=each), declared)
        for row, each in zip(contexts.select(CONTEXT).iter_rows(), beside, strict=True)
    ]
    return contexts.hstack(pl.DataFrame(rows, schema=RECOGNISED, orient="row"))


def _recognise(context: Context, declared: Mapping[str, str]) -> tuple[str | bool | None, ...]:
    name = read_name(context.name) if context.name else NameReading()
    code = read_code(context.code, context.system) if context.code else CodeReading()
    if context.concept is None:
        verdict = _declared(context, declared) or _verdict(context, name, code)
        return (*_placed(context, verdict, name, code), context.code, context.system, False)
    concept = read_concept(context.concept)
    said = name.hit or code.hit
    is_own = code.hit is not None and _is_of_system(context)
    verdict = _declared(context, declared) or _with_concept(context, name, code, concept)
    is_same = context.code == context.concept.code
    own = (context.code, context.system or (context.concept.system if is_same else None))
    coded = own if is_own else (context.concept.code, context.concept.system)
    code = replace(code, specimen=code.specimen or concept.specimen) if is_own else concept
    return (*_placed(context, verdict, name, code), *coded, said is None or bool(said.readings))


def _placed(
    context: Context, verdict: Verdict, name: NameReading, code: CodeReading
) -> tuple[str | None, ...]:
    """Return a verdict with the specimen, and what follows from it."""
    if verdict.is_other or verdict.analyte is None:
        return (None, None, None, None, "out_of_scope" if verdict.is_other else None, verdict.reason)
    analyte = registry()[verdict.analyte]
    specimen, basis = _specimen(analyte, context, name, code)
    problem = verdict.reason or _specimen_problem(analyte, name, specimen)
    if problem == OTHER or not analyte.is_studied:
        return (None, None, specimen, basis, "out_of_scope", None)
    return (analyte.id, verdict.measured_as, specimen, basis, None, problem)


def _declared(context: Context, declared: Mapping[str, str]) -> Verdict | None:
    concept = (context.concept.code, context.concept.name) if context.concept else ()
    keys = [fold(text) for text in (context.name, context.code, *concept) if text]
    target = next((declared[key] for key in keys if key in declared), None)
    if target is None:
        return None
    analyte, _, measured_as = target.partition(":")
    if analyte == OTHER:
        return OUT_OF_SCOPE
    return Verdict(analyte, measured_as or _measured_as(analyte, context.name))


def _measured_as(analyte: str, name: str | None) -> str | None:
    """Return what a declared name stands for by itself: `BUN mg/dL`, declared urea, is still urea nitrogen."""
    header = match_headers([name]).get(name) if name else None
    if header is not None and header.analyte == analyte:
        return header.measured_as
    return registry()[analyte].measured_as


def _verdict(context: Context, name: NameReading, code: CodeReading) -> Verdict:
    """Weigh name and code; the first rule that fits wins."""
    if name.hit is not None and name.hit.is_other:
        return OUT_OF_SCOPE
    if code.is_damaged or (code.is_no_code and context.name is None):
        return Verdict(name.hit.analyte if name.hit else None, reason="damaged_code")
    if name.is_contradictory:
        return AMBIGUOUS
    if name.hit is None:
        return _by_code(context, code.hit)
    return _by_name(context, name.hit, code)


def _with_concept(context: Context, name: NameReading, code: CodeReading, concept: CodeReading) -> Verdict:
    """Weigh what a row says of its analyte and what its concept says, as a name is weighed against a code.

    A word leaves open what a concept can narrow, as creatinine in urine; a code of a system does not.
    """
    if name.hit and code.hit and (own := _verdict(context, name, code)).reason:
        return own
    said = name.hit or code.hit
    coded = concept.hit
    like = likeness(context.concept) if context.concept and coded is None else None
    if like is not None and (said is None or said.analyte != like):
        return AMBIGUOUS if said else Verdict(reason="unrecognised_analyte")
    if said and coded and said.is_other != coded.is_other and not said.readings and not coded.readings:
        variant, analyte = (said, coded) if said.is_other else (coded, said)
        is_variant = variant.variant_of == analyte.analyte
        is_name = bool(name.hit) or not _is_of_system(context)
        return OUT_OF_SCOPE if is_variant and is_name else AMBIGUOUS
    reading = name if name.hit or name.is_contradictory else NameReading(code.hit, code.specimen)
    verdict = _verdict(replace(context, name=context.name or context.code), reading, concept)
    known, specimens = registry().get(verdict.analyte or ""), (code.specimen, concept.specimen)
    places = {is_measured_in(known, each) for each in specimens if each} if known else set()
    return replace(verdict, reason=verdict.reason or "specimen_mismatch") if len(places) > 1 else verdict


def _is_of_system(context: Context) -> bool:
    """Tell whether a row's code is one of a system; an abbreviation is a name, also one that SDTM has."""
    return context.code is not None and (context.system is not None or is_loinc(context.code))


def _by_name(context: Context, hit: Hit, code: CodeReading) -> Verdict:
    if hit.readings:
        return _by_neighbours(context, hit.readings, code.hit)
    if code.hit is None or code.is_abbreviation:
        return Verdict(hit.analyte, hit.measured_as)
    return _agreed(context, hit, code.hit)


def _by_code(context: Context, hit: Hit | None) -> Verdict:
    """Decide where the name is missing or unlisted."""
    likeness = resembles(context.name) if context.name else None
    if hit is None:
        is_unknown = likeness is None and bool(context.name or context.code)
        return OUT_OF_SCOPE if is_unknown else Verdict(reason="unrecognised_analyte")
    if hit.is_other:
        return OUT_OF_SCOPE if likeness in {None, hit.variant_of} else AMBIGUOUS
    if hit.readings:
        return _by_neighbours(context, hit.readings, None)
    return Verdict(hit.analyte, hit.measured_as) if likeness in {None, hit.analyte} else AMBIGUOUS


def _agreed(context: Context, name: Hit, code: Hit) -> Verdict:
    if code.is_other:
        return OUT_OF_SCOPE if code.variant_of == name.analyte else AMBIGUOUS
    if code.analyte != name.analyte or name.analyte is None:
        return AMBIGUOUS
    if code.measured_as == name.measured_as or not _depends(
        registry()[name.analyte], context.unit, name, code
    ):
        return Verdict(name.analyte, name.measured_as)
    return AMBIGUOUS


def _depends(analyte: Analyte, unit: str | None, name: Hit, code: Hit) -> bool:
    """Tell whether the factor differs between what the name and what the code stands for: BUN is urea in mmol/L."""
    readings = unit_readings(unit)
    if not readings:
        return True
    factors = {
        conversion and conversion.exact_factor
        for reading in readings
        for hit in (name, code)
        if (conversion := analyte.conversion(reading, hit.measured_as))
    }
    return len(factors) != 1


def _by_neighbours(context: Context, readings: tuple[Reading, ...], code: Hit | None) -> Verdict:
    """Settle a name that stands for several by its code, its unit, then the panel's title."""
    fitting = [
        r for r in readings if code and (r.analyte == code.analyte or (code.is_other and r.analyte == OTHER))
    ]
    if not fitting and code is None:
        units = set(unit_readings(context.unit))
        fitting = [r for r in readings if r.units & units]
    if not fitting and code is None and not unit_readings(context.unit):
        category = (context.category or "").casefold()
        fitting = [r for r in readings if any(word in category for word in r.categories)]
    if len(fitting) != 1:
        return AMBIGUOUS
    found = fitting[0]
    return OUT_OF_SCOPE if found.analyte == OTHER else Verdict(found.analyte, found.measured_as or None)


def _specimen(
    analyte: Analyte, context: Context, name: NameReading, code: CodeReading
) -> tuple[str | None, str | None]:
    if not analyte.specimens:
        return None, None
    if context.specimen:
        return read_specimen(context.specimen), "stated"
    category = specimen_of_category(context.category) if context.category else None
    candidates = {"name": name.specimen, "code": code.specimen, "category": category}
    found = next(((specimen, basis) for basis, specimen in candidates.items() if specimen), None)
    return found or (analyte.specimens[0], "default")


def _specimen_problem(analyte: Analyte, name: NameReading, specimen: str | None) -> str | None:
    """Return specimen_mismatch, `other` for a known measurement elsewhere, such as creatinine in urine, or None."""
    if not analyte.specimens:
        return "specimen_mismatch" if name.specimen else None  # the weight of a urine is no body weight
    if specimen is None:
        return "specimen_mismatch"
    is_measured = is_measured_in(analyte, specimen)
    if name.specimen is not None and is_measured_in(analyte, name.specimen) != is_measured:
        return "specimen_mismatch"
    if is_measured:
        return None
    return OTHER if specimen in analyte.other_specimens else "specimen_mismatch"


def _text(cell: object) -> str | None:
    return cell.strip() or None if isinstance(cell, str) else None
