"""Read one result text that is no plain number.

A text is read whole or not at all: every piece of it must be known (comparator, number, unit, range, flag, comment,
word for the sample), or the result is held. So "150-200", "1:128" or "7 .5" never become a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from etl.harmonize.number_text import comparators, normal_text, number_pattern, number_value, words
from etl.harmonize.ranges import read_range
from etl.harmonize.spelling import unit_readings

_STRUCTURED = re.compile(r"^(<>|[<>]?=?)\^([^^]+)\^*$")  # HL7 structured numeric: <^150
_BRACKETS = re.compile(r"^[(\[]([^()\[\]]*)[)\]]")
_CHUNK = re.compile(r"^[^\s()\[\],;↑↓⬆⬇▲▼]+|^[↑↓⬆⬇▲▼]+")


@dataclass(frozen=True)
class Parsed:
    """What a text says. Without a value and without an absent reason it is no result."""

    value: float | None = None
    comparator: str | None = None
    flag: str | None = None
    unit_text: str | None = None
    ref_text: str | None = None
    absent_reason: str | None = None
    specimen_quality: str | None = None


NOTHING = Parsed()


def read_result(text: str, decimal: str) -> Parsed:
    """Read one text under the column's decimal mark."""
    plain = normal_text(text)
    structured = _STRUCTURED.match(plain)
    if structured:
        plain = f"{structured.group(1)} {structured.group(2)}".strip()
    absent = _absent(plain)
    if absent is not None:
        return absent
    found, rest = _leading_flag(NOTHING, plain)
    comparator, rest = _comparator(rest, "before")
    match = number_pattern(decimal).match(rest)
    value = number_value(match, decimal) if match else None
    if match is None or value is None:
        return NOTHING
    return _rest(replace(found, value=value, comparator=comparator), rest[match.end() :], decimal)


def _absent(plain: str) -> Parsed | None:
    word = plain.casefold().strip(" .!()[]") or plain
    whole, _ = absent_words()
    found = whole.get(plain.casefold()) or whole.get(word) or _contained(plain.casefold())
    return Parsed(absent_reason=found[0], specimen_quality=found[1] or None) if found else None


def _leading_flag(found: Parsed, text: str) -> tuple[Parsed, str]:
    # A flag before the number stands apart from it: "H 168", "↑168", "阴性 0.07".
    match = re.match(r"^(?:([^\W\d_]+\.?|[*!]+)\s+|([↑↓⬆⬇▲▼]+|[\u4e00-\u9fff]+)\s*)(?=[-+.0-9<>])", text)
    word = (match.group(1) or match.group(2)) if match else ""
    if match and flags().get(word) not in {None, "comment", "adequacy"}:
        return replace(found, flag=word), text[match.end() :]
    return found, text


def _comparator(text: str, position: str) -> tuple[str | None, str]:
    pattern = _comparator_pattern(position)
    match = pattern.match(text)
    if match is None:
        return None, text
    return comparators(position)[match.group(1).lower()] or None, text[match.end() :]


@cache
def _comparator_pattern(position: str) -> re.Pattern[str]:
    known = sorted(comparators(position), key=len, reverse=True)
    # A word needs an end; a sign and a Chinese word do not.
    words = [re.escape(w) + (r"(?![^\W\d_])" if w[-1].isascii() and w[-1].isalpha() else "") for w in known]
    return re.compile(rf"^\s*({'|'.join(words)})\s*", re.IGNORECASE)


def _rest(found: Parsed, rest: str, decimal: str) -> Parsed:
    """Read what follows the number, piece by piece; an unknown piece makes the whole text no result."""
    while rest := rest.strip(" ,;"):
        known = (
            _after_comparator(found, rest)
            or _bracketed(found, rest, decimal)
            or _unit(found, rest)
            or _word(found, rest)
        )
        if known is None:
            return NOTHING
        found, rest = known
    return found


