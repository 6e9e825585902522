"""Files of statistical packages: SAS (transport 5 and 8, sas7bdat), SPSS (sav, zsav, por), Stata (dta).

Labels stand for codes where the codes are names; codes that the file declares missing are empty cells. Both are
decisions with counts. A catalog of SAS formats (.sas7bcat) beside its data brings the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from etl.readers.base import DAMAGED_SCHEMA, ROW, Batch, Hints, Observe, Range, Source, Table
from etl.readers.cell_text import numbered
from etl.readers.statistical_file import CATALOG, kind_of, open_file
from etl.readers.whole import digest_of

CELLS = 4_000_000  # of a batch: reading starts at the top for every one, so that larger is faster


@dataclass
class StatisticalReader:
    """Read the files of SAS, SPSS and Stata. The number of cells in a batch changes memory, never the result."""

    cells: int = CELLS
    name: str = "statistical"

    def recognises(self, name: str, head: bytes) -> bool:  # noqa: ARG002 - the content tells, whatever the name
        """Tell by the signature."""
        return kind_of(head) is not None or head.startswith(CATALOG)

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Read the whole source once and describe its one table. Raises SourceUnreadable."""
        digest = digest_of(source)
        file = open_file(source, hints.encoding)
        asked = observe(file.names) if observe else None
        shown = list(asked[0]) if asked else []
        wanted = list(
            dict.fromkeys([*shown, *file.names])
        )  # every column: codes are judged by all that occur
        records = 0
        for texts in file.texts(wanted, self.cells):
            for name, codes in file.codes.items():
                codes.note(texts[name])
            if asked:
                asked[1](numbered(file.labelled(texts.select(shown)), shown, records))
            records += texts.height
        return [
            Table(
                format=self.name,
                columns=file.names,
                lines=None,
                records=records,
                encoding=file.encoding,
                sha256=digest.sha256,
                size=digest.size,
                options={
                    "kind": file.kind,
                    "declared_encoding": hints.encoding,
                    "labelled": " ".join(str(file.names.index(name)) for name in sorted(file.chosen())),
                    "catalog": file.catalog,
                },
                ranges=(Range(0, digest.size, 1),),
                decisions=tuple(file.decisions()),
                title=file.title,
            )
        ]

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the named columns of a table that inspect() described; its one range is the file."""
        declared = table.options["declared_encoding"]
        file = open_file(source, str(declared) if declared else None, is_tried=True)
        places = {int(place) for place in str(table.options["labelled"] or "").split()}
        labelled = {table.columns[place] for place in places}
        done = part.first_row - 1
        for texts in file.texts(columns, self.cells):
            frame = numbered(file.labelled(texts, labelled), columns, done)
            yield Batch(frame, pl.DataFrame(schema=DAMAGED_SCHEMA))
            done += texts.height

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Return the expression that names the cells of a column by record and column, such as `R12/C3`."""
        return pl.format("R{}/C{}", pl.col(ROW), pl.lit(table.columns.index(column) + 1))
