"""The bytes of JSON and how its values are decoded: the lines of NDJSON, some at a time.

Numbers stay the text that the sender wrote. Only the values of one block of bytes are held at a time, and none may
be longer than any record can be.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

from etl.readers.archive import FREE_BYTES, MAX_RATIO
from etl.readers.base import Source
from etl.readers.blocks import LONGEST_LINE
from etl.readers.encodings import BOM, UTF8, declared_encoding, utf16_of
from etl.readers.records import LONGEST_RECORD
from schemas.errors import SourceUnreadable

HEAD = 1 << 20  # bytes by which a layout is told
BLOCK = 1 << 16  # whose values fit into a processor's cache: reading larger blocks takes half as long again
# The escape of a NUL, and one that may be half a character pair.
ODD_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
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


class Damage(NamedTuple):
    """Why there is no value: a line that could not be read."""

    reason: str


class Block(NamedTuple):
    """Values that follow each other, each with its row, counted from 1.

    is_odd: whether a value may hold a NUL or half a character pair. raws: the texts of the values, cut when asked for.
    """

    rows: Sequence[int]
    values: Sequence[Json | Damage]
    is_odd: bool
    raws: Callable[[], list[bytes]]

    def behind(self, count: int) -> Block:
        """Return the block without its first values."""
        return Block(self.rows[count:], self.values[count:], self.is_odd, lambda: self.raws()[count:])


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


def is_odd(raw: bytes) -> bool:
    """Tell whether a text may hold a NUL or half a character pair."""
    return b"\0" in raw or ODD_ESCAPE.search(raw) is not None


def lines(stream: Bytes, encoding: str) -> Iterator[Block]:
    """Yield the values of NDJSON by physical line, blank lines left out; a line that breaks is damage."""
    parts: list[bytes] = []  # of a line whose end has not come yet
    row = 1
    while block := stream.read():
        whole, is_end, rest = block.rpartition(b"\n")
        if is_end:
            content = b"".join([*parts, whole]).split(b"\n")
            yield from _block(row, content, encoding)
            row += len(content)
            parts = []
        parts.append(rest)
        if sum(map(len, parts)) > LONGEST_LINE:
            why = f"Behind line {row - 1:,} there is no line end in {LONGEST_LINE >> 20} MiB."
            raise SourceUnreadable(
                f"{stream.name} is not JSON by line.", why, "check how the file was exported"
            )
    yield from _block(row, [b"".join(parts)], encoding)


def _block(row: int, content: list[bytes], encoding: str) -> Iterator[Block]:
    """Yield the values of some lines, unless all are blank. row: the first line's."""
    if row == 1:
        content[0] = content[0].removeprefix(BOM)
    rows = [number for number, line in enumerate(content, row) if line.strip()]
    if rows:
        raws = [content[number - row].rstrip(b"\r\n") for number in rows]
        values = [_value(raw, encoding) for raw in raws]
        yield Block(rows, values, is_odd(b"\n".join(raws)), lambda: raws)


def _value(line: bytes, encoding: str) -> Json | Damage:
    if len(line) > LONGEST_RECORD:
        return Damage("line_too_long")
    try:
        return cast("Json", DECODER.decode(line.decode(encoding)))
    except UnicodeDecodeError:
        return Damage("undecodable_line")
    except (ValueError, RecursionError):
        return Damage("control_bytes" if b"\0" in line else "broken_json")


def encoding_of(head: bytes, name: str, declared: str | None, *, by_line: bool) -> str:
    """Return the encoding: declared, UTF-16 by its bytes, else UTF-8. Raises SourceUnreadable for UTF-16 by line."""
    found = declared_encoding(declared) if declared else utf16_of(head) or UTF8
    if by_line and found.startswith("utf-16"):
        why = f"Its bytes are {found}, and lines are read in encodings that hold ASCII as it is."
        raise SourceUnreadable(f"{name} cannot be read by line.", why, "save it as UTF-8")
    return found


def head_of(source: Source) -> bytes:
    """Return a source's first bytes, decompressed if they are zlib's."""
    stream, head = Bytes(source), b""
    try:
        while len(head) < HEAD and (block := stream.read()):
            head += block
        return head
    finally:
        stream.close()


def inflated(head: bytes) -> bytes:
    """Return first bytes decompressed if they are zlib's, as far as they go."""
    try:
        return zlib.decompressobj().decompress(head, 1 << 16) if head.startswith(ZLIB) else head
    except zlib.error:
        return b""
