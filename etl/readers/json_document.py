"""Walking through one JSON document piece by piece: its members, the elements of its lists."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from functools import cache, partial
from typing import cast

from etl.readers.json_stream import DECODER, Block, Bytes, Json, is_odd
from etl.readers.records import LONGEST_RECORD
from schemas.errors import SourceUnreadable

SPACE = re.compile(r"[ \t\r\n]*")
COMMA = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")
CLOSED_BY = {"{": "}", "[": "]"}


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
        self._is_fresh = False  # whether the elements of the text in hand may be read at once

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

    def elements(self) -> Iterator[Block]:
        """Yield the elements of the list that comes next."""
        self.need("[")
        row = 1
        if self.take("]"):
            return
        while True:
            values, text = self._elements()
            rows = range(row, row + len(values))
            raw = text.encode("utf-8", "surrogatepass")
            yield Block(rows, values, is_odd(raw), cache(partial(_cut, text)))
            row = rows.stop
            if self.take("]"):
                return
            self.need(",")

    def _elements(self) -> tuple[list[Json], str]:
        """Return the next elements and their text: all that are whole in the text in hand, else one.

        What stands up to the last bracket, with a bracket to close the list, is JSON only if no element is cut there.
        """
        closing = CLOSED_BY.get(self.peek())
        start, end = self._at, self._text.rfind(closing) + 1 if closing else 0
        if self._is_fresh and end > start:
            self._is_fresh = False
            try:
                values, end = DECODER.raw_decode(f"[{self._text[start:end]}]")
            except (ValueError, RecursionError):
                pass  # one by one, which tells where it breaks
            else:
                self._at = start + end - 2  # at the list's own end, if that came first
                return values, self._text[start : self._at]
        value, text = self.value()
        return [value], text

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
        self._text, self._at, self._is_fresh = self._text[self._at :] + text, 0, True
        return True


def _cut(text: str) -> list[bytes]:
    """Return the text of each element of a part of a list that was read before."""
    at, found = 0, []
    while at < len(text):
        _, end = DECODER.raw_decode(text, at)
        found.append(text[at:end].encode("utf-8", "surrogatepass"))
        at = cast("re.Match[str]", COMMA.match(text, end)).end()
    return found
