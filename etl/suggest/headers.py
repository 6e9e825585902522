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
_COGNATE = 0.75  # for a word of a language that is near to one that is known
_SHORTEST_GUESS = _ABBREVIATED = 3
_STEM = 5  # letters that the words have in common for which an abbreviation may stand
# What the cells of a column can bear out by themselves. A date is a date whatever was collected on it.
_TOLD = frozenset(
    {
        "analytes",
        "units",
        "ranges",
        "loinc",
        "results",
        "numbers",
        "identifier",
        "flags",
        "specimens",
        "sexes",
    }
)
# What may stand beside a field's own words where the cells bear it out.
_WEAK = frozenset({"of", "code", "kind", "description", "number", "number_value", "raw"})


@dataclass(frozen=True)
class Word:
    """A piece of a header and the ideas it can stand for; none if nobody knows it."""

    text: str
    ideas: Ideas
    is_slip: bool = False
    is_guess: bool = False


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
    """Return the fields that the whole of a header names, the surest first; one a field.

    Where no field fits the whole of it, those that its known words name; then only the cells can tell (strength 1).
    """
    words = words_of(header, initials=initials)
    best: dict[str, Claim] = {}
    if words and all(word.ideas for word in words):
        for rule in wording().rules:
            if _fits(rule, words, rule.may):
                slips = sum(word.is_slip for word in words)
                _keep(best, rule, max(1, rule.strength - (slips > 0)), _why(words))
    if not best:
        for rule in wording().rules:
            _keep_in_part(best, rule, tuple(_guessed(header, initials=initials)))
    return sorted(best.values(), key=lambda claim: -claim.strength)


def _keep_in_part(best: dict[str, Claim], rule: Rule, words: Sequence[Word]) -> None:
    """Keep a claim by the known half of a header; a guess counts as known only where the field needs it."""
    wanted = rule.may | _WEAK | frozenset().union(*rule.needs)
    known = [word for word in words if word.ideas and (word.ideas & wanted or not word.is_guess)]
    if (
        rule.content in _TOLD
        and known
        and len(words) <= 2 * len(known)
        and _fits(rule, known, rule.may | _WEAK)
    ):
        is_certain = not any(word.is_guess or word.is_slip for word in known)
        _keep(best, rule, rule.in_part if is_certain else 1, f"{_why(known)}, in part")


def _keep(best: dict[str, Claim], rule: Rule, strength: int, why: str) -> None:
    """Keep the surest claim on a field, the first of its rules among equals."""
    if rule.field not in best or strength > best[rule.field].strength:
        best[rule.field] = Claim(rule.field, rule.content, strength, why)


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


def _fits(rule: Rule, words: Sequence[Word], may: Ideas) -> bool:
    """Tell whether the needs of a rule have a word each, and every other word is allowed."""

    def placed(need: int, left: tuple[Word, ...]) -> bool:
        if need == len(rule.needs):
            return all(word.ideas & may for word in left)
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


def _guessed(header: str, *, initials: bool) -> Iterator[Word]:
    """Yield the words of a header, those that nobody knows cut into what is known of them, or guessed."""
    for word in words_of(header, initials=initials):
        if word.ideas:
            yield word
        elif re.search(f"[{_WIDE}]", word.text):
            yield from _wide_pieces(word.text)
        else:
            yield from _latin_pieces(word.text)


def _wide_pieces(run: str) -> Iterator[Word]:
    """Yield the longest known words of a run without spaces, and what is left between them."""
    at, rest = 0, ""
    while at < len(run):
        shortest = 0 if at + 1 == len(run) else 1  # a single sign is a word only at the end: 卡号
        size = next(
            (size for size in range(len(run) - at, shortest, -1) if run[at : at + size] in wording().ideas), 0
        )
        if not size:
            rest += run[at]
            at += 1
            continue
        if rest:
            yield _piece(rest)
        rest = ""
        yield _piece(run[at : at + size])
        at += size
    if rest:
        yield _piece(rest)


def _piece(text: str) -> Word:
    return Word(text, wording().ideas.get(text, frozenset()))


def _latin_pieces(run: str) -> Iterator[Word]:
    """Yield a run as known words behind an abbreviation (obsdate), or as it is."""
    known = _parts(run[_ABBREVIATED:])
    if known and len(known[0]) > _ABBREVIATED:
        yield _guess(run[:_ABBREVIATED])
        yield from (Word(part, wording().ideas[part]) for part in known)
    else:
        yield _guess(run)


def _guess(run: str) -> Word:
    """Take a word for an abbreviation, or for a cognate of a known one, where all that it may be are of one idea."""
    if run in wording().ideas:
        return Word(run, wording().ideas[run])
    if len(run) < _SHORTEST_GUESS or not run.isalpha():
        return Word(run, frozenset())
    longer = [word for word in _long_words() if word[0] == run[0] and len(word) > len(run)]
    found = [word for word in longer if word.startswith(run) or _consonants(word).startswith(run)]
    if not found and len(run) >= _LONG_ENOUGH - 1:
        found = difflib.get_close_matches(
            run, [word for word in _long_words() if word[0] == run[0]], 1, _COGNATE
        )
    is_one_word = found and len({word[:_STEM] for word in found}) == 1
    together = frozenset.union if is_one_word else frozenset.intersection
    ideas = together(*(wording().ideas[word] for word in found)) if found else frozenset()
    return Word(f"{run}~{found[0]}", ideas, is_guess=True) if ideas else Word(run, frozenset())


@lru_cache(maxsize=8192)
def _consonants(word: str) -> str:
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiouyäöüáéíóúàèìòùâêîôûãõ")


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
