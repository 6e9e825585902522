"""Walking through an XML document block by block, without entities, within bounds of memory.

Nothing is kept of the document: elements come as they start and end. A document type, an entity, a value or a depth
beyond any export ends in an error.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import ParseError

from etl.readers.base import Source
from etl.readers.encodings import BOM, UTF8, declared_encoding, utf16_of
from schemas.errors import DefinitionError, SourceUnreadable

BLOCK = 1 << 18
LONGEST_VALUE = 1 << 22  # bytes of an attribute, or of a text that is kept
MOST_NAMES = 10_000
DEEPEST = 100  # elements within each other
STATED = re.compile(rb"""\A<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})["']""")


@dataclass(slots=True)
class Element:
    """An element that starts, with its attributes, or ends, with its text; both without namespaces."""

    name: str
    attributes: dict[str, str]
    is_end: bool = False
    text: str = ""


@dataclass
class _Target:
    """What the parser tells: elements, and the texts of those that are wanted."""

    texts: frozenset[str]
    found: list[Element] = field(default_factory=list)
    depth: int = 0
    deepest: int = 0
    size: int = 0
    calls: int = 0
    _parts: list[str] | None = None
    _locals: dict[str, str] = field(default_factory=dict)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take in the start of an element."""
        self.calls += 1
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        local = self._locals
        name = local.get(tag) or self._local(tag)
        found = {local.get(key) or self._local(key): value for key, value in attributes.items()}
        self.found.append(Element(name, found))
        if name in self.texts:
            self._parts, self.size = [], 0

    def end(self, tag: str) -> None:
        """Take in the end of an element."""
        self.calls += 1
        self.depth -= 1
        name = self._local(tag)
        text = "".join(self._parts or ()) if name in self.texts else ""
        self.found.append(Element(name, {}, is_end=True, text=text))
        if name in self.texts:
            self._parts = None

    def data(self, text: str) -> None:
        """Take in a part of a text; most of it stands in no element that is wanted."""
        self.calls += 1
        if self._parts is not None:
            self._parts.append(text)
            self.size += len(text)

    def close(self) -> None:
        """End."""

    def _local(self, name: str) -> str:
        """Return a name without its namespace; there are few names, and each comes often."""
        known = self._locals.get(name)
        if known is None:
            known = name.rpartition("}")[2]
            if len(self._locals) < MOST_NAMES:
                self._locals[name] = known
        return known


@dataclass
class XmlStream:
    """A source as the elements of a document. texts: the elements whose text is kept."""

    source: Source
    declared: str | None = None
    texts: frozenset[str] = frozenset()
    encoding: str = UTF8
    sha256: str = ""
    size: int = 0
    _silent: int = 0

    def elements(self) -> Iterator[Element]:
        """Yield every start and end. Raises SourceUnreadable for what is no whole, plain document."""
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import XMLParser

        target = _Target(self.texts)
        parser = XMLParser(target=target, forbid_dtd=True)
        try:
            for text in self._texts():
                before = target.calls
                parser.feed(text)
                self._check(target, is_silent=target.calls == before, length=len(text))
                yield from target.found
                target.found.clear()
            parser.close()
        except DefusedXmlException:
            why = "It declares a document type or entities, which can stand for other files or for endless text."
            raise SourceUnreadable(f"{self.source.name} is refused.", why, "export it without them") from None
        except ParseError as error:
            line, column = error.position
            why = f"Its XML breaks off or is damaged at line {line:,}, column {column + 1:,}."
            raise SourceUnreadable(
                f"{self.source.name} is not whole.", why, "transfer it again, or export it again"
            ) from None
        yield from target.found

    def _check(self, target: _Target, *, is_silent: bool, length: int) -> None:
        self._silent = self._silent + length if is_silent else 0
        if self._silent > LONGEST_VALUE or target.size > LONGEST_VALUE:
            why = f"One of its values is longer than {LONGEST_VALUE >> 20} MiB."
            raise SourceUnreadable(f"{self.source.name} is refused.", why, "export it without attached files")
        if target.deepest > DEEPEST:
            why = f"More than {DEEPEST} elements stand within each other."
            raise SourceUnreadable(f"{self.source.name} is refused.", why, "export it again")

    def _texts(self) -> Iterator[str]:
        """Yield the document decoded; what the declaration says of the encoding is settled here."""
        digest = hashlib.sha256()
        with self.source.open() as file:
            block = file.read(BLOCK)
            self.encoding = self._encoding(block)
            decoder = codecs.getincrementaldecoder(self.encoding)()
            self.size = 0
            while block:
                digest.update(block)
                yield self._decoded(decoder, block)
                self.size += len(block)
                block = file.read(BLOCK)
            yield self._decoded(decoder, b"", is_end=True)
        self.sha256 = digest.hexdigest()

    def _decoded(self, decoder: Any, block: bytes, *, is_end: bool = False) -> str:  # noqa: ANN401 - no public type
        try:
            text: str = decoder.decode(block, final=is_end)
        except UnicodeDecodeError as error:
            why = f"The byte at offset {self.size + error.start:,} breaks it."
            fix = "encoding: gb18030, cp1252 ... in the mapping"
            raise SourceUnreadable(f"{self.source.name} is not valid {self.encoding}.", why, fix) from None
        return text if self.size else text.removeprefix("\ufeff").lstrip()

    def _encoding(self, head: bytes) -> str:
        """Return what is declared, told by the bytes, or stated by the document itself; else UTF-8."""
        if self.declared:
            return declared_encoding(self.declared)
        if wide := utf16_of(head):
            return wide
        stated = STATED.match(head.removeprefix(BOM).lstrip())
        name = stated[1].decode("ascii") if stated else UTF8
        try:
            return UTF8 if name.lower().startswith("utf-16") else declared_encoding(name)
        except DefinitionError:
            why = f"It states the encoding {name}, which is not known."
            raise SourceUnreadable(
                f"{self.source.name} cannot be decoded.", why, "encoding: in the mapping"
            ) from None
