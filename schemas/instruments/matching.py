"""Tell which item, total or component a column name or a test code stands for.

A name is claimed only when all of it is understood: an instrument's name, then an item's number, a word for a total,
or a component's name. What is left over (a date, a visit, a change) leaves the name unclaimed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from schemas.instruments.loader import load_grammar
from schemas.instruments.model import Instrument, Version
from schemas.instruments.registry import INSTRUMENTS

_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")}
_CHINESE_NUMBER = re.compile(r"(?<=第)[一二三四五六七八九十]+")
_NUMBER = r"0*(?P<number>[1-9]\d?)\s?(?P<letter>[a-z]?)"


@dataclass(frozen=True)
class ItemRef:
    """What a name stands for. version: only when the name tells it; label: the words beside the number."""

    instrument: str
    version: str | None
    item: str
    kind: Literal["item", "total", "component"]
    label: str = ""


class _Name(NamedTuple):
    instrument: str
    version: str | None
    pattern: str


class _Lexicon:
    """The definitions with their names, ready to search: by first letter, since most columns start with none."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self.instruments = instruments
        self.by_letter: dict[str, list[_Name]] = {}
        for instrument in instruments.values():
            for name in _names_of(instrument):
                self.by_letter.setdefault(name.pattern[0], []).append(name)

    def starting(self, text: str) -> list[_Name]:
        """Return the names that may start a text."""
        return self.by_letter.get(text[:1], [])


def match_items(
    headers: Sequence[str], instruments: Mapping[str, Instrument] = INSTRUMENTS
) -> dict[str, ItemRef]:
    """Return what each column that is claimed stands for.

    A name with two readings, such as HAMD17, is item 17 beside a column HAMD16 and the total of HAMD-17 without one.
    """
    lexicon = _lexicon(instruments)
    readings = {header: list(_readings(_normal(header), lexicon)) for header in headers}
    sure = {(r[0].instrument, r[0].item) for r in readings.values() if len(r) == 1 and r[0].kind == "item"}
    chosen = {header: _choose(found, sure) for header, found in readings.items()}
    return {header: ref for header, ref in chosen.items() if ref}


def match_item_codes(
    pairs: Iterable[tuple[str | None, str]], instruments: Mapping[str, Instrument] = INSTRUMENTS
) -> dict[tuple[str | None, str], ItemRef]:
    """Return what each pair of (instrument text, item text or code) of a long file stands for.

    Reads CDISC test codes (GAD0201), an instrument's text with a number, a word or a component ("GAD-7 V2", "item 3"),
    and item texts that name the instrument themselves (PSQI_5a).
    """
    lexicon = _lexicon(instruments)
    found = {pair: next(_long_readings(*pair, lexicon), None) for pair in dict.fromkeys(pairs)}
    return {pair: ref for pair, ref in found.items() if ref}


def match_instrument(
    text: str, instruments: Mapping[str, Instrument] = INSTRUMENTS
) -> tuple[str, str | None] | None:
    """Return the instrument and, when the text tells it, the version that a text such as "HAMD 17" names."""
    return _named_instrument(text, _lexicon(instruments))


def _lexicon(instruments: Mapping[str, Instrument]) -> _Lexicon:
    return _own_lexicon() if instruments is INSTRUMENTS else _Lexicon(instruments)


@cache
def _own_lexicon() -> _Lexicon:
    return _Lexicon(INSTRUMENTS)


def _named_instrument(text: str, lexicon: _Lexicon) -> tuple[str, str | None] | None:
    plain = re.sub(_grammar()["edition"], "", _normal(text))
    names = [n for n in lexicon.starting(plain) if _compiled(n.pattern).fullmatch(plain)]
    best = max(names, key=lambda n: n.version is not None, default=None)
    return (best.instrument, best.version) if best else None


def _normal(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = _CHINESE_NUMBER.sub(lambda m: str(_chinese(m[0])), folded)
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())


def _chinese(digits: str) -> int:
    """Read a Chinese number up to 99."""
    tens, ten, ones = digits.rpartition("十")
    return (10 * _CHINESE_DIGITS.get(tens, 1) if ten else 0) + _CHINESE_DIGITS.get(ones, 0)


