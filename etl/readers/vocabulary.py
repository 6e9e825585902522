"""The vocabulary of an OMOP database: CONCEPT beside its tables, of which only the ids that a table holds are kept.

Athena delivers it with tabs and without quotes, others with commas; a database may give Parquet. It has millions of rows,
so it is read once a table, in parts, by the reader of its format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath

import polars as pl

from etl.readers import detect
from etl.readers.archive import members
from etl.readers.base import Hints, Source
from schemas.errors import SourceUnreadable

COLUMNS = ("concept_id", "concept_code", "vocabulary_id", "concept_name")
NAMED_SO = re.compile(r"concept\.(?:csv|tsv|txt|parquet|arrow|feather)(?:\.gz)?", re.IGNORECASE)
ID = re.compile(r"\w+_concept_id", re.IGNORECASE)
HEAD = 4096

DOMAIN = "domain_id"  # which a shortened copy may lack

Row = tuple[str, str, str, str]  # code, vocabulary, name, domain


def is_vocabulary(columns: Iterable[str]) -> bool:
    """Tell CONCEPT by its headers; a table of persons with these columns is none."""
    keys = {column.strip().casefold() for column in columns}
    return keys.issuperset(COLUMNS) and "person_id" not in keys


def vocabulary_beside(source: Source, columns: Iterable[str]) -> Source | None:
    """Return the CONCEPT in the folder or archive of a table that has ids of concepts; only then is it looked for."""
    if is_vocabulary(columns) or not any(ID.fullmatch(column.strip()) for column in columns):
        return None
    found = sorted(_beside(source), key=lambda each: each.name)
    return next((each for each in found if is_vocabulary(_header(each))), None)


def read_vocabulary(source: Source, ids: Iterable[str]) -> dict[str, Row]:
    """Return the rows of CONCEPT with some ids, by id. Raises SourceUnreadable."""
    wanted = pl.Series(sorted(ids), dtype=pl.String)
    found: dict[str, Row] = {}

    def observe(columns: tuple[str, ...]) -> tuple[Sequence[str], Callable[[pl.DataFrame], None]]:
        names = _places(columns)

        def keep(frame: pl.DataFrame) -> None:
            kept = frame.filter(_cell(names["concept_id"]).is_in(wanted.implode()))
            cells = kept.select(_cell(names.get(name)).alias(name) for name in (*COLUMNS, DOMAIN))
            found.update({each[0]: (each[1], each[2], each[3], each[4]) for each in cells.iter_rows()})

        return list(names.values()), keep

    if not wanted.is_empty():
        _inspect(source, observe)
    return found


def _places(columns: Sequence[str]) -> Mapping[str, str]:
    """Return the columns of CONCEPT by their names in the standard."""
    by_key = {column.strip().strip('"').casefold(): column for column in columns}
    return {name: by_key[name] for name in (*COLUMNS, DOMAIN) if name in by_key}


def _cell(column: str | None) -> pl.Expr:
    """Return the text of a cell, without the marks that a writer put around it."""
    if column is None:
        return pl.lit("")
    return pl.col(column).str.strip_chars().str.strip_chars('"').fill_null("")


def _inspect(
    source: Source,
    observe: Callable[[tuple[str, ...]], tuple[Sequence[str], Callable[[pl.DataFrame], None]] | None],
) -> None:
    reader = detect(source)
    if reader is not None:
        reader.inspect(source, _hints(source), observe)


def _hints(source: Source) -> Hints:
    """Return how the file is written: between tabs a quotation mark is a character of a name."""
    with source.open() as file:
        first = file.read(HEAD).splitlines()[:1]
    has_tabs = any(b"\t" in line for line in first)
    return Hints(delimiter="\t", quote="none") if has_tabs else Hints()


def _header(source: Source) -> list[str]:
    """Return the headers of a file; of a text its first line tells, so that the file is not read for them."""
    with source.open() as file:
        head = file.read(HEAD)
    if not head.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")):
        lines = head.decode("utf-8-sig", "replace").splitlines()[:1]
        return [each.strip().strip('"') for line in lines for each in re.split(r"[\t,;|]", line)]
    headers: list[str] = []

    def observe(columns: tuple[str, ...]) -> None:
        headers.extend(columns)

    _inspect(source, observe)
    return headers


def _beside(source: Source) -> list[Source]:
    """Return what is called CONCEPT in the folder of a table; in an archive, in the table's own folder first."""
    if source.member is None:
        paths = [each for each in source.path.parent.iterdir() if NAMED_SO.fullmatch(each.name)]
        return [Source(each) for each in paths if each.is_file() and each != source.path]
    try:
        inside = [each for each in members(source.path) if NAMED_SO.fullmatch(PurePath(each.name).name)]
    except SourceUnreadable:
        return []
    folder = PurePath(source.member).parent
    return [each for each in inside if PurePath(each.name).parent == folder] or inside
