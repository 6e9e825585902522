"""Read the name of an analyte: prefixes, brackets, words for the specimen, and resemblance.

A name is recognised only as a whole: what is left after known words (serum, level, a method) must be a listed name.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from etl.harmonize.specimens import specimen_words
from schemas.analytes import Reading, collisions, fold, others, registry
from schemas.analytes.names import qualifiers


@dataclass(frozen=True)
class Hit:
    """What a listed name stands for: a study analyte, another one, or several (readings)."""

    analyte: str | None = None
    measured_as: str | None = None
    variant_of: str = ""
    readings: tuple[Reading, ...] = ()

    @property
    def is_other(self) -> bool:
        """Tell whether the name is a known analyte that is not studied."""
        return self.analyte is None and not self.readings


@dataclass(frozen=True)
class NameReading:
    """What a source's name says: a hit or None, the specimen it names, and whether its parts disagree.

    is_listed: every part of it is known, so that it holds nobody's words but ours.
    """

    hit: Hit | None = None
    specimen: str | None = None
    is_contradictory: bool = False
    is_listed: bool = False


_MARKS = re.compile(r"^[\s★☆*●◆■※▲△#◎○]+|[\s★☆*●◆■※▲△#◎○]+$")
# P-Glukose, S. creatinine: the Nordic letters for the system; H- is a Chinese panel.
_PREFIX = re.compile(r"^(?:f|v|c|a|d)?(S|P|B|U|Pt|E|Erc|Csv|H)\s?[-.]\s?(?=\S)")
_PREFIX_SPECIMEN = {
    "S": "serum",
    "P": "plasma",
    "B": "blood",
    "U": "urine",
    "E": "red_cells",
    "Erc": "red_cells",
}
_BRACKET = re.compile(r"[(\[{【〔]([^()\[\]{}【】〔〕]*)[)\]}】〕]")
# 肌酐 Cr, 尿酸UA: the same name twice, in two scripts
_SCRIPTS = re.compile(r"(?<=[\u3040-\u9fff])\s+(?=[A-Za-z])|(?<=[A-Za-z0-9])\s+(?=[\u3040-\u9fff])")
_GLUED = re.compile(r"([\u3040-\u9fff]+)([A-Za-z][A-Za-z0-9-]*)")
_WORD = re.compile(r"[\u3040-\u9fff]+|[^\W\u3040-\u9fff_]+")
_NOT_DIGITS = re.compile(r"\D")
_MIN_LATIN, _MIN_HAN = 6, 4  # shorter names have too many neighbours to resemble one
_FEWEST_LATIN, _FEWEST_HAN, _MOST_WORDS = 3, 2, 8  # shorter names are part of too many others


@lru_cache(maxsize=65536)
def read_name(name: str) -> NameReading:
    """Read a source's name of an analyte."""
    text = _MARKS.sub("", unicodedata.normalize("NFKC", name))
    whole = _look_up(text)
    if whole is not None:
        return NameReading(whole, is_listed=True)
    found = _read_parts((*_SCRIPTS.split(_BRACKET.sub(" ", text)), *_BRACKET.findall(text)))
    glued = _GLUED.fullmatch(text)
    if found.hit is None and glued is not None:
        found = _read_parts(glued.groups())
    prefix = _PREFIX.match(text)
    if found.hit is not None or prefix is None:
        return found
    rest = read_name(text[prefix.end() :])
    return replace(rest, specimen=rest.specimen or _PREFIX_SPECIMEN.get(prefix.group(1)))


def _look_up(text: str) -> Hit | None:
    return _index().get(fold(text))


def _read_parts(parts: tuple[str, ...]) -> NameReading:
    """Read what stands outside and inside the brackets; both must be known, and say the same."""
    read = [_strip_words(part) for part in parts if fold(part)]
    specimen = next((specimen for _, specimen, _ in read if specimen), None)
    hits = [hit for hit, _, _ in read if hit is not None]
    if any(hit is None and rest for hit, _, rest in read):  # a part that nobody knows
        is_all_other = bool(hits) and all(hit.is_other for hit in hits)
        return NameReading(hits[0] if is_all_other else None, specimen)
    plain = [hit for hit in hits if not hit.readings] or hits[:1]
    if len({(hit.analyte, hit.is_other) for hit in plain}) > 1 or not _fit(plain, hits):
        return NameReading(None, specimen, is_contradictory=True)
    return NameReading(plain[0] if plain else None, specimen, is_listed=bool(plain))


def _fit(plain: list[Hit], hits: list[Hit]) -> bool:
    """Tell whether the colliding names among the hits can mean what the plain ones mean: 尿酸(UA)."""
    meant = {hit.analyte or "other" for hit in plain if not hit.readings}
    return all(not meant or meant & {r.analyte for r in hit.readings} for hit in hits if hit.readings)


