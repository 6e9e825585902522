"""Write a draft as YAML that loads: choices with their confidence and reason, open ones as comments to be settled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from etl.harmonize.headers import match_headers
from etl.sites.resolution import Measure
from etl.suggest.model import Draft, TableDraft
from schemas.columns import COLUMNS
from schemas.instruments.matching import match_items

_LISTED = 4  # columns of an open question
_DIGITS = re.compile(r"\d+")
_TAKEN = "another sheet, or another file of this name, is mapped above, and a name has one feed; draft it by itself"


def yaml_of(draft: Draft) -> str:
    """Return the draft as the text of sites/<site>.yaml; without a usable table, comments only."""
    feeds = list(_feeds(draft))
    lines = (
        [*_head(draft), f"site: {draft.site}", *_zone(), "feeds:"]
        if feeds
        else [f"# No draft for the site '{draft.site}': what follows says why each file is not mapped."]
    )
    for name, tables in feeds:
        lines += _feed(name, tables)
    lines += _rest(draft, {table for _, tables in feeds for table in tables})
    return "\n".join(lines) + "\n"


def _head(draft: Draft) -> Iterator[str]:
    yield f"# A draft for the site '{draft.site}', made by `etl map suggest`. Nothing is loaded by it until it lies in the folder of mappings."
    yield "# [high] and [medium] say how sure a line is, and what follows says why. OPEN lines are yours to settle: take the # away or delete them."
    yield "# Then: etl map check FILE"


def _zone() -> list[str]:
    return ["# OPEN timezone: no file tells in which zone its times are", "# timezone: Europe/Berlin"]


def _feeds(draft: Draft) -> Iterator[tuple[str, list[TableDraft]]]:
    """Group tables that are mapped alike; of a file with several sheets, the one with most records is mapped."""
    main: dict[str, TableDraft] = {}
    for table in draft.tables:
        if not table.is_usable:
            continue
        known = main.get(table.name)
        if known is None or (bool(known.explanation), -known.records) > (
            bool(table.explanation),
            -table.records,
        ):
            main[table.name] = table
    groups: dict[tuple[object, ...], list[TableDraft]] = {}
    for table in main.values():
        key = (table.shape, table.has_fixed_meaning, tuple((each.field, each.column) for each in table.choices),
               tuple(each.measure for each in table.measures))  # fmt: skip
        groups.setdefault(key, []).append(table)
    used: set[str] = set()
    for tables in groups.values():
        stem, count = tables[0].feed, 1
        while (name := stem if count == 1 else f"{stem}_{count}") in used:
            count += 1
        used.add(name)
        yield name, tables


def _feed(name: str, tables: Sequence[TableDraft]) -> Iterator[str]:
    first = tables[0]
    yield f"  {name}:   # {first.shape.replace('_', ' ')}, {sum(table.records for table in tables):,} records"
    files = ", ".join(_text(_literal(table.name)) for table in tables)
    pattern = _DIGITS.sub("*", first.name)
    advice = f"; {_text(pattern)} if the next ones are named alike" if pattern != first.name else ""
    yield f"    files: [{files}]   # [high] as they were read{advice}"
    if first.format == "excel" and first.sheet:
        yield f"    sheet: {_text(first.sheet)}   # [high] the sheet with most records that can be used"
    if first.has_fixed_meaning:
        yield f"    # {first.format} says itself what each part means; no column is mapped."
        return
    yield from _columns(first)
    yield from _measures(first)
    yield from _open(first)


def _columns(table: TableDraft) -> Iterator[str]:
    asked = [each for each in table.open if each.about in _fields()]
    if table.choices or asked:
        yield "    columns:" if table.choices else "    # columns:"
    for choice in table.choices:
        yield f"      {choice.field}: {_text(choice.column)}   # [{choice.level}] {_plain(choice.why)}"
    for each in asked:
        may = f"; it may be: {', '.join(map(_text, each.columns))}" if each.columns else ""
        yield f"      # OPEN {each.about}: {_plain(each.why)}{may}"
        yield f"      # {_plain(each.line)}"


def _measures(table: TableDraft) -> Iterator[str]:
    known = set(recognised(table.columns))
    plain = [each for each in table.measures if each.measure in known]
    told = [each for each in table.measures if each.measure not in known]
    if told:
        yield "    measures:"
    for each in told:
        yield f"      {_text(each.measure.column)}: {{{_inside(each.measure)}}}   # [{each.level}] {_plain(each.why)}"
    if plain:
        listed = ", ".join(f"{each.measure.column} = {each.measure.meaning}" for each in plain)
        yield f"    # [high] {len(plain)} columns are recognised by their own names and need no line: {_plain(listed)}"


def recognised(columns: Sequence[str]) -> Iterator[Measure]:
    """Yield the measures that ingest recognises without a mapping, whatever else is known of the table."""
    labs, items = match_headers(columns), match_items(columns)
    for column in columns:
        if column in labs and column not in items:
            found = labs[column]
            yield Measure(column, "lab", found.analyte, found.unit, found.specimen)
        elif column in items and column not in labs:
            yield Measure(column, "item", instrument=items[column].instrument, item=items[column].item)


def _inside(measure: Measure) -> str:
    known = {"analyte": measure.analyte, "unit": measure.unit, "specimen": measure.specimen,
             "instrument": measure.instrument, "item": measure.item}  # fmt: skip
    return ", ".join(f"{key}: {_text(value)}" for key, value in known.items() if value)


def _open(table: TableDraft) -> Iterator[str]:
    for each in table.open:
        if each.about not in _fields():
            more = f", {len(each.columns) - _LISTED} more" if len(each.columns) > _LISTED else ""
            columns = f" ({', '.join(map(_text, each.columns[:_LISTED]))}{more})" if each.columns else ""
            yield f"    # OPEN {each.about}{columns}: {_plain(each.why)}"
            yield f"    # {_plain(each.line)}"
    if table.unused:
        yield f"    # {len(table.unused)} columns are not used: {_plain(', '.join(table.unused))}"


def _rest(draft: Draft, used: set[TableDraft]) -> Iterator[str]:
    for table in draft.tables:
        if table not in used:
            where = f"{table.name} [{table.title}]" if table.title else table.name
            why = _TAKEN if table.is_usable else table.explanation
            yield f"# Not mapped: {_plain(where)}: {_plain(why)}"
    for unread in draft.unread:
        yield f"# Not read: {_plain(unread.name)}: {_plain(unread.message.splitlines()[0].removeprefix('Error: '))}"


def _fields() -> set[str]:
    return {*COLUMNS.roles, *COLUMNS.attributes}


def _literal(name: str) -> str:
    """Return a pattern that only this name fits."""
    return re.sub(r"[\[*?]", lambda sign: f"[{sign[0]}]", name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _plain(text: str) -> str:
    """Keep a comment on its line."""
    return " ".join(text.split())
