"""Write exports byte by byte, planting defects on the way and counting what was written."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from etl.demo.defects import Plant, Planted, plant_in
from etl.demo.export import Export, Record
from etl.demo.truth import Defect, FileTruth


class _Lines:
    """Lines on their way to a stream, counted."""

    def __init__(self, stream: BinaryIO, export: Export) -> None:
        self._stream = stream
        self._dialect = export.dialect
        self._end = export.dialect.line_end.encode("ascii")
        measures = export.measures
        self._places = None if measures is None else [export.header.index(name) for name in measures]
        self.lines = 0
        self.records = 0
        self.candidates = 0

    def put(self, line: bytes) -> None:
        """Write a line that is no record."""
        self._stream.write(line + self._end)
        self.lines += 1

    def put_text(self, text: str) -> None:
        """Write a line of free text that is no record."""
        self.put(text.encode(self._dialect.encoding))

    def put_record(self, record: Record) -> None:
        """Write an intact record."""
        self.put(self._dialect.render(record))
        self.records += 1
        self.candidates += 1 if self._places is None else sum(record[place] != "" for place in self._places)

    def put_planted(self, planted: Planted) -> None:
        """Write a planted record; a damaged line is one candidate whatever its shape."""
        if planted.line is None:
            self.put_record(planted.record)
            return
        self.put(planted.line)
        self.records += 1
        self.candidates += 1


def write_export(export: Export, plants: Sequence[Plant], folder: Path) -> tuple[FileTruth, list[Defect]]:
    """Write one export below the folder; return its counts and its defects with their lines."""
    path = folder / export.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open(path) as stream:
        stream.write(export.dialect.byte_order_mark)
        lines = _Lines(stream, export)
        for text in export.preamble:
            lines.put_text(text)
        lines.put(export.dialect.render(export.header))
        defects = _put_records(lines, export, plants)
        if export.total:
            lines.put_text(export.total.format(lines.records))
    return _count(export, lines), defects


def _put_records(lines: _Lines, export: Export, plants: Sequence[Plant]) -> list[Defect]:
    defects = []
    due = plant_in(export, plants)
    for place, record in enumerate(export.records):
        lines.put_record(record)
        for planted in due.get(place, ()):
            lines.put_planted(planted)
            defects.append(planted.defect(lines.lines))
    for record in export.history:
        lines.put_record(record)
    return defects


def _count(export: Export, lines: _Lines) -> FileTruth:
    structural = {"preamble": len(export.preamble), "header": 1, "total": int(bool(export.total))}
    return FileTruth(
        path=export.path,
        encoding=export.dialect.encoding,
        delimiter=export.dialect.delimiter,
        lines=lines.lines,
        records=lines.records,
        candidates=lines.candidates,
        structural={kind: count for kind, count in structural.items() if count},
    )


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing, compressed if its name says so; the same content gives the same bytes."""
    with path.open("wb") as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
            yield cast("BinaryIO", stream)