def _after_comparator(found: Parsed, rest: str) -> tuple[Parsed, str] | None:
    if found.comparator is not None:
        return None
    comparator, left = _comparator(rest, "after")
    return (replace(found, comparator=comparator), left) if comparator else None


def _bracketed(found: Parsed, rest: str, decimal: str) -> tuple[Parsed, str] | None:
    match = _BRACKETS.match(rest)
    if match is None:
        return None
    inside, left = match.group(1).strip(), rest[match.end() :]
    if not inside:
        return found, left
    if found.ref_text is None and read_range(inside, decimal) != (None, None):
        return replace(found, ref_text=inside), left
    return _bracketed_word(found, inside, left)


def _bracketed_word(found: Parsed, inside: str, left: str) -> tuple[Parsed, str] | None:
    # (阴性 -): the sign only repeats the word
    known = _word(found, inside) or _unit(found, inside)
    if known is None:
        return None
    found, more = known
    return (found, left) if not more.strip(" -+±*") else None


def _unit(found: Parsed, rest: str) -> tuple[Parsed, str] | None:
    if found.unit_text is not None:
        return None
    chunk = re.match(r"^[^\s()\[\]↑↓⬆⬇▲▼,;]+(?:\s?/\s?[^\s()\[\]↑↓⬆⬇▲▼,;]+)*", rest)
    if chunk is None or chunk.group(0) in flags() or not unit_readings(chunk.group(0)):
        return None
    # A cut exponent, not the German E for U; the second part of 1:1; a remark in braces.
    if chunk.group(0) in {"e", "E", "1"} or chunk.group(0).startswith("{"):
        return None
    return replace(found, unit_text=chunk.group(0)), rest[chunk.end() :]


def _word(found: Parsed, rest: str) -> tuple[Parsed, str] | None:
    """Read a flag, a comment or a word for the sample's quality."""
    chunk = _CHUNK.match(rest)
    texts = dict.fromkeys((rest, *([chunk.group(0)] if chunk else [])))
    for text in texts:
        kind = flags().get(text) or (flags().get(text.lower()) if len(text) > 2 else None)
        if kind == "comment":
            return found, rest[len(text) :]
        if kind is not None and found.flag is None:
            return replace(found, flag=text), rest[len(text) :]
    for text in texts:
        said = _contained(text.casefold())
        if said:
            return replace(found, specimen_quality=said[1]), rest[len(text) :]
    return None


def _contained(text: str) -> tuple[str, str] | None:
    """Return what a word inside the text says of the sample, unless the text has a grade or denies it: 无溶血."""
    if re.search(r"[0-9]", text):
        return None
    whole, contained = absent_words()
    part = next((part for part in contained if part in text), None)
    if part is None:
        return None
    rest = text.replace(part, " ")
    for word in sorted(whole, key=len, reverse=True):
        if whole[word][0] != "empty":
            rest = rest.replace(word, " ")  # "haemolysed, not tested" denies nothing
    return None if _denial().search(rest) else contained[part]


@cache
def _denial() -> re.Pattern[str]:
    known = [row["word"] for row in words("negations.csv")]
    bounded = [
        rf"(?<![^\W_]){re.escape(word)}(?![^\W_])" if word.isascii() else re.escape(word) for word in known
    ]
    return re.compile(rf"{'|'.join(bounded)}|^\W*-\W*$")


@cache
def absent_words() -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    """Return the words for "no result": those that are the whole cell, and those that a cell contains."""
    rows = words("absent_words.csv")
    coded = {
        row["word"].casefold(): (row["absent_reason"], row["specimen_quality"], row["match"]) for row in rows
    }
    return (
        {word: (reason, quality) for word, (reason, quality, _) in coded.items()},
        {word: (reason, quality) for word, (reason, quality, match) in coded.items() if match == "contains"},
    )


@cache
def flags() -> dict[str, str]:
    """Return the words that may stand beside a number, and what kind of word each is."""
    return {row["word"]: row["kind"] for row in words("flags.csv")}
