"""A reader around another one, which it asks for all but what it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from etl.readers.base import Batch, Hints, Observe, Range, Reader, Source, Table


class WrappedReader:
    """Pass everything on; what inherits from it does more with the batches."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.name = reader.name

    def recognises(self, name: str, head: bytes) -> bool:
        """Ask the reader."""
        return self._reader.recognises(name, head)

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:
        """Ask the reader."""
        return self._reader.inspect(source, hints, observe)

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Ask the reader."""
        return self._reader.read(source, table, part, columns)

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Ask the reader."""
        return self._reader.locate(table, column)
