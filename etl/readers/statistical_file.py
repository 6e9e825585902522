"""One open file of a statistical package: its columns as text, and what its metadata says about them."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import polars as pl

from etl.readers.archive import members
from etl.readers.base import Decision, Source
from etl.readers.cell_text import as_text
from etl.readers.labels import Codes, codes_of
from etl.readers.layout import unique_names
from etl.readers.whole import BLOCK, bytes_of, digest_of, handle_of
from schemas.errors import SourceUnreadable

SAS = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
CATALOG = SAS[:15] + b"\x63" + SAS[16:]
TRANSPORT = b"HEADER RECORD*******LIB"
MEMBERS = (b"HEADER RECORD*******MEMBER  HEADER RECORD", b"HEADER RECORD*******MEMBV8  HEADER RECORD")
OLD_STATA = range(102, 116)  # the first byte of versions before 13
# What an IBM double shows where NHANES means zero: the smallest one, 16^-65.
NOTHING = 1e-70

TRIAL = """
import io, sys, pyreadstat
source = sys.argv[1] if len(sys.argv) > 1 else io.BytesIO(sys.stdin.buffer.read())
pyreadstat.read_sav(source, metadataonly=True, output_format="dict")
"""
KINDS = {
    "sav": "read_sav",
    "por": "read_por",
    "dta": "read_dta",
    "sas7bdat": "read_sas7bdat",
    "xpt": "read_xport",
}
DECLARES_MISSING = {"sav", "dta", "sas7bdat"}


def kind_of(head: bytes) -> str | None:
    """Return which package wrote a file that starts like this; None if none did."""
    if head.startswith((b"$FL2", b"$FL3")):
        return "sav"
    if head.startswith(SAS):
        return "sas7bdat"
    if head.startswith(TRANSPORT):
        return "xpt"
    if head.startswith(b"<stata_dta>") or _is_old_stata(head):
        return "dta"
    return "por" if b"SPSS PORT FILE" in head[:400] or b"SPSSPORT" in head[:800] else None


def _is_old_stata(head: bytes) -> bool:
    """Tell by version, byte order, file type, and the padding behind: Stata 1 to 12 has no longer signature."""
    return len(head) > 100 and head[0] in OLD_STATA and head[1] in {1, 2} and head[2] == 1 and head[3] == 0


@dataclass
class File:
    """An open file: its metadata, and what its codes mean."""

    source: str
    kind: str
    read: Callable[..., tuple[pl.DataFrame, Any]]
    stored: tuple[str, ...]
    names: tuple[str, ...]
    codes: dict[str, Codes]
    encoding: str | None
    title: str
    variable_labels: dict[str, str]
    catalog: str | None = None
    tiny: int = 0

    def texts(self, columns: Sequence[str], cells: int) -> Iterator[pl.DataFrame]:
        """Yield the columns as text, codes not yet labelled; at least one column, so that rows count."""
        chosen = list(columns) or [self.names[0]]
        stored = [self.stored[self.names.index(name)] for name in chosen]
        rows = max(1_000, cells // len(chosen))
        done = 0
        while True:
            with _reported(self.source):
                frame, _ = self.read(row_limit=rows, row_offset=done, usecols=stored)
            frame = frame.select(stored)
            frame.columns = chosen
            if frame.height:
                yield as_text(frame.select(self._present(frame[name]) for name in chosen))
            done += frame.height
            if frame.height < rows:
                return

    def _present(self, cells: pl.Series) -> pl.Series:
        present = self.codes[cells.name].present(cells)
        if self.kind == "xpt" and present.dtype.is_float():
            is_tiny = (present.abs() < NOTHING) & (present != 0)
            if count := int(is_tiny.sum()):
                self.tiny += count
                present = present.set(is_tiny, 0.0)
        return present

    def chosen(self) -> set[str]:
        """Return the columns whose labels stand for their codes."""
        return {name for name, codes in self.codes.items() if codes.use_labels()}

    def labelled(self, texts: pl.DataFrame, chosen: set[str] | None = None) -> pl.DataFrame:
        """Return the texts with labels where they stand for codes; while that is open, where they may."""
        wanted = self.chosen() if chosen is None else chosen
        return texts.with_columns(
            self.codes[name].labelled(texts[name]) for name in texts.columns if name in wanted
        )

    def decisions(self) -> Iterator[Decision]:
        """Return what was decided, column by column."""
        if self.variable_labels:
            yield Decision("variable_labels", "listed", "content", dict(self.variable_labels))
        if self.tiny:
            yield Decision("tiny_numbers", "0", "content", {"cells": self.tiny})
        for name, codes in self.codes.items():
            yield from codes.decisions(name)


def open_file(source: Source, encoding: str | None, *, is_tried: bool = False) -> File:
    """Open a source and read its metadata; is_tried: it was opened before. Raises SourceUnreadable."""
    import pyreadstat

    with source.open() as stream:
        head = stream.read(1024)
    if head.startswith(CATALOG):
        why = "It is a catalog of SAS formats: labels for the codes of the data beside it, and no data."
        raise SourceUnreadable(
            f"{source.name} holds no table.", why, "ingest the .sas7bdat; keep this file beside it"
        )
    kind = kind_of(head)
    if kind is None:
        raise SourceUnreadable(
            f"{source.name} is no file of SAS, SPSS or Stata.",
            "Its first bytes are others.",
            "ask the site what it is",
        )
    handle, reader = handle_of(source), getattr(pyreadstat, KINDS[kind])
    options: dict[str, Any] = {"output_format": "polars"}
    if kind == "xpt":
        _check_transport(source)
    if encoding and kind != "por":
        options["encoding"] = encoding
    if kind in DECLARES_MISSING:
        options["user_missing"] = True

    def read(**more: Any) -> tuple[pl.DataFrame, Any]:  # noqa: ANN401 - the library's options
        if not isinstance(handle, Path):
            handle.seek(0)
        found: tuple[pl.DataFrame, Any] = reader(handle, **options, **more)
        return found

    if kind == "sav" and not is_tried:
        _try_elsewhere(source, handle)
    with _reported(source.name):
        _, about = read(metadataonly=True)
    return _described(source, kind, read, about)


def _try_elsewhere(source: Source, handle: Path | BinaryIO) -> None:
    """Read the metadata in a process of its own first: damaged names and labels crash the library itself."""
    given = [str(handle)] if isinstance(handle, Path) else []
    content = None if isinstance(handle, Path) else handle.read()
    done = subprocess.run(  # noqa: S603 - our own interpreter and program; the file is its only argument
        [sys.executable, "-I", "-c", TRIAL, *given], input=content, capture_output=True, check=False
    )
    if done.returncode not in {0, 1}:  # 1: an exception, which will be raised here as well
        why = "The names or labels in its header are damaged, or in another encoding than it states."
        raise SourceUnreadable(
            f"{source.name} cannot be read.", why, "export it again, as .zsav or CSV with labels"
        )


def _described(source: Source, kind: str, read: Callable[..., tuple[pl.DataFrame, Any]], about: Any) -> File:  # noqa: ANN401 - the library's metadata
    stored = tuple(about.column_names)
    if not stored:
        raise SourceUnreadable(
            f"{source.name} holds no table.", "It declares no variable.", "ask for it again"
        )
    names = unique_names(stored)
    catalog = _catalog(source) if kind == "sas7bdat" else None
    labels, formats = dict(about.variable_value_labels), {}
    if catalog:
        formats = _formats(catalog)
        labels |= {
            name: formats[form] for name, form in about.original_variable_types.items() if form in formats
        }
    ranges = getattr(about, "missing_ranges", {}) or {}
    types = about.readstat_variable_types
    return File(
        source=source.name,
        kind=kind,
        read=read,
        stored=stored,
        names=names,
        codes={
            name: codes_of(labels.get(own, {}), ranges.get(own, ()), is_number=types.get(own) != "string")
            for name, own in zip(names, stored, strict=True)
        },
        encoding=about.file_encoding,
        title=about.table_name or "",
        variable_labels={
            name: label for name, label in zip(names, about.column_labels, strict=True) if label
        },
        catalog=digest_of(catalog).sha256 if catalog else None,
    )


def _catalog(source: Source) -> Source | None:
    """Return the catalog beside a file: of its name, or named formats, or the only one there."""
    if source.member is None:
        beside = [Source(path) for path in sorted(source.path.parent.glob("*")) if path.is_file()]
    else:
        folder = PurePath(source.member).parent
        beside = [each for each in members(source.path) if PurePath(each.name).parent == folder]
    found = {
        PurePath(each.name).stem.lower(): each for each in beside if each.name.lower().endswith(".sas7bcat")
    }
    own = found.get(PurePath(source.name).stem.lower()) or found.get("formats")
    return own or (next(iter(found.values())) if len(found) == 1 else None)


def _formats(catalog: Source) -> dict[str, dict[Any, str]]:
    import pyreadstat

    with _reported(catalog.name):
        _, about = pyreadstat.read_sas7bcat(io.BytesIO(bytes_of(catalog)), output_format="polars")
    formats: dict[str, dict[Any, str]] = about.value_labels
    return formats


def _check_transport(source: Source) -> None:
    """Refuse a transport file that was cut, or that holds more than one dataset: the library would not tell."""
    size, datasets = _count_datasets(source)
    if size % 80:
        why = f"Its records have 80 bytes, and its {size:,} bytes end within one."
        raise SourceUnreadable(f"{source.name} was cut short.", why, "transfer it again, in binary mode")
    if datasets > 1:
        why = f"It holds {datasets} datasets, and only the first could be read."
        raise SourceUnreadable(
            f"{source.name} cannot be read as one table.", why, "export each dataset to its own file"
        )


def _count_datasets(source: Source) -> tuple[int, int]:
    size, count, rest = 0, 0, b""
    with source.open() as stream:
        while block := stream.read(BLOCK):
            window = rest + block
            count += sum(window.count(mark) for mark in MEMBERS)
            rest = window[-len(MEMBERS[0]) + 1 :]
            size += len(block)
    return size, count


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """Turn what the library raises into an error that a user can mend; its own text may hold values."""
    from pyreadstat import PyreadstatError, ReadstatError

    try:
        yield
    except (ReadstatError, PyreadstatError, UnicodeError) as error:
        if (
            isinstance(error, UnicodeError)
            or "encod" in str(error).lower()
            or "convert" in str(error).lower()
        ):
            why = "A text in it does not fit the encoding that the file or the mapping states."
            fix = "encoding: cp1252, gb18030 ... in the mapping"
            raise SourceUnreadable(f"{name} cannot be decoded.", why, fix) from None
        why = "It is damaged, ends early, or uses a feature of a newer version."
        raise SourceUnreadable(
            f"{name} cannot be read.", why, "transfer it again, or export CSV with labels"
        ) from None
    except (OverflowError, ValueError, TypeError, MemoryError, pl.exceptions.PolarsError):
        why = "A date or a number in it is beyond what can be shown, or its header is damaged."
        raise SourceUnreadable(f"{name} cannot be read.", why, "export it as CSV") from None
