"""From JSON text to the records of its tables, whatever the layout: list, lines, Dataset-JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from etl.readers.base import Source
from etl.readers.encodings import BOM
from etl.readers.json_stream import Bytes, Document, Json, Piece, Repeated, encoding_of, head_of, lines
from schemas.errors import SourceUnreadable

VERSION, ROWS_OF, COLUMNS_OF = "datasetJSONVersion", "rows", "columns"
LIST, LINES, DATASET, DATASET_LINES = "list", "lines", "dataset", "dataset_lines"
LINE_NAMES = (".ndjson", ".jsonl", ".ldjson")


@dataclass(frozen=True)
class Record:
    """A record of a table: its cells by column, or the reason why it is damaged."""

    title: str
    row: int
    cells: dict[str, Json]
    raw: bytes
    reason: str = ""


@dataclass
class Walk:
    """One way through a source, from the top to the end."""

    source: Source
    encoding: str
    kind: str
    title: str = ""
    columns: tuple[str, ...] = ()
    stated: int | None = None
    sha256: str = ""
    size: int = 0

    @classmethod
    def through(cls, source: Source, declared: str | None) -> Walk:
        """Settle how a source is laid out, by its start."""
        head = head_of(source)
        if not head:
            raise SourceUnreadable(
                f"{source.name} is empty.", "It holds no byte.", "ask the site to send it again"
            )
        is_by_line = _is_by_line(head, source.name)
        encoding = encoding_of(head, source.name, declared, by_line=is_by_line)
        text = head.decode(encoding, "ignore").lstrip("\ufeff \t\r\n")
        is_dataset = text.startswith("{") and f'"{VERSION}"' in text
        kind = {
            (False, False): LIST,
            (True, False): LINES,
            (False, True): DATASET,
            (True, True): DATASET_LINES,
        }
        return cls(source, encoding, kind[is_by_line, is_dataset])

    def records(self) -> Iterator[Record]:
        """Yield the records of all tables, in their order."""
        with self._stream() as stream:
            if self.kind == LINES:
                yield from (_record("", piece) for piece in lines(stream, self.encoding))
            elif self.kind == DATASET_LINES:
                yield from self._dataset_lines(lines(stream, self.encoding))
            else:
                document = Document(stream, self.encoding)
                yield from self._dataset(document) if self.kind == DATASET else self._lists(document)
                document.finish()
            self.sha256, self.size = stream.sha256, stream.size

    @contextmanager
    def _stream(self) -> Iterator[Bytes]:
        stream = Bytes(self.source)
        try:
            yield stream
        finally:
            stream.close()

    def _lists(self, document: Document) -> Iterator[Record]:
        """Yield the objects of a list, or of every list of objects that a document's object holds."""
        if document.peek() == "[":
            yield from (_record("", piece) for piece in document.elements())
            return
        for name in document.members():
            if document.peek() != "[":
                document.value()
                continue
            is_table = False
            for piece in document.elements():
                is_table = is_table or isinstance(piece.value, dict)
                if is_table:
                    yield _record(name, piece)

    def _dataset(self, document: Document) -> Iterator[Record]:
        """Yield the rows of a dataset; where they come before its columns, these are looked for first."""
        for name in document.members():
            if name != ROWS_OF:
                self._learn(name, document.value()[0])
                continue
            if not self.columns:
                self._look_ahead()
            for piece in document.elements():
                yield self._row(piece)

    def _look_ahead(self) -> None:
        with self._stream() as stream:
            document = Document(stream, self.encoding)
            for name in document.members():
                if name == ROWS_OF:
                    for _ in document.elements():
                        pass
                else:
                    self._learn(name, document.value()[0])

    def _dataset_lines(self, pieces: Iterator[Piece]) -> Iterator[Record]:
        first = next(pieces, None)
        if first is None or not isinstance(first.value, dict):
            why = "The first line of Dataset-JSON by line is an object that describes the columns; this one is broken."
            raise SourceUnreadable(f"{self.source.name} holds no table.", why, "transfer it again")
        for name, value in first.value.items():
            self._learn(name, value)
        yield from (self._row(piece) for piece in pieces)

    def _learn(self, name: str, value: Json) -> None:
        if name == COLUMNS_OF and isinstance(value, list):
            found = [each.get("name") for each in value if isinstance(each, dict)]
            self.columns = tuple(each for each in found if isinstance(each, str))
            if len(set(self.columns)) < len(value):
                why = "Its metadata names a column twice, or leaves out a name."
                raise SourceUnreadable(
                    f"{self.source.name} cannot be read as Dataset-JSON.", why, "export it again"
                )
        elif name == "name" and isinstance(value, str):
            self.title = value
        elif name == "records" and isinstance(value, str) and value.isdecimal():
            self.stated = int(value)

    def _row(self, piece: Piece) -> Record:
        value = piece.value
        if piece.reason or not isinstance(value, list):
            return Record("", piece.row, {}, piece.raw, piece.reason or "broken_json")
        if len(value) != len(self.columns):
            return Record("", piece.row, {}, piece.raw, "field_count")
        return _storable(Record("", piece.row, dict(zip(self.columns, value, strict=True)), piece.raw))


def _is_by_line(head: bytes, name: str) -> bool:
    """Tell NDJSON: an object in the first line with more behind it; the name tells for a single or a broken one."""
    first, _, rest = head.removeprefix(BOM).lstrip().partition(b"\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return name.lower().endswith(LINE_NAMES)
    is_named = name.lower().endswith((*LINE_NAMES, ".dsjc")) and ROWS_OF not in value
    return isinstance(value, dict) and (bool(rest.strip()) or is_named)


def _record(title: str, piece: Piece) -> Record:
    value = piece.value
    if piece.reason or not isinstance(value, dict) or isinstance(value, Repeated):
        return Record(title, piece.row, {}, piece.raw, piece.reason or "broken_json")
    return _storable(Record(title, piece.row, value, piece.raw))


def _storable(record: Record) -> Record:
    """Hold a record with half a character pair or a NUL: no database stores the one, no export means the other."""
    if b"\0" in record.raw or (b"\\u0000" in record.raw and "\0" in _texts(record)):
        return Record(record.title, record.row, {}, record.raw, "control_bytes")
    if b"\\u" not in record.raw:
        return record
    try:
        _texts(record).encode()
    except UnicodeEncodeError:
        return Record(record.title, record.row, {}, record.raw, "broken_json")
    return record


def _texts(record: Record) -> str:
    return "".join(value for value in record.cells.values() if isinstance(value, str))