def _loose(name: str) -> str:
    """Return a pattern that lets a space stand, or be missing, between words and between letters and digits."""
    spaced = re.sub(r"(?<=\d)(?=[^\d\s])|(?<=[^\d\s])(?=\d)", " ", _normal(name))
    return r"\s?".join(re.escape(part) for part in spaced.split())


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile a name when a text first starts like it: most files have none of the 400."""
    return re.compile(pattern)


def _names_of(instrument: Instrument) -> Iterator[_Name]:
    for name in instrument.names:
        yield _Name(instrument.id, None, _loose(name))
    for version in instrument.versions.values():
        for name in _version_names(instrument, version):
            yield _Name(instrument.id, version.id, _loose(name))


def _version_names(instrument: Instrument, version: Version) -> tuple[str, ...]:
    return tuple(t.replace("{name}", name) for t in version.names for name in instrument.names)


def _either(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted((_loose(w) for w in words), key=len, reverse=True)) + ")"


def _readings(text: str, lexicon: _Lexicon) -> Iterator[ItemRef]:
    """Yield every way to understand a whole name, each once."""
    seen = dict.fromkeys(_code_readings(text, lexicon.instruments))
    for name, rest in _rests(text, lexicon):
        ref = _read_rest(lexicon.instruments[name.instrument], name.version, rest)
        if ref:
            seen[ref] = None
    yield from seen


def _rests(text: str, lexicon: _Lexicon) -> Iterator[tuple[_Name, str]]:
    """Yield the names a text starts with, and what follows them; another of its names may follow in brackets."""
    for name, rest in _starts(text, lexicon):
        yield name, rest
        for other, remainder in _starts(rest, lexicon):
            if other.instrument == name.instrument:
                yield name._replace(version=name.version or other.version), remainder


def _starts(text: str, lexicon: _Lexicon) -> Iterator[tuple[_Name, str]]:
    for name in lexicon.starting(text):
        match = _compiled(name.pattern).match(text)
        if match and not (text[match.end() - 1].isdigit() and text[match.end() :][:1].isdigit()):
            yield name, text[match.end() :].strip()


def _read_rest(instrument: Instrument, version: str | None, rest: str) -> ItemRef | None:
    """Read what follows the instrument's name: nothing, a total, a component or an item."""
    grammar = _grammar()
    if not rest:
        return ItemRef(instrument.id, version, "total", "total") if _has_bare_total(instrument) else None
    versions = [v for v in instrument.versions.values() if v.id.startswith(version or "")]
    if named := _named_part(versions, rest):
        return ItemRef(instrument.id, version, *named)
    if re.fullmatch(grammar["total"], rest):
        has_total = any("total" in v.scales for v in versions)
        return ItemRef(instrument.id, version, "total", "total") if has_total else None
    if match := re.fullmatch(grammar["component"], rest):
        component = f"c{match['number']}"
        if any(component in v.scales for v in versions):
            return ItemRef(instrument.id, version, component, "component")
    return _read_item(instrument, versions, version, rest)


def _read_item(
    instrument: Instrument, versions: Sequence[Version], version: str | None, rest: str
) -> ItemRef | None:
    match = re.fullmatch(_grammar()["item"], rest)
    if not match:
        return None
    item, label = match["number"] + match["letter"], (match["label"] or "").strip()
    holders = [v for v in versions if item in v.items]
    if not holders or (label and not _is_label(holders, item, label)):
        return None
    told = version if any(v.id == version for v in holders) else None
    return ItemRef(instrument.id, told, item, "item", label)


def _is_label(versions: Iterable[Version], item: str, label: str) -> bool:
    """Tell whether the words beside a number are known for that item in some version."""
    return any(
        word in label for v in versions for word in (*v.items[item].words, v.items[item].label) if word
    )


def _named_part(
    versions: Iterable[Version], rest: str
) -> tuple[str, Literal["item", "total", "component"]] | None:
    """Return the item or scale that bears this name."""
    for version in versions:
        for scale in version.scales.values():
            if any(re.fullmatch(_loose(name), rest) for name in scale.names):
                return scale.id, "total" if scale.id == "total" else "component"
        for item in version.items.values():
            if any(re.fullmatch(_loose(name), rest) for name in item.names):
                return item.id, "item"
    return None


def _has_bare_total(instrument: Instrument) -> bool:
    return instrument.has_bare_total and any("total" in v.scales for v in instrument.versions.values())


@cache
def _grammar() -> dict[str, str]:
    words = load_grammar()
    before, after = _either(words["item_before"]), _either(words["item_after"])
    return {
        "total": _either(words["total"]),
        "edition": rf"\s{words['edition']}$",
        "component": rf"{_either(words['component_before'])}\s?0*(?P<number>[1-9])",
        "item": rf"{before}?\s?{_NUMBER}\s?(?:{after})?(?:\s(?P<label>\D+))?",
    }


def _choose(found: Sequence[ItemRef], sure: set[tuple[str, str]]) -> ItemRef | None:
    """Return the reading that the other columns bear out."""
    for ref in found:
        before = str(int(ref.item) - 1) if ref.item.isdigit() else ""
        if len(found) > 1 and ref.kind == "item" and (ref.instrument, before) in sure:
            return ref
    whole = [ref for ref in found if ref.kind == "total"]
    told = [ref for ref in whole or found if ref.version] or whole or list(found)
    return told[0] if told else None


def _code_readings(text: str, instruments: Mapping[str, Instrument]) -> Iterator[ItemRef]:
    """Read a CDISC test code or another code of the definitions."""
    code = text.upper()
    for instrument in instruments.values():
        other = {c.replace("-", " "): item for c, item in instrument.codes.items()}.get(code)
        if other:
            yield ItemRef(instrument.id, None, other, "total" if other == "total" else "item")
        for codes in instrument.test_codes:
            if codes.total and code == codes.total:
                yield ItemRef(instrument.id, codes.version, "total", "total")
            elif match := re.fullmatch(rf"{codes.prefix}(\d\d)[AB]?", code):
                item = str(int(match[1]))
                if item in instrument.versions[codes.version].items:
                    yield ItemRef(instrument.id, codes.version, item, "item")


def _long_readings(instrument: str | None, item: str, lexicon: _Lexicon) -> Iterator[ItemRef]:
    text = _normal(item)
    yield from _code_readings(text, lexicon.instruments)
    named = _named_instrument(instrument, lexicon) if instrument else None
    if not named:
        yield from _readings(text, lexicon)
        return
    definition = lexicon.instruments[named[0]]
    prefixes = "|".join(re.escape(codes.prefix.casefold()) for codes in definition.test_codes) or "$"
    rest = re.sub(rf"^(?:{prefixes})\s", "", text)
    if rest and (ref := _read_rest(definition, named[1], rest)):
        yield ref
    yield from (ref for ref in _readings(text, lexicon) if ref.instrument == definition.id)
