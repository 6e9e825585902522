"""Read a laboratory's spelling of a unit as UCUM.

A spelling is composed from a closed vocabulary (schemas/units/spellings.toml). It is never case-folded and then
given to a UCUM validator: PG/ML would pass as petagauss per megalitre, G/L as gauss per litre.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import cache, lru_cache

from etl.harmonize.number_text import fold_width
from schemas.units import measure, spellings

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPER_RUN = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_MICRO = re.compile("[μµ]")
# HL7 components: `pmol/l^^L`; but not the carets of 10^9 and m^2.
_COMPONENT = re.compile(r"(?<!10)\^(?![-+]?\d)")
_TEN = re.compile(r"(?:[x×*]?10(?:\*\*|[*^e]|exp)|[x×]?10\(|[x×*]?10e\+?|e)(3|6|9|12)\)?")
# mL.min-1.1.73m-2: a factor of power -1, or an area of power -2, stands below the line.
_INVERSE = re.compile(r"[.· ]\s*(?:([^\d\W]+)\^?-1|((?:1[.,]73\s?)?m)\^?-2)(?!\d)")
# A number that multiplies: (pg/mL)/2 is UCUM, and what becomes of the second of two columns `B12 (pg/mL)`.
_MULTIPLE = re.compile(r"(?:^|[/.(])\d+(?=$|[/.)])")
_DIVIDERS = re.compile(r"\s+(?:per|pro|por|par)\s+|\s*[/∕⁄]\s*")


def parse_unit(text: str | None) -> str | None:
    """Return the UCUM code of a laboratory's unit, or None when it is missing, unknown or has two readings."""
    readings = unit_readings(text)
    return readings[0] if len(readings) == 1 else None


def is_unstated(text: str | None) -> bool:
    """Tell whether a unit cell states nothing: empty, or a word such as `NO UNITS`, `无` or `-`."""
    return text is None or not text.strip() or text.strip().casefold() in _nothing()


@lru_cache(maxsize=65536)
def unit_readings(text: str | None) -> tuple[str, ...]:
    """Return every UCUM code that a spelling can mean; `G/L` is gram or giga per litre, and the analyte decides."""
    if text is None or is_unstated(text):
        return ()
    spelling = _plain(text)
    for each in dict.fromkeys((spelling, _tidy(spelling))):
        tight = re.sub(r"\s+", "", each)
        if tight in spellings()["exact"]:
            return tuple(spellings()["exact"][tight])
        found = _whole().get(tight.lower()) or _composed(each)
        if found:
            return (found,)
    found = _literal(text.strip())
    return (found,) if found else ()


def suggest_unit(text: str, fits: Callable[[str], bool] | None = None) -> str | None:
    """Return the known unit whose usual spelling is nearest to an unknown one; fits chooses among several."""
    word = re.sub(r"\s+", "", _plain(text)).lower()
    near = difflib.get_close_matches(word, _usual(), n=10 if fits else 1, cutoff=0.7)
    units = [_usual()[each] for each in near]
    return next((unit for unit in units if fits is None or fits(unit)), None)


def _plain(text: str) -> str:
    # Powers before NFKC, which would turn 10⁹ into 109.
    text = _SUPER_RUN.sub(lambda run: _power(text, run), text.strip())
    text = fold_width(_COMPONENT.split(text)[0])
    return _MICRO.sub("µ", text).replace("−", "-").replace("×", "x").replace("·", ".").strip()


def _tidy(spelling: str) -> str:
    """Drop a full stop or comma at the end, and brackets around the whole."""
    bare = spelling.rstrip(" .,;")
    inside = re.fullmatch(r"\(([^()]*)\)|\[([^\[\]]*)\]", bare)
    return (inside.group(1) or inside.group(2) or "").strip() if inside else bare


def _power(text: str, run: re.Match[str]) -> str:
    digits = run.group(0).translate(_SUPERSCRIPT)
    return f"^{digits}" if text[: run.start()].endswith("10") else digits


def _composed(spelling: str) -> str | None:
    spelling = _INVERSE.sub(lambda found: f"/{found[1] or found[2] + '2'}", spelling.lower())
    parts = [
        re.sub(r"\s+|(?<!10)(?:\^|\*\*)(?=[23])", "", part).rstrip(".") for part in _DIVIDERS.split(spelling)
    ]
    parts = _unbracketed(parts)
    above = _above(parts[0])
    below = [_below(part) for part in parts[1:]]
    if above is None or None in below:
        return None
    if not any(below) and (not above or above.startswith("10*")):
        return None  # a bare count is no unit
    unit = "/".join([above, *(part for part in below if part)])
    return unit if measure(unit) is not None and _is_said(above, parts[1:]) else None


def _is_said(above: str, below: list[str]) -> bool:
    """Tell whether anybody says so: one quantity below the line (no mg/dL/dL), and metres over time alone (no um/mL)."""
    quantities = [part for part in below if _base(part)]
    found = measure(above) if above else None
    is_length = found is not None and dict(found.kind) == {"length": 1}
    return len(quantities) <= 1 and not (is_length and quantities)


def _unbracketed(parts: list[str]) -> list[str]:
    # ml/(min*1.73m2) is ml/min/1.73m2
    last = parts[-1]
    product = re.fullmatch(r"\(?(min|s)[*.](1[.,]73m2)\)?", last)
    return [*parts[:-1], product.group(1), product.group(2)] if product else parts


def _above(part: str) -> str | None:
    words = spellings()["above"]
    power = _TEN.fullmatch(part)
    if power:
        return f"10*{power.group(1)}"
    for code, known in words.items():
        if part in known or part == "":
            return "" if part == "" else str(code)
    return _base(part)


def _below(part: str) -> str | None:
    for code, known in spellings()["below"].items():
        if part in known:
            return str(code)
    return _base(part)


@cache
def _vocabulary() -> dict[str, str]:
    """Every prefix with every base that takes it; a spelling with two codes is left out."""
    data = spellings()
    found: dict[str, set[str]] = {}
    for base, words in data["bases"].items():
        for prefix in data["allowed"][base]:
            for head in data["prefixes"].get(prefix, [""]):
                for word in words:
                    found.setdefault(head + word.replace(" ", ""), set()).add(prefix + base)
    return {word: codes.pop() for word, codes in found.items() if len(codes) == 1}


def _base(part: str) -> str | None:
    return _vocabulary().get(part)


@cache
def _whole() -> dict[str, str]:
    return {word.replace(" ", ""): code for code, words in spellings()["whole"].items() for word in words}


@cache
def _nothing() -> frozenset[str]:
    return frozenset(spellings()["nothing"])


@cache
def _usual() -> dict[str, str]:
    units = [f"{above}/{below}" for above in ("g", "mol", "U", "[IU]") for below in ("L", "dL", "mL")]
    usual = {prefix + unit for unit in units for prefix in ("", "m", "u", "n", "p") if measure(prefix + unit)}
    return {unit.lower().replace("[iu]", "iu"): unit for unit in sorted(usual)} | _whole()


def _literal(text: str) -> str | None:
    """Return a code that is already UCUM, if it shows that it is by a bracket of UCUM's and counts no multiples."""
    is_shown = re.search(r"[{\[(]", text) and not _MULTIPLE.search(re.sub(r"\{[^{}]*\}", "", text))
    return text if is_shown and measure(text) is not None else None