def _strip_words(part: str) -> tuple[Hit | None, str | None, str]:
    """Look a part up as it is, then without words for specimen, method or state; return what is left as well."""
    hit = _look_up(part)
    if hit is not None:
        return hit, None, ""
    rest, specimen = part.casefold(), None
    for pattern, found in _words():
        shorter = pattern.sub(" ", rest)
        if shorter != rest:
            rest, specimen = shorter, specimen or found
            hit = _look_up(rest)
            if hit is not None:
                return hit, specimen, ""
    return None, specimen, fold(rest)


@cache
def _words() -> tuple[tuple[re.Pattern[str], str | None], ...]:
    """Return the words that may surround a name, longest first; Chinese ones only at its ends."""
    known = {
        unicodedata.normalize("NFKC", w).casefold(): s
        for w, s in (*specimen_words().items(), *_plain_words())
    }
    ordered = sorted(known.items(), key=lambda item: -len(item[0]))
    return tuple((re.compile(_bounded(word)), specimen) for word, specimen in ordered)


def _plain_words() -> list[tuple[str, None]]:
    return [(word, None) for word in qualifiers()]


def _bounded(word: str) -> str:
    escaped = re.escape(word)
    if re.search(r"[\u3040-\u9fff]", word):
        return rf"^\s*{escaped}|{escaped}\s*$"
    return rf"(?<![^\W_]){escaped}(?![^\W_])"


@cache
def _index() -> dict[str, Hit]:
    index = {fold(other.name): Hit(variant_of=other.variant_of) for other in others()}
    index |= {name: Hit(readings=readings) for name, readings in collisions().items()}
    for analyte in registry().values():
        for name, measured_as in analyte.names.items():
            index[fold(name)] = (
                Hit(analyte.id, measured_as) if analyte.is_studied else Hit(variant_of=analyte.variant_of)
            )
    return index


@lru_cache(maxsize=65536)
def resembles(name: str) -> str | None:
    """Return the study analyte that an unlisted name resembles, by a telling stem or a slip of the pen, or None."""
    reading = read_name(name)
    if reading.hit is not None:
        return reading.hit.analyte
    key = fold(name)
    for analyte in registry().values():
        if analyte.is_studied and any(stem in key for stem in analyte.stems):
            return analyte.id
    return _holds(name, reading.specimen) or _near(key)


def _holds(name: str, specimen: str | None) -> str | None:
    """Return the study analyte whose listed name stands as whole words inside another: `Hemoglobin POCT`.

    The longest listed names count, others too, so that `Hemoglobin A2 neu` holds no haemoglobin.
    """
    words = _WORD.findall(unicodedata.normalize("NFKC", name).casefold())
    for size in range(min(len(words), _MOST_WORDS), 0, -1):
        for start in range(len(words) - size + 1):
            key = fold("".join(words[start : start + size]))
            hit = _listed(key)
            if hit is not None and not hit.readings:
                return hit.analyte if _can_be(hit, specimen) else None
    return None


def _listed(key: str) -> Hit | None:
    """Return what a key of some length stands for, also with a number behind it (ALT2)."""
    bare = key.rstrip("0123456789")
    if len(bare) < (_FEWEST_LATIN if key.isascii() else _FEWEST_HAN):
        return _index().get(key) if len(key) >= _FEWEST_LATIN else None
    return _index().get(key) or _index().get(bare)


def _can_be(hit: Hit, specimen: str | None) -> bool:
    # Height and weight, without a specimen and a stem, are words of many things: what holds one resembles nothing.
    analyte = registry()[hit.analyte] if hit.analyte else None
    return (
        analyte is not None
        and bool(analyte.specimens or analyte.stems)
        and specimen not in analyte.other_specimens
    )


def _near(key: str) -> str | None:
    if len(key) < (_MIN_LATIN if key.isascii() else _MIN_HAN):
        return None
    # Among all listed names, others too: the nearest one decides. Digits must agree: B1 is no slip for B12.
    lengths = _by_digits().get(_NOT_DIGITS.sub("", key), {})
    close = [name for size in range(len(key) - 2, len(key) + 3) for name in lengths.get(size, ())]
    near = difflib.get_close_matches(key, close, n=1, cutoff=0.85 if key.isascii() else 0.75)
    return _index()[near[0]].analyte if near else None


@cache
def _by_digits() -> dict[str, dict[int, list[str]]]:
    """Return the listed names by their digits and length."""
    found: dict[str, dict[int, list[str]]] = {}
    for name in _index():
        found.setdefault(_NOT_DIGITS.sub("", name), {}).setdefault(len(name), []).append(name)
    return found
