"""Read the code of an analyte: LOINC, SDTM, or an abbreviation."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from etl.harmonize.names import Hit, read_name
from schemas.analytes import is_loinc, others, registry

# What a spreadsheet makes of 2132-9: Sep-32, 2132-09-01, 2132年9月, 01.09.2132.
_MONTH = r"(?:jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez)[a-zé]*\.?"
_DAMAGED = re.compile(
    rf"^(?:{_MONTH}[-\s]\d{{2,4}}|\d{{1,2}}[-\s.]{{1,2}}{_MONTH}(?:[-\s]\d{{2,4}})?|\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?:[ T]00:00.*)?"
    r"|\d{1,2}[./]\d{1,2}[./]\d{4}(?: 00:00.*)?|\d{4}年\d{1,2}月(?:\d{1,2}日)?)$",
    re.IGNORECASE,
)
# A date's serial number, a code cut short, a wrong check digit: digits under LOINC's name that are no code of it.
_DIGITS = re.compile(r"\d+(?:\.0+)?(?:-\d*)?")
_DASHES = re.compile("[‐‑‒–—−]")


@dataclass(frozen=True)
class CodeReading:
    """What a code says. An abbreviation is weaker than a name; a code of a system is as strong.

    is_damaged: a spreadsheet made a date of it. is_no_code: it has no code's form, so that a name must tell.
    """

    hit: Hit | None = None
    specimen: str | None = None
    is_damaged: bool = False
    is_no_code: bool = False
    is_abbreviation: bool = False


def read_code(code: str, system: str | None) -> CodeReading:
    """Read a code of a system (loinc, sdtm, local) or of an unnamed one; a local code says nothing by itself."""
    name = _system(system)
    code = _DASHES.sub("-", unicodedata.normalize("NFKC", code)).strip()
    if name in {None, "loinc"} and _DAMAGED.match(code):
        return CodeReading(is_damaged=True)
    if name == "loinc" and _DIGITS.fullmatch(code) and not is_loinc(code):
        return CodeReading(is_no_code=True)
    if name == "loinc" or (name is None and is_loinc(code)):
        return _loinc().get(code, CodeReading())
    if name == "sdtm":
        return _sdtm().get(code.upper(), CodeReading())
    if name is None:
        return _sdtm().get(code.upper()) or CodeReading(read_name(code).hit, is_abbreviation=True)
    return CodeReading()


def _system(system: str | None) -> str | None:
    known = (system or "").casefold()
    if "loinc" in known or known == "ln":
        return "loinc"
    return known or None


@cache
def _loinc() -> dict[str, CodeReading]:
    found = {
        code: CodeReading(Hit(variant_of=other.variant_of)) for other in others() for code in other.loinc
    }
    for analyte in registry().values():
        for code, says in analyte.loinc.items():
            hit = (
                Hit(analyte.id, says.measured_as)
                if analyte.is_studied
                else Hit(variant_of=analyte.variant_of)
            )
            found[code] = CodeReading(hit, says.specimen)
    return found


@cache
def _sdtm() -> dict[str, CodeReading]:
    found = {o.sdtm_code: CodeReading(Hit(variant_of=o.variant_of)) for o in others() if o.sdtm_code}
    for analyte in registry().values():
        found |= {code: CodeReading(Hit(analyte.id, as_)) for code, as_ in analyte.sdtm.items()}
    return found
