"""Walking through JSON text piece by piece: a document's members and elements, or the lines of NDJSON.

Numbers stay the text that the sender wrote. Only one record is held at a time, and none may be longer than any
record can be.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from etl.readers.archive import FREE_BYTES, MAX_RATIO
from etl.readers.base import Source
from etl.readers.blocks import LONGEST_LINE
from etl.readers.encodings import BOM, UTF8, declared_encoding, utf16_of
from etl.readers.records import LONGEST_RECORD
from schemas.errors import SourceUnreadable

BLOCK = 1 << 20
SPACE = re.compile(r"[ \t\r\n]*")
ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")

Json = str | bool | None | list["Json"] | dict[str, "Json"]  # as the decoder returns it


class Repeated(dict[str, "Json"]):
    """An object that names a member twice: which value holds is not known."""


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(found)


def _constant(name: str) -> str:
    return name  # NaN and Infinity are no JSON, but packages write them


DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_constant, strict=False
)


@dataclass(frozen=True)
class Piece:
    """A value with the text it came from, or the reason why it could not be read. row: counted from 1."""

    row: int
    value: Json
    raw: bytes
    reason: str = ""


class Bytes:
    """A source's bytes, decompressed if they are zlib's, with their digest once they are read to the end."""

    def __init__(self, source: Source) -> None:
        self.name = source.name
        self.size = 0
        self._digest = hashlib.sha256()
        self._file = source.open()
        self._rest = self._file.read(BLOCK)
        self._inflate = zlib.decompressobj() if self._rest.startswith(ZLIB) else None
        self._stored = len(self._rest)

    @property
    def sha256(self) -> str:
        """The digest of the bytes read so far."""
        return self._digest.hexdigest()

    def read(self) -> bytes:
        """Return the next bytes, none at the end."""
        block = b""
        while not block:
            stored, self._rest = self._rest, b""
            if not stored:
                stored = self._file.read(BLOCK)
                self._stored += len(stored)
            if not stored:
                if self._inflate and not self._inflate.eof:
                    raise self._damaged()
                break
            block = self._inflated(stored)
        self._digest.update(block)
        self.size += len(block)
        return block

    def close(self) -> None:
        """Close the source."""
        self._file.close()

    def _inflated(self, stored: bytes) -> bytes:
        if self._inflate is None:
            return stored
        try:
            block = self._inflate.decompress(stored, BLOCK)
            self._rest = self._inflate.unconsumed_tail
        except zlib.error:
            raise self._damaged() from None
        if self.size > max(FREE_BYTES, self._stored * MAX_RATIO):
            why = f"It unpacks to more than {MAX_RATIO} times its stored size."
            raise SourceUnreadable(f"{self.name} is refused.", why, "unpack it yourself and ingest the file")
        return block

    def _damaged(self) -> SourceUnreadable:
        why = "The compressed data is damaged or ends early."
        return SourceUnreadable(f"{self.name} cannot be decompressed.", why, "transfer it again")


class Document:
    """The text of one JSON document, read from the top to the end. Raises SourceUnreadable where it breaks."""

    def __init__(self, stream: Bytes, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._text = ""
        self._at = 0
        self._done = 0  # characters before the text in hand
        self._is_end = False

    def peek(self) -> str:
        """Return the next character that is no space, empty at the end."""
        while True:
            self._at = cast("re.Match[str]", SPACE.match(self._text, self._at)).end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> bool:
        """Step over a character if it comes next."""
        if self.peek() != expected:
            return False
        self._at += 1
        return True

    def need(self, expected: str) -> None:
        """Step over a character that must come next."""
        if not self.take(expected):
            raise self.broken()

    def value(self) -> tuple[Json, str]:
        """Return the next value and its text."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                is_whole = False
            except RecursionError:
                raise self._nested() from None
            else:
                is_whole = self._is_end or end < len(self._text)  # a number may go on in the next block
            if is_whole:
                raw, self._at = self._text[self._at : end], end
                return value, raw
            if self._is_end:
                raise self.broken()
            if len(self._text) - self._at > LONGEST_RECORD:
                why = f"One of its values is longer than {LONGEST_RECORD >> 20} MiB, or is never closed."
                raise SourceUnreadable(f"{self._stream.name} is refused.", why, "export NDJSON or CSV")
            self._more()

    def elements(self) -> Iterator[Piece]:
        """Yield the elements of the list that comes next."""
        self.need("[")
        row = 0
        if self.take("]"):
            return
        while True:
            value, raw = self.value()
            row += 1
            yield Piece(row, value, raw.encode("utf-8", "surrogatepass"))
            if self.take("]"):
                return
            self.need(",")

    def members(self) -> Iterator[str]:
        """Yield the names of the object that comes next; the caller takes each value before the next name."""
        self.need("{")
        if self.take("}"):
            return
        while True:
            name, _ = self.value()
            if not isinstance(name, str):
                raise self.broken()
            self.need(":")
            yield name
            if self.take("}"):
                return
            self.need(",")

    def finish(self) -> None:
        """Read to the end, where nothing but space may stand."""
        if self.peek():
            raise self.broken()

    def broken(self) -> SourceUnreadable:
        """Return the error for text that is no JSON from here on."""
        why = f"Its JSON breaks off or is damaged at character {self._done + self._at + 1:,}."
        return SourceUnreadable(
            f"{self._stream.name} is not whole.", why, "transfer it again, or export NDJSON or CSV"
        )

    def _nested(self) -> SourceUnreadable:
        why = "It is nested too deeply for a table: lists or objects within each other without end."
        return SourceUnreadable(f"{self._stream.name} is refused.", why, "export NDJSON or CSV")

    def _more(self) -> bool:
        """Read on; tell whether there was anything."""
        if self._is_end:
            return False
        block = self._stream.read()
        self._is_end = not block
        try:
            text = self._decoder.decode(block, final=self._is_end)
        except UnicodeDecodeError as error:
            at = self._stream.size - len(block) + error.start
            why = f"The byte at offset {at:,} breaks it; JSON is UTF-8 unless declared."
            fix = "encoding: gb18030, cp1252 ... in the mapping"
            raise SourceUnreadable(f"{self._stream.name} is not valid {self._encoding}.", why, fix) from None
        if not self._done and not self._text:
            text = text.removeprefix("\ufeff")
        self._done += self._at
        self._text, self._at = self._text[self._at :] + text, 0
        return True


