"""The page of the clinical scales, from their definitions and from the texts of what is found."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from etl.instrument_text import item_groups, score_rows, told_by
from schemas.instruments import INSTRUMENTS, Instrument

SCORING = Path(__file__).parents[1] / "etl" / "scoring"
Table = Callable[[Sequence[str], list[tuple[str, ...]]], str]


def scales(table: Table) -> str:
    """Return every instrument: its versions, items, scores and how each is made, bands, conflicts, codes and sources."""
    return "\n\n".join(part for each in INSTRUMENTS.values() for part in _instrument(each, table))


def findings(table: Table) -> str:
    """Return what can be found, about a file and about an administration, with what to do."""
    rows = [("file", *row) for row in _texts("file_findings.toml")]
    rows += [("administration", *row) for row in _texts("form_findings.toml")]
    checks = {
        check.id: ("administration", f"`{check.id}`", check.sentence, check.advice)
        for each in INSTRUMENTS.values()
        for version in each.versions.values()
        for check in version.checks
    }
    return table(("about", "finding", "what it says", "what to do"), [*rows, *checks.values()])


def _texts(name: str) -> Iterator[tuple[str, str, str]]:
    for finding, text in tomllib.loads((SCORING / name).read_text("utf-8")).items():
        yield f"`{finding}`", text["sentence"], text["advice"]


def _instrument(each: Instrument, table: Table) -> Iterator[str]:
    yield f"## {each.title} (`{each.id}`)"
    yield f"{each.direction.capitalize()}. Named {', '.join(f'`{name}`' for name in each.names)}{_codes(each)}."
    versions = [
        (
            f"`{v.id}`",
            v.title,
            "; ".join(f"{items}: {said}" for items, said in item_groups(v)),
            told_by(v, each),
        )
        for v in each.versions.values()
    ]
    yield table(("version", "title", "items", "told by"), versions)
    scores = [(f"`{version}`", f"`{scale}`", *rest) for version, scale, *rest in score_rows(each)]
    yield table(("version", "score (or step)", "range", "made as", "verified"), scores)
    if bands := list(_bands(each)):
        yield table(("version", "score", "profile", "bands", "verified", "source"), bands)
    yield "Sources: " + "; ".join(each.sources) + "."


def _codes(each: Instrument) -> str:
    lists = [f"CDISC codes `{codes.prefix}..`" for codes in each.test_codes]
    lists += [f"codes {', '.join(f'`{code}`' for code in each.codes)}"] if each.codes else []
    return "; " + "; ".join(lists) if lists else ""


def _bands(each: Instrument) -> Iterator[tuple[str, ...]]:
    for version in each.versions.values():
        for one in version.bands:
            cuts = ", ".join(f"{low:g}-{high:g} {band}" for low, high, band in one.bands)
            yield (
                f"`{version.id}`",
                f"`{one.scale}`",
                one.profile,
                cuts,
                "yes" if one.is_verified else "no",
                one.source,
            )
