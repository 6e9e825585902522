"""Look at every column of a source's tables: the header, the decisions, and the records or every nth of them."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from etl.inspect import inspect, reader_of
from etl.plan import ResolvedPlan
from etl.readers.base import ROW, Source
from etl.sites.model import SiteMapping
from etl.suggest.content import Content

LONGEST = 1_000  # characters of a cell that are looked at; documents travel in cells too
CELLS = 10_000_000  # of a table that are looked at; of a longer one every nth record on average
_DICTIONARY = ("Variable / Field Name", "Field Label")  # REDCap's own headers
_COMPARED = 5000  # distinct texts of a column among which its own header is looked for
_FIXED = ("hl7", "fhir")  # formats whose columns have one meaning


@dataclass(frozen=True)
class Looked:
    """One table and its cells. step: 1 if every record was looked at, n for every nth; damaged: reasons."""

    plan: ResolvedPlan
    frame: pl.DataFrame
    step: int
    damaged: Counter[str] = field(default_factory=Counter)
    place: int = 1  # among the tables of its source

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns of the file."""
        return self.plan.table.columns

    @property
    def title(self) -> str:
        """Return the table's name as it may be shown: a sheet is called after whom it pleases, so it has a number."""
        return f"sheet {self.place}" if self.plan.table.format == "excel" else self.plan.table.title

    @property
    def has_fixed_meaning(self) -> bool:
        """Tell whether the format itself says what each column is."""
        return self.plan.table.format in _FIXED

    @cached_property
    def contents(self) -> dict[str, Content]:
        """Return what the cells of each column are."""
        return {column: Content(_filled(self.frame[column]), self.frame.height) for column in self.columns}

    @cached_property
    def labels(self) -> dict[str, str]:
        """Return what the file itself, or a data dictionary beside it, says of its columns in words."""
        decision = self.plan.decision("variable_labels")
        labels = {name: str(label) for name, label in decision.evidence.items()} if decision else {}
        return {name: label for name, label in (dictionary_labels(self.plan.source) | labels).items()
                if name in self.columns}  # fmt: skip

    @property
    def has_no_header(self) -> bool:
        """Tell whether no line looks like a header, so that the names of the columns may be somebody's cells."""
        return self.plan.has_no_header

    @cached_property
    def shown(self) -> dict[str, str]:
        """Return the headers as they may be shown: by their place where they may be cells of a file without a header."""
        # One header that is a cell of its own column, such as a sex, says that the whole line may be a record.
        return self.plan.shown_headers(is_record=any(map(self._is_own_cell, self.columns)))

    def _is_own_cell(self, column: str) -> bool:
        return column.strip() in set(self.contents[column].distinct.head(_COMPARED).to_list())


def look(source: Source, mapping: SiteMapping | None = None, site: str = "site") -> list[Looked]:
    """Return the tables of a source with their cells. Raises SourceUnreadable and DefinitionError."""
    plans = inspect(source, site, mapping, datetime.now())  # noqa: DTZ005 - local, as in ingest
    return [replace(_looked(plan), place=place) for place, plan in enumerate(plans, start=1)]


def _looked(plan: ResolvedPlan) -> Looked:
    table, reader = plan.table, reader_of(plan)
    step = max(1, -(-table.records * max(1, len(table.columns)) // CELLS))
    frames, damaged, seen = [], Counter[str](), 0
    for part in table.ranges:
        for batch in reader.read(plan.source, table, part, table.columns):
            frames.append(_cells(batch.frame, table.columns, step, seen))
            seen += batch.frame.height
            damaged.update(dict(batch.damaged["reason"].value_counts().iter_rows()))
    empty = pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String) | {ROW: pl.Int64})
    return Looked(plan, pl.concat([empty, *frames], how="vertical"), step, damaged)


def _cells(frame: pl.DataFrame, columns: tuple[str, ...], step: int, seen: int) -> pl.DataFrame:
    cells = frame.select(*columns, ROW)
    longest = cells.select(pl.col(pl.String).str.len_bytes().max()).row(0, named=True)
    long = [column for column, length in longest.items() if (length or 0) > LONGEST]
    cells = cells.with_columns(pl.col(long).str.head(LONGEST))
    if step == 1:
        return cells
    # Not every nth: panels of as many results would show one analyte alone.
    place = pl.int_range(seen, seen + cells.height, dtype=pl.UInt64)
    return cells.filter(place.hash(seed=0) % step == 0)


def _filled(cells: pl.Series) -> pl.Series:
    trimmed = cells.drop_nulls().str.strip_chars()
    return trimmed.filter(trimmed != "")


def dictionary_labels(source: Source) -> dict[str, str]:
    """Return the field labels of a REDCap data dictionary in the same folder, by variable; none without one."""
    if source.member is not None:
        return {}
    for path in sorted(source.path.parent.glob("*.csv")):
        if path != source.path and path.is_file() and (labels := _labels_in(path)):
            return labels
    return {}


def _labels_in(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = lines.readline(4096)
            if not all(name in header for name in _DICTIONARY):
                return {}
            lines.seek(0)
            return {row[_DICTIONARY[0]]: row[_DICTIONARY[1]] for row in csv.DictReader(lines)}
    except (OSError, UnicodeDecodeError, csv.Error):
        return {}
