"""Which names out of scope may be shown: listed ones, and those that enough subjects of the file share.

A shifted column puts patients' names where the analytes stand, so the others are counted, sealed, and shown only by
`etl quarantine names --reveal`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import duckdb
import polars as pl

from etl.disclosure import SMALLEST
from etl.harmonize.codes_of_analytes import read_code
from etl.harmonize.names import read_name
from etl.plan import ResolvedPlan
from etl.process.roles import cleaned, role_expression, text
from etl.readers.base import Batch, Range, Reader, Source, Table
from etl.readers.wrapped import WrappedReader
from schemas.analytes import fold, registry
from warehouse.seal import seal

# The roles whose texts name the measures of a shape.
_NAMED_BY = {"lab_long": ("analyte", "code"), "item_long": ("instrument", "item")}
_CODE_ONLY = "(code only)"
# A column with more names than this that nobody shares is no column of analytes; later ones are rare without counting.
_MOST = 10_000


def is_listed(name: str, declared: Mapping[str, str]) -> bool:
    """Tell whether a name is a code of the registry or consists of reviewed words only, or stands in the mapping."""
    if fold(name) in map(fold, declared) or read_name(name).is_listed:
        return True
    code = read_code(name, None)
    return code.hit is not None and not code.is_abbreviation


class WatchedReader(WrappedReader):
    """A table's reader that also counts, for each unlisted name that it hands on, the subjects who share it."""

    def __init__(self, plan: ResolvedPlan, reader: Reader) -> None:
        super().__init__(reader)
        self._plan = plan
        roles = (*_NAMED_BY.get(plan.resolution.shape, ()), "subject")
        found = {role: role_expression(plan.resolution, role) for role in roles}
        self._columns = {role: each.alias(text(role)) for role, each in found.items() if each is not None}
        self._is_counted = "subject" in self._columns and len(self._columns) > 1
        self._settled: set[str] = set()  # listed, or shared by enough
        self._rare: dict[str, frozenset[str]] = {}

    def read(self, source: Source, table: Table, part: Range, columns: Sequence[str]) -> Iterator[Batch]:
        """Read as the reader does, and look at the names."""
        for batch in super().read(source, table, part, columns):
            if self._is_counted and batch.frame.height:
                self._count(batch.frame)
            yield batch

    def _count(self, frame: pl.DataFrame) -> None:
        naming = [each for role, each in self._columns.items() if role != "subject"]
        distinct = cleaned(frame.select(*naming).unique()).select(self._name())["name"].drop_nulls()
        names = set(distinct) - self._settled
        listed = {name for name in names if is_listed(name, self._plan.analytes)}
        self._settled |= listed
        names -= listed
        if len(self._rare) > _MOST:
            names &= self._rare.keys()
        if not names:
            return
        texts = (
            cleaned(frame.select(*self._columns.values())).select(self._name(), text("subject")).drop_nulls()
        )
        pairs = texts.filter(pl.col("name").is_in(list(names))).unique()
        for name, subjects in pairs.group_by("name").agg(pl.col(text("subject")).head(SMALLEST)).iter_rows():
            together = self._rare.get(name, frozenset()) | set(subjects)
            if len(together) >= SMALLEST:
                self._settled.add(name)
                self._rare.pop(name, None)
            else:
                self._rare[name] = together

    def _name(self) -> pl.Expr:
        """Return the name as ingest counts it: a result's is the first that it has, an answer's is all of them."""
        names = [text(role) for role in self._columns if role != "subject"]
        if self._plan.resolution.shape == "lab_long":
            return pl.coalesce(names).alias("name")
        return pl.concat_str(names, separator=" ", ignore_nulls=True).alias("name")

    def divide(self, names: Counter[str]) -> tuple[Counter[str], Counter[str]]:
        """Return the names out of scope that may be shown with their rows, and the others."""
        shown = Counter({name: rows for name, rows in names.items() if self._is_shown(name)})
        return shown, names - shown

    def _is_shown(self, name: str) -> bool:
        is_header = self._plan.resolution.shape not in _NAMED_BY
        return (
            is_header or name == _CODE_ONLY or name in self._settled or is_listed(name, self._plan.analytes)
        )

    def keep_rare(
        self, connection: duckdb.DuckDBPyConnection, file_id: str, rare: Counter[str], key: bytes
    ) -> None:
        """Seal the names of a file that may not be shown, and leave them out of its held records; they leave with it."""
        self._hide_held(connection, file_id)
        if not rare:
            return
        sealed = seal(key, [json.dumps(dict(rare.most_common(_MOST)), ensure_ascii=False).encode()])[0]
        connection.execute(
            "insert into quarantine.rare_name values (?, ?, ?, ?, ?, ?)",
            [self._plan.site, self._plan.feed, file_id, len(rare), rare.total(), sealed],
        )

    def _hide_held(self, connection: duckdb.DuckDBPyConnection, file_id: str) -> None:
        """Empty the measure of held records whose name may not be shown; their sealed originals have it."""
        if self._plan.resolution.shape != "lab_long":
            return
        named = connection.execute(
            "select distinct measure from quarantine.record"
            " where file_id = ? and measure is not null and stage <> 'attribute'",  # an attribute's name is ours
            [file_id],
        ).fetchall()
        hidden = [name for (name,) in named if name not in registry() and not self._is_shown(name)]
        if hidden:
            connection.execute(
                "update quarantine.record set measure = null"
                " where file_id = ? and list_contains(?, measure) and stage <> 'attribute'",
                [file_id, hidden],
            )
