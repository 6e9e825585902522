"""CDISC ODM in XML, with REDCap's project export: clinical data as tables of events, of repeated forms and groups.

A record is the largest part of a visit in which every item has a name of its own, so that the results of a visit stand
beside its date. Cells are the codes as stored; what they mean stands in the document's own code lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from etl.readers.base import DAMAGED_SCHEMA, ROW, Batch, Decision, Hints, Observe, Range, Source, Table
from etl.readers.encodings import BOM, utf16_of
from etl.readers.layout import unique_names
from etl.readers.odm_walk import OdmWalk, Record
from schemas.errors import SourceUnreadable

ROWS = 5_000  # of a batch
MAX_COLUMNS = 20_000
ROOT = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:[\w.-]+:)?ODM[\s>]", re.DOTALL)


@dataclass
class Found:
    """A table as it is found: its columns in the order that they first occur, and its records."""

    columns: dict[str, None] = field(default_factory=dict)
    records: int = 0


@dataclass
class OdmReader:
    """Read clinical data in ODM. The number of rows in a batch changes memory, never the result."""

    rows: int = ROWS
    name: str = "odm"

    def recognises(self, name: str, head: bytes) -> bool:  # noqa: ARG002 - the content tells, whatever the name
        """Tell by the first element."""
        encoding = utf16_of(head) or "latin-1"
        return ROOT.match(head.removeprefix(BOM).decode(encoding, "ignore").lstrip("\ufeff")) is not None

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source, twice if it is observed, and describe its tables. Raises SourceUnreadable."""
        walk = OdmWalk(source, hints.encoding)
        found: dict[str, Found] = {}
        for record in walk.records():
            table = found.setdefault(record.table, Found())
            table.records += 1
            table.columns.update(dict.fromkeys(record.cells))
            if len(table.columns) > MAX_COLUMNS:
                why = f"A table has more than {MAX_COLUMNS:,} columns."
                raise SourceUnreadable(f"{source.name} is refused.", why, "export fewer forms at a time")
        if not found:
            why = "Its ClinicalData hold no item of any subject."
            raise SourceUnreadable(f"{source.name} holds no data.", why, "export it with its records")
        shown = [self._table(walk, name, table, hints) for name, table in found.items()]
        for each in shown if observe else ():
            if observe and (asked := observe(each.columns)):
                for batch in self.read(source, each, each.ranges[0], asked[0]):
                    asked[1](batch.frame)
        return shown

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:  # noqa: ARG002 - one range
        """Read the named columns of a table that inspect() described; its one range is the file."""
        declared = table.options["declared_encoding"]
        names = dict(zip(table.columns, json.loads(str(table.options["items"])), strict=True))
        batch: list[Record] = []
        done = 0
        for record in OdmWalk(source, str(declared) if declared else None).records():
            if record.table == table.options["part"]:
                batch.append(record)
            if len(batch) == self.rows:
                yield _batch(batch, columns, names, done)
                done += len(batch)
                batch = []
        if batch:
            yield _batch(batch, columns, names, done)

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Return the expression that names the cells of a column by record and column, such as `R12/C3`."""
        return pl.format("R{}/C{}", pl.col(ROW), pl.lit(table.columns.index(column) + 1))

    def _table(self, walk: OdmWalk, name: str, found: Found, hints: Hints) -> Table:
        stream = walk.stream
        evidence: dict[str, int | str] = {"columns": len(found.columns), "records": found.records}
        if walk.attachments:
            evidence["attached_files_not_read"] = walk.attachments
        return Table(
            format=self.name,
            columns=unique_names(found.columns),
            lines=None,
            records=found.records,
            encoding=stream.encoding,
            sha256=stream.sha256,
            size=stream.size,
            options={
                "part": name,
                "items": json.dumps(list(found.columns)),
                "declared_encoding": hints.encoding,
            },
            ranges=(Range(0, stream.size, 1),),
            decisions=(Decision("layout", walk.level, "content", evidence),),
            title=walk.titles[name],
        )


def _batch(records: list[Record], columns: Sequence[str], names: dict[str, str], done: int) -> Batch:
    texts = [
        pl.Series(name, [record.cells.get(names[name]) for record in records], dtype=pl.String)
        for name in columns
    ]
    rows = pl.int_range(done + 1, done + len(records) + 1, dtype=pl.Int64, eager=True).alias(ROW)
    return Batch(pl.DataFrame([*texts, rows]), pl.DataFrame(schema=DAMAGED_SCHEMA))
