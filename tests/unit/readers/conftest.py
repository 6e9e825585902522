from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from etl.readers.base import ROW, Hints, Source, Table
from etl.readers.delimited import DelimitedReader


@dataclass(frozen=True)
class Seen:
    """A whole file as the reader sees it, both passes agreeing."""

    table: Table
    frame: pl.DataFrame
    damaged: pl.DataFrame

    @property
    def cells(self) -> list[tuple[str | None, ...]]:
        return self.frame.drop(ROW).rows()

    @property
    def rows(self) -> list[int]:
        return self.frame[ROW].to_list()

    @property
    def damage(self) -> list[tuple[int, str]]:
        return self.damaged.select(ROW, "reason").rows()

    @property
    def raws(self) -> list[bytes]:
        return self.damaged["raw"].to_list()


Read = Callable[..., Seen]


def read_whole(source: Source, hints: Hints, reader: DelimitedReader) -> Seen:
    table = reader.inspect(source, hints)[0]
    batches = [batch for part in table.ranges for batch in reader.read(source, table, part, table.columns)]
    frame = pl.concat([batch.frame for batch in batches])
    damaged = pl.concat([batch.damaged for batch in batches])
    assert table.records == frame.height + damaged.height
    assert table.damaged == damaged.height
    assert table.lines == table.records + table.continuation + sum(table.structural.values())
    return Seen(table, frame, damaged)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read bytes as a file."""

    def read_bytes(
        data: bytes, hints: Hints | None = None, reader: DelimitedReader | None = None, name: str = "a.csv"
    ) -> Seen:
        path = tmp_path / name
        path.write_bytes(data)
        return read_whole(Source(path), hints or Hints(), reader or DelimitedReader())

    return read_bytes
