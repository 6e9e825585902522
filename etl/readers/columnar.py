"""Parquet and Arrow files (IPC file and stream, Feather 2): typed columns, read in batches of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import polars as pl

from etl.readers.base import DAMAGED_SCHEMA, ROW, Batch, Decision, Hints, Observe, Range, Source, Table
from etl.readers.cell_text import numbered
from etl.readers.layout import unique_names
from etl.readers.whole import digest_of, handle_of
from schemas.errors import SourceUnreadable

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 65_536  # of a batch
PARQUET, ARROW, FEATHER_1 = b"PAR1", b"ARROW1", b"FEA1"
STREAM = b"\xff\xff\xff\xff"  # an IPC stream begins with a continuation marker and a length
STREAM_NAMES = (".arrow", ".arrows", ".ipc", ".feather")


@dataclass
class ColumnarReader:
    """Read Parquet and Arrow. The number of rows in a batch changes memory, never the result."""

    rows: int = ROWS
    name: str = "columnar"

    def recognises(self, name: str, head: bytes) -> bool:
        """Tell by the first bytes; a bare stream also needs its name."""
        is_stream = head.startswith(STREAM) and name.lower().endswith(STREAM_NAMES)
        return head.startswith((PARQUET, ARROW, FEATHER_1)) or is_stream

    def inspect(self, source: Source, hints: Hints, observe: Observe | None = None) -> Sequence[Table]:  # noqa: ARG002 - the file declares itself
        """Read the whole source once and describe its one table. Raises SourceUnreadable."""
        digest = digest_of(source)
        file = _open(source)
        stored = _types(source, file.schema)
        names = unique_names(stored)
        asked = observe(names) if observe else None
        records = 0
        for frame in file.batches(_places(names, asked[0] if asked else ()), self.rows):
            if asked:
                asked[1](numbered(frame, asked[0], records))
            records += frame.height
        counts = Counter(stored.values())
        return [
            Table(
                format=self.name,
                columns=names,
                lines=None,
                records=records,
                sha256=digest.sha256,
                size=digest.size,
                ranges=(Range(0, digest.size, 1),),
                decisions=(Decision("types", file.kind, "content", dict(counts)),),
            )
        ]

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read the named columns of a table that inspect() described; its one range is the file."""
        done = part.first_row - 1
        for frame in _open(source).batches(_places(table.columns, columns), self.rows):
            yield Batch(numbered(frame, columns, done), pl.DataFrame(schema=DAMAGED_SCHEMA))
            done += frame.height

    def locate(self, table: Table, column: str) -> pl.Expr:
        """Return the expression that names the cells of a column by record and column, such as `R12/C3`."""
        return pl.format("R{}/C{}", pl.col(ROW), pl.lit(table.columns.index(column) + 1))


@dataclass(frozen=True)
class _File:
    """An open file: its schema, and its rows with the columns at some places."""

    name: str
    kind: str
    schema: pa.Schema
    _batches: Callable[[list[int], int], Iterator[pa.RecordBatch]]

    def batches(self, places: list[int], rows: int) -> Iterator[pl.DataFrame]:
        """Yield the rows in frames of at most `rows`; a frame always has a column, so that rows count."""
        batches = self._batches(places or [0], rows)
        while True:
            with _reported(self.name):
                batch = next(batches, None)
                if batch is not None:
                    batch.validate(full=True)  # polars trusts what Arrow says of itself
            if batch is None:
                return
            for start in range(0, batch.num_rows, rows):
                yield _frame(batch.slice(start, rows))


def _places(names: Sequence[str], columns: Sequence[str]) -> list[int]:
    return [names.index(column) for column in columns]


def _frame(batch: pa.RecordBatch) -> pl.DataFrame:
    """Hand a batch to polars, with names and metadata left out: damaged ones would end in a panic."""
    import pyarrow as pa

    days = pa.date32()  # the other type of days counts milliseconds, and would be shown as instants
    columns = [
        each.cast(days, safe=False) if pa.types.is_date64(each.type) else each for each in batch.columns
    ]
    bare = pa.RecordBatch.from_arrays(columns, names=[str(place) for place in range(batch.num_columns)])
    return cast("pl.DataFrame", pl.from_arrow(bare))


def _types(source: Source, schema: pa.Schema) -> dict[str, str]:
    """Return the columns with their stored types. Raises SourceUnreadable if one is no plain column."""
    with _reported(source.name):
        stored = {name: schema.field(place).type for place, name in enumerate(schema.names)}
    if len(stored) < len(schema.names) or not stored:
        why = "Two of its columns have the same name." if stored else "It declares no column."
        raise SourceUnreadable(
            f"{source.name} holds no table.", why, "name the columns apart and export again"
        )
    odd = [name for name, dtype in stored.items() if not _is_plain(dtype)]
    if odd:
        raise SourceUnreadable(
            f"{source.name} has nested or binary columns: {', '.join(odd[:5])}.",
            f"{len(odd)} of {len(stored)} columns hold lists, structures, bytes or rare types, not one value a cell.",
            "flatten these columns, or leave them out of the export",
        )
    return {name: str(dtype).split("<")[0].split("[")[0].split("(")[0] for name, dtype in stored.items()}


def _is_plain(dtype: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_dictionary(dtype):
        dtype = dtype.value_type
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    numbers = (types.is_integer, types.is_float32, types.is_float64, types.is_decimal128, types.is_boolean)
    times = (types.is_date, types.is_time, types.is_timestamp, types.is_duration)
    return any(is_kind(dtype) for is_kind in (*texts, *numbers, *times, types.is_null))


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """Turn what the library raises into an error that a user can mend; its own text may hold values."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError):
        why = "Its end or its index is missing or damaged, as after a broken transfer."
        raise SourceUnreadable(
            f"{name} is not a complete Parquet or Arrow file.", why, "transfer it again"
        ) from None


def _open(source: Source) -> _File:
    """Open a file by its first bytes."""
    with source.open() as file:
        head = file.read(8)
    if head.startswith(FEATHER_1):
        why = "It is a Feather file of version 1, which current libraries no longer write."
        raise SourceUnreadable(f"{source.name} cannot be read.", why, "export it as Parquet or Feather 2")
    handle = handle_of(source)
    with _reported(source.name):
        return (
            _parquet(source.name, handle) if head.startswith(PARQUET) else _arrow(source.name, handle, head)
        )


def _parquet(name: str, handle: Path | BinaryIO) -> _File:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(handle)
    schema = file.schema_arrow

    def batches(places: list[int], rows: int) -> Iterator[pa.RecordBatch]:
        names = [schema.names[place] for place in places]
        for batch in file.iter_batches(rows, columns=names):
            yield batch.select(names)

    return _File(name, "parquet", schema, batches)


def _arrow(name: str, handle: Path | BinaryIO, head: bytes) -> _File:
    import pyarrow as pa

    opened = pa.OSFile(str(handle)) if isinstance(handle, Path) else handle
    if not head.startswith(ARROW):
        stream = pa.ipc.open_stream(opened)
        return _File(
            name, "arrow_stream", stream.schema, lambda places, _: (each.select(places) for each in stream)
        )
    file = pa.ipc.open_file(opened)
    parts = (file.get_batch(place) for place in range(file.num_record_batches))
    return _File(name, "arrow", file.schema, lambda places, _: (each.select(places) for each in parts))
