"""FHIR R4 in JSON: bulk NDJSON, bundles, single resources. One table a kind of resource, columns named by role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from etl.readers import fhir_answers, fhir_observation, fhir_subject
from etl.readers.archive import is_seekable
from etl.readers.base import (
    DAMAGED_SCHEMA,
    LOCATOR,
    ROW,
    Batch,
    Decision,
    Feed,
    Hints,
    Observe,
    Range,
    Source,
    Table,
)
from etl.readers.encodings import BOM, UTF8, declared_encoding
from etl.readers.fhir_items import Item, Kind, Malformed
from etl.readers.fhir_source import LINES, Entry, Scanner, layout_of
from schemas.errors import SourceUnreadable

BLOCK = 1 << 17  # bytes of lines that are worked on at once: their values fit into a processor's cache
BATCH = 50_000  # records of a batch, and of what an observer sees at once, about
RANGE = 32 << 20  # bytes of a range
RESULTS = fhir_observation.NAME
KINDS: dict[str, Kind[Any]] = {
    RESULTS: fhir_observation.KIND,
    "Patient": fhir_subject.PATIENT,
    "Condition": fhir_subject.CONDITION,
    "QuestionnaireResponse": fhir_answers.KIND,
    "MedicationRequest": fhir_subject.MEDICATION,
    "MedicationStatement": fhir_subject.MEDICATION,
    "MedicationAdministration": fhir_subject.MEDICATION,
    "MedicationDispense": fhir_subject.MEDICATION,
}


@dataclass
class Part:
    """Some entries, sorted by kind: items with row and locator, damage, and how many resources of which type."""

    items: dict[str, list[tuple[int, str, Item]]] = field(default_factory=dict)
    damaged: list[tuple[int, str, str, bytes]] = field(default_factory=list)
    types: Counter[str] = field(default_factory=Counter)
    without_item: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, entries: list[Entry]) -> Part:
        """Sort entries; a type that is no kind of its own is a name among the results."""
        part = cls()
        for entry in entries:
            resource = entry.resource
            if resource is None:
                part.damaged.append(entry.damage())
                continue
            kind = kind_of(resource["resourceType"])
            try:
                items = KINDS[kind].items(resource, entry.references)
            except (Malformed, RecursionError):
                part.damaged.append(entry.damage("broken_json"))
                continue
            part.types[resource["resourceType"]] += 1
            part.without_item[kind] += not items
            part._put(kind, entry, items)
            if patients := fhir_subject.contained_patient(resource, entry.references):
                part.types["Patient"] += len(patients)
                part._put("Patient", entry, patients)
        return part

    def _put(self, kind: str, entry: Entry, items: Sequence[Item]) -> None:
        placed = ((entry.row, entry.place(item.place), item) for item in items)
        self.items.setdefault(kind, []).extend(placed)

    def frame(self, kind: str, columns: Sequence[str]) -> pl.DataFrame:
        """Return one kind's records: the columns asked for, row_number, locator."""
        items, read = self.items.get(kind, []), KINDS[kind].columns
        cells = {name: [read[name](item) for _, _, item in items] for name in columns}
        places = {ROW: [row for row, _, _ in items], LOCATOR: [where for _, where, _ in items]}
        schema = dict.fromkeys(columns, pl.String) | {ROW: pl.Int64, LOCATOR: pl.String}
        return pl.DataFrame(cells | places, schema=schema)


@dataclass
class Tally:
    """Count what inspection sees. asked: by kind in order of appearance, what is shown of it and to whom."""

    observe: Observe | None
    asked: dict[str, tuple[Sequence[str], Feed] | None] = field(default_factory=dict)
    records: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    types: Counter[str] = field(default_factory=Counter)
    without_item: Counter[str] = field(default_factory=Counter)
    unseen: dict[str, list[pl.DataFrame]] = field(default_factory=dict)  # by kind, until they are enough

    def add(self, part: Part) -> None:
        """Take in some entries."""
        self.damaged += len(part.damaged)
        self.types += part.types
        self.without_item += part.without_item
        for kind, items in part.items.items():
            self.meet(kind)
            self.records[kind] += len(items)
            if (asked := self.asked[kind]) is not None:
                self.unseen.setdefault(kind, []).append(part.frame(kind, asked[0]).drop(LOCATOR))
                self.show(kind, BATCH)

    def show(self, kind: str, enough: int = 1) -> None:
        """Show what was not shown yet of a table, if that is enough."""
        asked, frames = self.asked[kind], self.unseen.get(kind, [])
        if asked and sum(frame.height for frame in frames) >= enough:
            asked[1](pl.concat(frames, rechunk=True))
            frames.clear()

    def meet(self, kind: str) -> None:
        """Announce a table on its first appearance."""
        if kind not in self.asked:
            columns = tuple(KINDS[kind].columns)
            self.asked[kind] = self.observe(columns) if self.observe else None


