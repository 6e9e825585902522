"""Tables in JSON: lists of objects, NDJSON, and CDISC Dataset-JSON 1.1 (.json, .ndjson, .dsjc).

A member's name is the column; of an object with lists of objects, each list is a table. Cells are text: numbers keep
their digits, true and false stay words, null is empty.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from etl.readers.base import DAMAGED_SCHEMA, ROW, Batch, Decision, Hints, Observe, Range, Source, Table
from etl.readers.encodings import BOM
from etl.readers.json_stream import Repeated, inflated
from etl.readers.json_walk import DATASET, Records, Walk
from etl.readers.layout import unique_names
from schemas.errors import SourceUnreadable

ROWS = 20_000  # of a batch, at least
MAX_COLUMNS = 20_000
NESTED = {list, dict, Repeated}
RESOURCE = re.compile(rb'"resourceType"\s*:')


@dataclass
class Found:
    """A table as it is found: its columns in the order that they first occur, and what was counted."""

    title: str = ""
    columns: dict[str, None] = field(default_factory=dict)
    nested: Counter[str] = field(default_factory=Counter)
    records: int = 0
    damaged: int = 0
    stated: int | None = None  # records, as the file's own metadata says

    def see(self, records: Records) -> None:
        """Take in some records."""
        self.records += len(records.cells) + len(records.damaged)
        self.damaged += len(records.damaged)
        for names in dict.fromkeys(map(tuple, records.cells)):
            self.columns |= dict.fromkeys(names)
        for cells in records.cells:
            if not NESTED.isdisjoint(map(type, cells.values())):
                self.nested.update(name for name, value in cells.items() if type(value) in NESTED)


@dataclass
class JsonTableReader:
    """Read tables in JSON. The number of rows in a batch changes memory, never the result."""

    rows: int = ROWS
    name: str = "json"

    def recognises(self, name: str, head: bytes) -> bool:
        """Tell by an object or a list of objects at the start that is no FHIR resource."""
        plain = inflated(head) if name.lower().endswith(".dsjc") else head
        start = plain.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(BOM).lstrip()
        is_json = re.match(rb'\{\s*"|\[\s*[\[{]', start) is not None
        return is_json and RESOURCE.search(start) is None

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source, twice if it is observed, and describe its tables. Raises SourceUnreadable."""
        walk = Walk.through(source, hints.encoding)
        tables: dict[str, Found] = {}
        for records in walk.records():
            tables.setdefault(records.title, Found(records.title)).see(records)
        if walk.kind.startswith(DATASET):
            found = tables.setdefault("", Found())
            found.columns, found.stated = dict.fromkeys(walk.columns), walk.stated
        _check(source, list(tables.values()))
        shown = [self._table(walk, found, hints) for found in tables.values()]
        if observe:
            self._show(source, shown, observe)
        return shown

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:  # noqa: ARG002 - one range
        """Read the named columns of a table that inspect() described; its one range is the file."""
        declared = table.options["declared_encoding"]
        walk = Walk.through(source, str(declared) if declared else None)
        names = dict(zip(table.columns, json.loads(str(table.options["members"])), strict=True))
        members = [names[column] for column in columns]
        batch, height = list[Records](), 0
        for records in walk.records():
            if records.title == table.options["list"]:
                batch.append(records)
                height += len(records.cells) + len(records.damaged)
            if height >= self.rows:
                yield _batch(batch, columns, members)
                batch, height = [], 0
        if height:
            yield _batch(batch, columns, members)

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Return the expression that names the cells of a column by record (or line) and column, such as `R12/C3`."""
        return pl.format("R{}/C{}", pl.col(ROW), pl.lit(table.columns.index(column) + 1))

    def _show(self, source: Source, tables: list[Table], observe: Observe) -> None:
        for table in tables:
            if asked := observe(table.columns):
                for batch in self.read(source, table, table.ranges[0], asked[0]):
                    asked[1](batch.frame)

    def _table(self, walk: Walk, found: Found, hints: Hints) -> Table:
        evidence: dict[str, int | str] = {"columns": len(found.columns), "records": found.records}
        if found.stated is not None:
            evidence["records_stated"] = found.stated
        return Table(
            format=self.name,
            columns=unique_names(found.columns),
            lines=None,
            records=found.records,
            damaged=found.damaged,
            encoding=walk.encoding,
            sha256=walk.sha256,
            size=walk.size,
            options={
                "kind": walk.kind,
                "list": found.title,
                "members": json.dumps(list(found.columns)),
                "declared_encoding": hints.encoding,
            },
            ranges=(Range(0, walk.size, 1),),
            decisions=(Decision("layout", walk.kind, "content", evidence),),
            title=walk.title or found.title,
        )


def _batch(batch: list[Records], columns: Sequence[str], members: Sequence[str]) -> Batch:
    cells = [each for records in batch for each in records.cells]
    # A cell is a text, true, false or null.
    texts = [
        pl.Series(column, [each.get(member) for each in cells], dtype=pl.String, strict=False)
        for column, member in zip(columns, members, strict=True)
    ]
    rows = pl.Series(ROW, [row for records in batch for row in records.rows], dtype=pl.Int64)
    frame = pl.DataFrame([*texts, rows]).with_columns(
        pl.when(pl.col(pl.String) != "").then(pl.col(pl.String))
    )
    damaged = [each for records in batch for each in records.damaged]
    return Batch(frame, pl.DataFrame(damaged, schema=DAMAGED_SCHEMA, orient="row"))


def _check(source: Source, tables: list[Found]) -> None:
    """Refuse what is no table: none, nested cells, columns without end, fewer records than stated."""
    if not any(table.columns for table in tables):
        why = "Its lists hold no object with a member, or it is a single object."
        raise SourceUnreadable(
            f"{source.name} holds no table.", why, "export a list of objects, NDJSON or CSV"
        )
    for table in tables:
        if table.nested:
            names = ", ".join(sorted(table.nested)[:5])
            why = f"In {max(table.nested.values()):,} of {table.records:,} records they hold lists or objects, not one value."
            fix = "flatten these columns, or leave them out of the export"
            raise SourceUnreadable(f"{source.name} has nested columns: {names}.", why, fix)
        if len(table.columns) > MAX_COLUMNS:
            why = f"Its records name {len(table.columns):,} different columns."
            raise SourceUnreadable(
                f"{source.name} is no table.", why, "export it with one member for each column"
            )
        if table.stated is not None and table.stated != table.records:
            why = f"Its metadata states {table.stated:,} records; it holds {table.records:,}."
            raise SourceUnreadable(f"{source.name} is not whole.", why, "transfer it again")