def lines(stream: Bytes, encoding: str) -> Iterator[Piece]:
    """Yield the values of NDJSON by physical line, blank lines left out; a line that breaks is a damaged record."""
    parts: list[bytes] = []  # of a line whose end has not come yet
    row, is_first = 0, True
    while block := stream.read():
        *whole, rest = block.split(b"\n")
        for line in whole:
            row += 1
            yield from _piece_of(row, b"".join([*parts, line]), encoding, is_first=is_first)
            parts, is_first = [], False
        parts.append(rest)
        if sum(map(len, parts)) > LONGEST_LINE:
            why = f"Behind line {row:,} there is no line end in {LONGEST_LINE >> 20} MiB."
            raise SourceUnreadable(
                f"{stream.name} is not JSON by line.", why, "check how the file was exported"
            )
    yield from _piece_of(row + 1, b"".join(parts), encoding, is_first=is_first)


def _piece_of(row: int, line: bytes, encoding: str, *, is_first: bool) -> Iterator[Piece]:
    content = line.removeprefix(BOM) if is_first else line
    if content.strip():
        yield _piece(row, content.rstrip(b"\r\n"), encoding)


def _piece(row: int, line: bytes, encoding: str) -> Piece:
    if len(line) > LONGEST_RECORD:
        return Piece(row, None, line, "line_too_long")
    try:
        return Piece(row, DECODER.decode(line.decode(encoding)), line)
    except UnicodeDecodeError:
        return Piece(row, None, line, "undecodable_line")
    except (ValueError, RecursionError):
        return Piece(row, None, line, "control_bytes" if b"\0" in line else "broken_json")


def encoding_of(head: bytes, name: str, declared: str | None, *, by_line: bool) -> str:
    """Return the encoding: declared, UTF-16 by its bytes, else UTF-8. Raises SourceUnreadable for UTF-16 by line."""
    found = declared_encoding(declared) if declared else utf16_of(head) or UTF8
    if by_line and found.startswith("utf-16"):
        why = f"Its bytes are {found}, and lines are read in encodings that hold ASCII as it is."
        raise SourceUnreadable(f"{name} cannot be read by line.", why, "save it as UTF-8")
    return found


def head_of(source: Source) -> bytes:
    """Return a source's first bytes, decompressed if they are zlib's."""
    stream = Bytes(source)
    try:
        return stream.read()
    finally:
        stream.close()


def inflated(head: bytes) -> bytes:
    """Return first bytes decompressed if they are zlib's, as far as they go."""
    try:
        return zlib.decompressobj().decompress(head, 1 << 16) if head.startswith(ZLIB) else head
    except zlib.error:
        return b""
