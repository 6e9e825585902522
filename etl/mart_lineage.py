"""From one column of a row of a mart to the rows of core it came from, by the views' own lineage.

The header of a mart says what each column rests on: `columns <- measures` of intermediate.lineage, where `{name}` is
the row's value in another column, or `columns = text` where no cell stands behind it; a column that is not named there
is the measure of its own name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

import duckdb

from schemas.errors import UsageError
from schemas.instruments import INSTRUMENTS
from warehouse import lineage
from warehouse.catalogue import View, read_header, views

PREFIX = "mart."
# Columns that tell the rows of one subject apart.
_KEYS = ("question", "profile", "measure", "score", "match_set_id")
_STATEMENT = re.compile(r"(.+?) (<-|=) (.+)")

_SOURCES = """
    select measure, kind, source_id::varchar as id, scale from intermediate.lineage where subject_id = ? order by all
"""
_SCORE = """
    select instrument, version, basis from core.score where administration_id = ?::uuid and scale = ?
"""


@dataclass(frozen=True)
class Cell:
    """Which cell of a mart: the column of each row of a subject, or of those rows that have certain values."""

    mart: str
    subject_id: str | None = None
    column: str | None = None  # all of them, one after the other
    where: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Origin:
    """What one column of one row of a mart rests on."""

    cell: str
    rows: list[lineage.Row]
    note: str


def origins(connection: duckdb.DuckDBPyConnection, wanted: Cell) -> list[Origin]:
    """Return what the cells of a mart rest on. Raises UsageError for one that is not there."""
    view = _view(wanted.mart)
    columns = [name for (name, *_) in connection.execute(f"describe {view.qualified}").fetchall()]
    chosen = [wanted.column] if wanted.column else columns
    for name in (*chosen, *(wanted.where or ())):
        if name not in columns:
            raise _unknown(f"{view.qualified} has no column {name}.", name, columns)
    rows = _rows(connection, view, columns, wanted)
    behind = _Behind(connection, rows[0].get("subject_id"))
    return [_origin(view, column, row, behind) for row in rows for column in chosen]


def rests_on(view: View, column: str) -> tuple[tuple[str, ...], str]:
    """Return the measures behind a column of a mart, or the words that say why there are none."""
    for line in read_header(view.sql)["lineage"].splitlines():
        match = _STATEMENT.fullmatch(line)
        if match and {column, "*"} & set(match[1].split(", ")):
            return (tuple(match[3].split(", ")), "") if match[2] == "<-" else ((), match[3])
    return (column,), ""


def _view(mart: str) -> View:
    marts = {view.qualified: view for view in views() if view.qualified.startswith(PREFIX)}
    if mart not in marts:
        raise _unknown(f"There is no mart called {mart}.", mart, list(marts))
    return marts[mart]


def _rows(
    connection: duckdb.DuckDBPyConnection, view: View, columns: Sequence[str], wanted: Cell
) -> list[lineage.Row]:
    """Return the rows that are asked for; a mart of groups has none of a subject, and needs none."""
    if "subject_id" not in columns:
        return [dict.fromkeys(columns)]
    if not wanted.subject_id:
        raise UsageError(
            f"{view.qualified} has rows of many subjects.",
            "One row is traced at a time.",
            f"etl trace {view.qualified} --subject SUBJECT_ID --column COLUMN",
        )
    given = wanted.where or {}
    conditions = "".join(f" and {name}::varchar = ?" for name in given)
    canonical = "(select canonical_id from staging.subject_canonical where subject_id = ?)"
    found = connection.execute(
        f"select * from {view.qualified} where subject_id = coalesce({canonical}, ?){conditions}",
        [wanted.subject_id, wanted.subject_id, *given.values()],
    ).fetchall()
    if not found:
        raise UsageError(
            f"{view.qualified} has no such row.",
            "No row has this subject"
            + (f" with {', '.join(f'{name}={value}' for name, value in given.items())}." if given else "."),
            f"etl sql 'select distinct subject_id from {view.qualified} limit 5'",
        )
    return [dict(zip(columns, row, strict=True)) for row in found]


def _origin(view: View, column: str, row: lineage.Row, behind: _Behind) -> Origin:
    measures, text = rests_on(view, column)
    named = " ".join(f"{key}={row[key]}" for key in _KEYS if row.get(key) is not None)
    cell = f"{view.qualified}.{column}" + (f" ({named})" if named else "")
    if text:
        return Origin(cell, [], f"No cell of its own: {text}.")
    rows = behind.rows({measure.format(**row) for measure in measures})
    return Origin(
        cell,
        rows,
        "" if rows else "No cell stands behind it: it is empty, or follows from what nobody stated.",
    )


class _Behind:
    """The rows of core behind the measures of one subject, each looked up once."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, subject_id: str | None) -> None:
        self._connection = connection
        self._sources = connection.execute(_SOURCES, [subject_id]).fetchall() if subject_id else []
        self._look_up = cache(self._rows_of)

    def rows(self, measures: set[str]) -> list[lineage.Row]:
        """Return the rows behind any of these measures, each once."""
        found = {
            row["id"]: row
            for measure, kind, identity, scale in self._sources
            if measure in measures
            for row in self._look_up(kind, identity, scale)
        }
        return list(found.values())

    def _rows_of(self, kind: str, identity: str, scale: str | None) -> list[lineage.Row]:
        """Return a row of core by its id, or the answers of an administration that a scale is made from."""
        wanted = identity.replace("-", "")
        if scale is None:
            return [row for row in lineage.rows_by_id(self._connection, wanted) if row["kind"] == kind]
        items: set[str] = set()
        for instrument, version, basis in self._connection.execute(_SCORE, [identity, scale]).fetchall():
            of_scale = INSTRUMENTS[instrument].versions[version].items_of(scale)
            items |= {scale} if basis == "reported_only" else set(of_scale)
        answers = lineage.rows_of_administration(self._connection, wanted)
        return [
            row for row in answers if row["state"] == "current" and row["what"].partition("/")[2] in items
        ]


def _unknown(what: str, name: str, known: Sequence[str]) -> UsageError:
    near = get_close_matches(name, known, n=1)
    return UsageError(what, f"Known are {', '.join(known)}.", near[0] if near else "one of these")