@dataclass
class FhirReader:
    """Read FHIR R4. The sizes in bytes change speed and memory, never the result."""

    block: int = BLOCK
    range: int = RANGE
    name: str = "fhir"

    def recognises(self, name: str, head: bytes) -> bool:  # noqa: ARG002 - the content tells, whatever the name
        """Tell by JSON that names the type of a resource."""
        start = head.removeprefix(BOM).lstrip()
        return start.startswith((b"{", b"[")) and b'"resourceType"' in head

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source once and describe its tables, in the order observed. Raises SourceUnreadable."""
        encoding = declared_encoding(hints.encoding) if hints.encoding else None
        scanner = Scanner(source, layout_of(source, encoding), encoding, self.block)
        tally = Tally(observe)
        for entries in scanner.entries():
            tally.add(Part.of(entries))
        for kind in tally.asked:
            tally.show(kind)
        if not scanner.size:
            raise SourceUnreadable(
                f"{source.name} is empty.", "It holds no byte.", "ask the site to send it again"
            )
        if tally.damaged or not tally.asked:
            tally.meet(next(iter(tally.asked), RESULTS))
        return [self._table(scanner, tally, kind) for kind in tally.asked]

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the named columns of one range of a table that inspect() described."""
        kind, layout = str(table.options["kind"]), str(table.options["layout"])
        scanner = Scanner(source, layout, table.encoding, self.block)
        frames: list[pl.DataFrame] = []
        damaged: list[tuple[int, str, str, bytes]] = []
        for entries in scanner.entries(part):
            found = Part.of(entries)
            frames.append(found.frame(kind, columns))
            damaged += found.damaged if table.options["holds_damage"] else []
            if sum(frame.height for frame in frames) >= BATCH:
                yield _batch(frames, damaged)
                frames, damaged = [], []
        if frames:
            yield _batch(frames, damaged)

    def locate(self, table: Table, column: str) -> pl.Expr:  # noqa: ARG002 - a batch brings its locators
        """Return the locator of a record, such as `L5/component[2]` or `entry[7].component[1]`."""
        return pl.col(LOCATOR)

    def _table(self, scanner: Scanner, tally: Tally, kind: str) -> Table:
        holds_damage = kind == _holder(tally)
        damaged = tally.damaged if holds_damage else 0
        own = {name: count for name, count in sorted(tally.types.items()) if kind_of(name) == kind}
        is_split = scanner.layout == LINES and is_seekable(scanner.source)
        return Table(
            format="fhir",
            columns=tuple(KINDS[kind].columns),
            lines=None,
            records=tally.records[kind] + damaged,
            damaged=damaged,
            encoding=scanner.encoding or UTF8,
            sha256=scanner.sha256,
            size=scanner.size,
            options={"kind": kind, "layout": scanner.layout, "holds_damage": holds_damage},
            ranges=_ranges(scanner, self.range if is_split else scanner.size),
            decisions=(
                Decision("layout", scanner.layout, "content"),
                Decision("resources", kind, "content", {**own, "without_value": tally.without_item[kind]}),
            ),
            title=kind if kind in tally.types else "other",
        )


def _batch(frames: list[pl.DataFrame], damaged: list[tuple[int, str, str, bytes]]) -> Batch:
    return Batch(pl.concat(frames, rechunk=True), pl.DataFrame(damaged, DAMAGED_SCHEMA, orient="row"))


def kind_of(name: str) -> str:
    """Return the kind of resource in whose table a type stands."""
    return name if name in KINDS else RESULTS


def _holder(tally: Tally) -> str:
    """Return the kind whose table holds what could not be read: the results, else the first."""
    return RESULTS if RESULTS in tally.asked else next(iter(tally.asked))


def _ranges(scanner: Scanner, longest: int) -> tuple[Range, ...]:
    """Join consecutive parts to ranges of at most `longest` bytes, or one part."""
    found: list[Range] = []
    ends = [offset for offset, _ in scanner.starts[1:]] + [scanner.size]
    for (start, row), end in zip(scanner.starts, ends, strict=True):
        if found and end - found[-1].start <= longest:
            found[-1] = Range(found[-1].start, end, found[-1].first_row)
        else:
            found.append(Range(start, end, row))
    return tuple(found)
