"""Settle which version of an instrument a file holds, from a declaration, names, labels, or the items present."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from etl.scoring.forms import form_of
from etl.scoring.texts import fold, read_number
from schemas.instruments import INSTRUMENTS, Instrument, ItemRef, Version

EACH_NAME = "each name"
# Half points refuse a version without them when there are this many, and this share; fewer are typing errors.
MIN_FRACTIONS = 2
MIN_SHARE_FRACTIONS = 0.002


@dataclass(frozen=True)
class VersionChoice:
    """The version of an instrument in one file and what it rests on.

    basis: declared, name, label, items, only, or null when version is null; `each name` where the rows of a long file
    name several, so that each row has its own. problems: why a declared or named version cannot be right, in sentences
    with counts, never an answer.
    """

    instrument: str
    version: str | None
    basis: str | None
    problems: tuple[str, ...] = ()


def resolve_version(
    instrument: str,
    refs: Iterable[ItemRef],
    declared: str | None = None,
    answers: pl.DataFrame | None = None,
) -> VersionChoice:
    """Return the version that a file's columns or codes, and its answers, hold.

    refs: what the file's names stand for (their versions and labels are evidence). answers: item and value_source, and
    where equal ones are put together their number as `answers`; a version that they contradict is refused. Raises
    DefinitionError for a declared version that does not exist.
    """
    definition = form_of(instrument, declared).instrument
    own = [ref for ref in refs if ref.instrument == instrument]
    items = {ref.item for ref in own if ref.kind == "item"}
    candidate = _candidate(definition, own, items, declared)
    if candidate.version is None:
        return candidate
    problems = tuple(_contradictions(definition.versions[candidate.version], items, answers))
    return VersionChoice(instrument, None, None, problems) if problems else candidate


def resolve_versions(
    refs: Collection[ItemRef],
    declared: Mapping[str, str] | None = None,
    answers: pl.DataFrame | None = None,
) -> dict[str, VersionChoice]:
    """Resolve every instrument of a file. answers: instrument, item and value_source."""
    return {
        name: resolve_version(
            name,
            refs,
            (declared or {}).get(name),
            None if answers is None else answers.filter(pl.col("instrument") == name),
        )
        for name in dict.fromkeys(ref.instrument for ref in refs)
    }


def settle_item(ref: ItemRef, choice: VersionChoice) -> str | None:
    """Return the item to store: the total of HAMD-17 beside the items of HAMD-24 is that version's scale hamd_17.

    None for the total of a version that the file's own does not contain.
    """
    if ref.kind == "total" and ref.version and choice.version and ref.version != choice.version:
        return (
            ref.version
            if ref.version in INSTRUMENTS[ref.instrument].versions[choice.version].scales
            else None
        )
    return ref.item


def version_of(ref: ItemRef, choice: VersionChoice) -> str | None:
    """Return the version of one answer: the file's, or where its rows name several, the row's own."""
    if choice.basis != EACH_NAME or ref.version is None:
        return choice.version
    return None if INSTRUMENTS[ref.instrument].versions[ref.version].needs_declaration else ref.version


def _candidate(
    instrument: Instrument, refs: Collection[ItemRef], items: set[str], declared: str | None
) -> VersionChoice:
    if declared:
        return VersionChoice(instrument.id, declared, "declared")
    if len(instrument.versions) == 1:
        return VersionChoice(instrument.id, next(iter(instrument.versions)), "only")
    named = _named(refs, items)
    if len(named) > 1:
        return VersionChoice(instrument.id, None, EACH_NAME)
    for basis, versions in (
        ("name", named),
        ("label", _labelled(instrument, refs)),
        ("items", with_items(instrument, items)),
    ):
        if len(versions) == 1:
            (version,) = versions
            is_told = not instrument.versions[version].needs_declaration
            return VersionChoice(instrument.id, *((version, basis) if is_told else (None, None)))
    return VersionChoice(instrument.id, None, None)


def _named(refs: Collection[ItemRef], items: set[str]) -> set[str]:
    """Return the versions that the items' names tell, or the totals' where there are no items."""
    with_items = {ref.version for ref in refs if ref.kind == "item" and ref.version}
    totals = {ref.version for ref in refs if ref.kind != "item" and ref.version}
    return with_items or (set() if items else totals)


def _labelled(instrument: Instrument, refs: Collection[ItemRef]) -> set[str]:
    """Return the versions in which every label that tells versions apart stands beside its own number."""
    telling = [ref for ref in refs if ref.label and len(_fitting(instrument, ref)) < len(instrument.versions)]
    fitting = [_fitting(instrument, ref) for ref in telling]
    return set.intersection(*fitting) if fitting else set()


def _fitting(instrument: Instrument, ref: ItemRef) -> set[str]:
    label = fold(ref.label)
    return {
        v.id
        for v in instrument.versions.values()
        if ref.item in v.items and any(word in label for word in v.items[ref.item].words)
    }


def with_items(instrument: Instrument, items: set[str]) -> set[str]:
    """Return the versions whose scored items are all present and that know every item present."""
    return {
        v.id
        for v in instrument.versions.values()
        if not v.is_variant and items and set(v.scored_items) <= items <= set(v.items)
    }


def _contradictions(version: Version, items: Collection[str], answers: pl.DataFrame | None) -> Iterable[str]:
    strangers = sorted(set(items) - set(version.items))
    if strangers:
        yield f"{version.title} has no item {', '.join(strangers)}"
    if answers is not None and (fractions := _fractions(version, answers)):
        yield f"{fractions} answers are not whole numbers, and {version.title} has only whole numbers"


def _fractions(version: Version, answers: pl.DataFrame) -> int:
    """Count answers between whole numbers where another version knows them; elsewhere each is held by itself."""
    others = INSTRUMENTS[version.instrument].versions.values()
    whole = [
        i.id
        for i in version.items.values()
        if i.kind == "answer"
        and i.step == 1
        and any(i.id in v.items and v.items[i.id].step < 1 for v in others)
    ]
    number = pl.col("answers").sum() if "answers" in answers.columns else pl.len()
    counted = answers.filter(pl.col("item").is_in(whole)).group_by("value_source").agg(number).rows()
    fractions = sum(n for text, n in counted if text and (read_number(text) or 0) % 1)
    is_many = fractions >= max(MIN_FRACTIONS, MIN_SHARE_FRACTIONS * sum(n for _, n in counted))
    return fractions if is_many else 0
