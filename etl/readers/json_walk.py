"""From JSON text to the records of its tables, whatever the layout: list, lines, Dataset-JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

from etl.readers.base import Source
from etl.readers.encodings import BOM
from etl.readers.json_document import Document
from etl.readers.json_stream import Block, Bytes, Damage, Json, encoding_of, head_of, lines
from schemas.errors import SourceUnreadable

VERSION, ROWS_OF, COLUMNS_OF = "datasetJSONVersion", "rows", "columns"
LIST, LINES, DATASET, DATASET_LINES = "list", "lines", "dataset", "dataset_lines"
LINE_NAMES = (".ndjson", ".jsonl", ".ldjson")


Cells = dict[str, Json]


@dataclass
class Records:
    """Consecutive records of a table: row and cells by column of the whole ones, the others as DAMAGED_SCHEMA says."""

    title: str
    rows: list[int] = field(default_factory=list)
    cells: list[Cells] = field(default_factory=list)
    damaged: list[tuple[int, str, str, bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, title: str, block: Block, settle: Callable[[Json], Cells | Damage]) -> Records:
        """Settle which values are records."""
        records = cls(title)
        for place, (row, value) in enumerate(zip(block.rows, block.values, strict=True)):
            found = value if isinstance(value, Damage) else settle(value)
            if block.is_odd and not isinstance(found, Damage):
                found = _storable(found, block.raws()[place])
            if isinstance(found, Damage):
                records.damaged.append((row, f"R{row}", found.reason, block.raws()[place]))
            else:
                records.rows.append(row)
                records.cells.append(found)
        return records


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

    def records(self) -> Iterator[Records]:
        """Yield the records of all tables, in their order."""
        with self._stream() as stream:
            if self.kind == LINES:
                yield from (Records.of("", block, _cells) for block in lines(stream, self.encoding))
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

    def _lists(self, document: Document) -> Iterator[Records]:
        """Yield the objects of a list, or of every list of objects that a document's object holds."""
        if document.peek() == "[":
            yield from (Records.of("", block, _cells) for block in document.elements())
            return
        for name in document.members():
            if document.peek() != "[":
                document.value()
                continue
            is_table = False
            for block in document.elements():
                before = 0 if is_table else _before_objects(block.values)
                is_table = before < len(block.values)
                if is_table:
                    yield Records.of(name, block.behind(before), _cells)

    def _dataset(self, document: Document) -> Iterator[Records]:
        """Yield the rows of a dataset; where they come before its columns, these are looked for first."""
        for name in document.members():
            if name != ROWS_OF:
                self._learn(name, document.value()[0])
                continue
            if not self.columns:
                self._look_ahead()
            for block in document.elements():
                yield Records.of("", block, self._row)

    def _look_ahead(self) -> None:
        with self._stream() as stream:
            document = Document(stream, self.encoding)
            for name in document.members():
                if name == ROWS_OF:
                    for _ in document.elements():
                        pass
                else:
                    self._learn(name, document.value()[0])

    def _dataset_lines(self, blocks: Iterator[Block]) -> Iterator[Records]:
        first = next(blocks, None)
        if first is None or not isinstance(first.values[0], dict):
            why = "The first line of Dataset-JSON by line is an object that describes the columns; this one is broken."
            raise SourceUnreadable(f"{self.source.name} holds no table.", why, "transfer it again")
        for name, value in first.values[0].items():
            self._learn(name, value)
        yield from (Records.of("", block, self._row) for block in chain([first.behind(1)], blocks))

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

    def _row(self, value: Json) -> Cells | Damage:
        if not isinstance(value, list):
            return Damage("broken_json")
        if len(value) != len(self.columns):
            return Damage("field_count")
        return dict(zip(self.columns, value, strict=True))


def _is_by_line(head: bytes, name: str) -> bool:
    """Tell NDJSON: an object in the first line with more behind it; the name tells for a single or a broken one."""
    first, _, rest = head.removeprefix(BOM).lstrip().partition(b"\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return name.lower().endswith(LINE_NAMES)
    if not isinstance(value, dict):
        return False
    is_named = name.lower().endswith((*LINE_NAMES, ".dsjc")) and ROWS_OF not in value
    return bool(rest.strip()) or is_named


def _before_objects(values: Sequence[Json | Damage]) -> int:
    """Return how many values come before the first object."""
    return next((at for at, value in enumerate(values) if isinstance(value, dict)), len(values))


def _cells(value: Json) -> Cells | Damage:
    """Return an object that names no member twice."""
    return value if type(value) is dict else Damage("broken_json")


def _storable(cells: Cells, raw: bytes) -> Cells | Damage:
    """Hold a record with half a character pair or a NUL: no database stores the one, no export means the other."""
    texts = "".join(value for value in cells.values() if isinstance(value, str))
    if b"\0" in raw or "\0" in texts:
        return Damage("control_bytes")
    try:
        texts.encode()
    except UnicodeEncodeError:
        return Damage("broken_json")
    return cells
