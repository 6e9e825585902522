"""What must hold of the registry before anything is read with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schemas.analytes.model import Analyte
from schemas.analytes.names import collisions, fold, others
from schemas.errors import DefinitionError


def check_registry(analytes: Mapping[str, Analyte]) -> None:
    """Raise DefinitionError for the first thing in the registry that contradicts itself."""
    for analyte in analytes.values():
        for problem in _problems(analyte):
            raise DefinitionError(
                f"schemas/analytes/{analyte.id}.toml: {problem}.",
                "A definition checks itself.",
                "mend the file",
            )
    for problem in (*_shared(analytes), *_foreign(analytes)):
        raise DefinitionError(
            f"schemas/analytes: {problem}.", "Definitions check each other.", "mend one file"
        )


def is_loinc(code: str) -> bool:
    """Tell whether a code has LOINC's form and its check digit (modulus 10, double-add-double)."""
    number, dash, check = code.partition("-")
    if not (dash and number.isdigit() and check.isdigit() and len(check) == 1):
        return False
    doubled = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(reversed(number))]
    return (10 - sum(d // 10 + d % 10 for d in doubled) % 10) % 10 == int(check)


def _problems(analyte: Analyte) -> Iterator[str]:
    for unit in (analyte.unit, *analyte.units, *analyte.columns.values(), *(a.unit for a in analyte.assays)):
        if analyte.conversion(unit) is None:
            yield f"the unit {unit} has no factor"
    (hard_low, hard_high), (soft_low, soft_high) = analyte.hard, analyte.soft
    if not hard_low <= soft_low < soft_high <= hard_high:
        yield "the soft bounds are not inside the hard ones"
    yield from (f"{code} is not a LOINC code" for code in analyte.loinc if not is_loinc(code))
    yield from _fingerprint_problems(analyte)


def _fingerprint_problems(analyte: Analyte) -> Iterator[str]:
    units: dict[tuple[float, float], str] = {}
    for print_ in analyte.fingerprints:
        if analyte.conversion(print_.unit) is None:
            yield f"the fingerprint's unit {print_.unit} has no factor"
        pair = (print_.low, print_.high)
        if not analyte.is_same_unit(units.setdefault(pair, print_.unit), print_.unit):
            yield f"the pair {pair} stands for two units"


def _shared(analytes: Mapping[str, Analyte]) -> Iterator[str]:
    owners: dict[str, tuple[str, str | None]] = {}
    for analyte in analytes.values():
        named = [(f"name {fold(name)}", as_) for name, as_ in analyte.names.items()]
        coded = [(f"LOINC {code}", found.measured_as) for code, found in analyte.loinc.items()]
        tests = [(f"SDTM {code}", as_) for code, as_ in analyte.sdtm.items()]
        for key, as_ in (*named, *coded, *tests):
            if owners.setdefault(key, (analyte.id, as_)) != (analyte.id, as_):
                yield f"the {key} stands for two analytes"


def _foreign(analytes: Mapping[str, Analyte]) -> Iterator[str]:
    """Names and codes that the list of other analytes or of colliding names claims as well."""
    names = {fold(name) for analyte in analytes.values() for name in analyte.names}
    codes = {code for analyte in analytes.values() for code in analyte.loinc}
    tests = {code for analyte in analytes.values() for code in analyte.sdtm}
    for other in others():
        if fold(other.name) in names or codes & set(other.loinc) or other.sdtm_code in tests:
            yield f"{other.name} is a study analyte and another one"
        if other.variant_of and other.variant_of not in analytes:
            yield f"{other.name} is a variant of no analyte"
        yield from (f"{code} is not a LOINC code" for code in other.loinc if not is_loinc(code))
    known = names | {fold(other.name) for other in others()}
    yield from (f"{name} collides, and is listed besides" for name in collisions() if name in known)
