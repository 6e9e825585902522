"""Cut a header into words of a known vocabulary, and read what they say together."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from schemas.wording import Rule, plain, wording

Ideas = frozenset[str]

_WIDE = r"\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_CAMEL = re.compile(r"(?<=[a-zß-öø-ÿ0-9])(?=[A-ZÄÖÜ])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(rf"[{_WIDE}]+|[^\W_{_WIDE}]+")
_SHORTEST_PART = 3  # of a word inside a Latin compound; only its last may be shorter (Patientennr)
_LINKS = ("", "s", "n", "en", "e", "es")  # between the parts of a German compound
_LONG_ENOUGH, _NEAR = 6, 0.8  # for a slip of the pen


@dataclass(frozen=True)
class Word:
    """A piece of a header and the ideas it can stand for; none if nobody knows it."""

    text: str
    ideas: Ideas
    is_slip: bool = False


@dataclass(frozen=True)
class Claim:
    """A field that a header's words make, and how."""

    field: str
    content: str
    strength: int
    why: str


@lru_cache(maxsize=8192)
def words_of(header: str, *, initials: bool = False) -> tuple[Word, ...]:
    """Return the words of a header in order; with initials, letters may stand for words of pinyin."""
    found: list[Word] = []
    for run in _WORD.findall(plain(_CAMEL.sub(" ", header)) if not header.isupper() else plain(header)):
        found.extend(_known(run) or (initials and _spelt(run)) or [_slip(run)])
    return tuple(found)


def claims(header: str, *, initials: bool = False) -> list[Claim]:
    """Return the fields that the whole of a header names, the surest first; one a field."""
    words = words_of(header, initials=initials)
    if not words or any(not word.ideas for word in words):
        return []
    best: dict[str, Claim] = {}
    for rule in wording().rules:
        if _fits(rule, words):
            slips = sum(word.is_slip for word in words)
            claim = Claim(rule.field, rule.content, max(1, rule.strength - (slips > 0)), _why(words))
            if rule.field not in best or claim.strength > best[rule.field].strength:
                best[rule.field] = claim
    return sorted(best.values(), key=lambda claim: -claim.strength)


def ideas_of(header: str) -> Ideas:
    """Return every idea that a header touches, understood as a whole or not."""
    return frozenset().union(*(word.ideas for word in words_of(header)))


def is_spelt_in_initials(header: str) -> bool:
    """Tell whether a header can be read as first letters of pinyin, and as nothing else."""
    text = plain(header)
    is_letters = text.isascii() and text.isalpha() and 2 <= len(text) <= 8
    return is_letters and _known(text) is None and bool(_spelt(text))


def _why(words: Sequence[Word]) -> str:
    said = " + ".join(word.text for word in words)
    slip = " (one word with a slip of the pen)" if any(word.is_slip for word in words) else ""
    return f"the header's words {said}{slip}" if len(words) > 1 else f"the header's word {said}{slip}"


def _fits(rule: Rule, words: Sequence[Word]) -> bool:
    """Tell whether the needs of a rule have a word each, and every other word is allowed."""

    def placed(need: int, left: tuple[Word, ...]) -> bool:
        if need == len(rule.needs):
            return all(word.ideas & rule.may for word in left)
        return any(
            word.ideas & rule.needs[need] and placed(need + 1, (*left[:at], *left[at + 1 :]))
            for at, word in enumerate(left)
        )

    return placed(0, tuple(words))


def _known(run: str) -> list[Word] | None:
    """Return a run as one word, or as whole words without a rest, as few as possible."""
    ideas = wording().ideas
    if run in ideas:
        return [Word(run, ideas[run])]
    parts = _parts(run)
    if parts is not None:
        return [Word(part, ideas[part]) for part in parts]
    digits = re.fullmatch(r"(\D+)(\d+)", run)
    if digits and (head := _known(digits[1])):
        return [*head, Word(digits[2], frozenset())]
    return None


@lru_cache(maxsize=8192)
def _parts(run: str) -> tuple[str, ...] | None:
    if not run:
        return ()
    is_latin = run.isascii() or not re.search(f"[{_WIDE}]", run)
    if is_latin and len(run) < _SHORTEST_PART:
        return (run,) if "number" in wording().ideas.get(run, ()) else None
    best: tuple[str, ...] | None = None
    for size in range(len(run), (_SHORTEST_PART if is_latin else 1) - 1, -1):
        if run[:size] not in wording().ideas:
            continue
        for rest in _rests(run[size:], is_latin=is_latin):
            found = _parts(rest)
            if found is not None and (best is None or len(found) + 1 < len(best)):
                best = (run[:size], *found)
    return best


def _rests(rest: str, *, is_latin: bool) -> Iterator[str]:
    for link in _LINKS if is_latin and rest else ("",):
        if rest.startswith(link) and (not link or len(rest) > len(link)):
            yield rest[len(link) :]


def _spelt(run: str) -> list[Word]:
    """Read letters as initials of known words; a word with two meanings has the ideas of both."""
    known = wording().initials
    for size in range(min(3, len(run)), 0, -1):
        head = run[:size]
        if head in known:
            ideas = frozenset().union(*(wording().ideas[plain(word)] for word in known[head]))
            word = Word(f"{head}={'/'.join(known[head])}", ideas)
            rest = _spelt(run[size:]) if run[size:] else []
            if rest or not run[size:]:
                return [word, *rest]
    return []


def _slip(run: str) -> Word:
    if len(run) >= _LONG_ENOUGH and run.isalpha():
        near = difflib.get_close_matches(run, _long_words(), n=1, cutoff=_NEAR)
        if near and near[0][0] == run[0]:
            return Word(f"{run}~{near[0]}", wording().ideas[near[0]], is_slip=True)
    return Word(run, frozenset())


@cache
def _long_words() -> tuple[str, ...]:
    return tuple(word for word in wording().ideas if len(word) >= _LONG_ENOUGH - 1)
