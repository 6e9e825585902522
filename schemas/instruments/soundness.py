"""What must be true of a definition besides its ranges: nothing named twice, nothing named that is not there."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.instruments.model import Instrument, Item, Scale, Version


def doubled(what: str, names: Iterable[str]) -> Iterator[str]:
    """Yield a problem for each name that stands twice."""
    yield from (f"{what} '{name}' stands twice" for name, times in Counter(names).items() if times > 1)


def scale_problems(version: Version) -> Iterator[str]:
    """Yield what is wrong with the terms and limits of scales, beside their ranges."""
    for scale in version.scales.values():
        yield from doubled(f"scale '{scale.id}': term", scale.terms)
        for name in (*scale.zero_if_missing, *scale.zero_without):
            if name not in scale.terms:
                yield f"scale '{scale.id}': '{name}' is none of its terms"
        for name in scale.zero_without.values():
            if name not in version.items:
                yield f"scale '{scale.id}': no such item: {name}"
        if list(scale.cuts) != sorted(set(scale.cuts)):
            yield f"scale '{scale.id}': its cuts do not rise"
        if scale.max_missing and scale.max_missing >= len(scale.terms):
            yield f"scale '{scale.id}': all of its terms may be missing"
        yield from _kind_problems(scale, version)


def _kind_problems(scale: Scale, version: Version) -> Iterator[str]:
    kinds = {version.items[term].kind for term in scale.terms if term in version.items}
    if scale.rule == "clock_span" and kinds != {"clock"}:
        yield f"scale '{scale.id}' needs two items of kind clock"
    elif scale.rule != "clock_span" and "clock" in kinds:
        yield f"scale '{scale.id}' adds a time of day"


def answer_problems(version: Version) -> Iterator[str]:
    """Yield codes for missing answers that are answers, and words that count what no item allows."""
    for item in version.items.values():
        yield from (
            f"item '{item.id}': {code} is an answer, and no code for a missing one"
            for code in item.absent_codes
            if _allows(item, float(code))
        )
    chosen = [item for item in version.items.values() if item.kind in {"answer", "yes_no"}]
    yield from (
        f"the answer '{word}' counts {value:g}, which no item allows"
        for word, value in version.answers.items()
        if not any(_allows(item, value) for item in chosen)
    )


def _allows(item: Item, value: float) -> bool:
    return (item.low is None or value >= item.low) and (item.high is None or value <= item.high)


def instrument_problems(instrument: Instrument) -> Iterator[str]:
    """Yield codes that stand for nothing, and what a definition needs as a whole."""
    if not instrument.sources:
        yield "it names no source"
    if not instrument.versions:
        yield "it has no version"
    known = {"total", *(item for version in instrument.versions.values() for item in version.items)}
    yield from (
        f"code '{code}' stands for unknown '{item}'"
        for code, item in instrument.codes.items()
        if item not in known
    )
    yield from (
        f"test codes '{codes.prefix}' name an unknown version '{codes.version}'"
        for codes in instrument.test_codes
        if codes.version not in instrument.versions
    )
    if len(instrument.versions) == 1 and any(v.needs_declaration for v in instrument.versions.values()):
        yield "its only version needs no declaration"


def registry_problems(instruments: Iterable[Instrument]) -> Iterator[str]:
    """Yield what two definitions both claim: an id, a version's id, a name, a code."""
    known = list(instruments)
    yield from doubled("instrument", (each.id for each in known))
    yield from doubled("version", (version for each in known for version in each.versions))
    yield from doubled("name", (name for each in known for name in {_key(name) for name in each.names}))
    yield from doubled("code", (code for each in known for code in each.codes))
    yield from doubled("prefix", (codes.prefix for each in known for codes in each.test_codes))


def _key(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
