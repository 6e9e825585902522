"""Where FHIR resources stand: one a line (bulk NDJSON), or in one document, alone, in a list or in a bundle."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from etl.readers.base import Range, Source
from etl.readers.blocks import LineStream
from etl.readers.encodings import BOM, UTF8
from etl.readers.fhir_values import Json, References, id_of, listed
from schemas.errors import SourceUnreadable

LINES, DOCUMENT = "ndjson", "json"
LARGEST_DOCUMENT = 256 << 20  # a document is read as a whole and takes about ten times its size in memory
LINE_NAMES = (".ndjson", ".jsonl")
ROOT = "resource"  # the locator of a resource that is the whole document
_HEAD = 1 << 20  # bytes by which lines are told from a document
_TRIED = 20  # lines of them
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,60}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LINE = re.compile(r"L\d+")
_NOWHERE = References()


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource, or what should have been one: then resource is None, reason says why, and raw is what was there."""

    row: int
    locator: str
    resource: Json | None
    references: References = _NOWHERE
    reason: str = ""
    raw: bytes = b""

    def place(self, part: str) -> str:
        """Return the locator of a part of the resource, or of all of it."""
        if not part or not self.locator:
            return part or self.locator or ROOT
        return f"{self.locator}{'/' if _LINE.fullmatch(self.locator) else '.'}{part}"

    def damage(self, reason: str = "") -> tuple[int, str, str, bytes]:
        """Return it as a row of DAMAGED_SCHEMA."""
        raw = self.raw or json.dumps(self.resource, ensure_ascii=False).encode()
        return self.row, self.place(""), reason or self.reason, raw


@dataclass
class Scanner:
    """Read a source's resources, some at a time. After the last: sha256, size, and where the parts started."""

    source: Source
    layout: str
    encoding: str | None
    block: int
    sha256: str = ""
    size: int = 0
    starts: list[tuple[int, int]] = field(default_factory=list)  # byte offset, row

    def entries(self, part: Range | None = None) -> Iterator[list[Entry]]:
        """Yield the resources of a range, or of the whole source. Raises SourceUnreadable."""
        return self._of_lines(part) if self.layout == LINES else self._of_document()

    def _of_lines(self, part: Range | None) -> Iterator[list[Entry]]:
        row = part.first_row if part else 1
        with self.source.open() as file:
            if part and part.start:
                file.seek(part.start)
            size = part.end - part.start if part else None
            stream = LineStream(file, self.source.name, self.block, size)
            while raw := stream.block()[0]:
                self.starts.append((stream.position, row))
                lines = raw.splitlines()
                yield [
                    entry for number, line in enumerate(lines, row) for entry in self._of_line(number, line)
                ]
                row += len(lines)
                stream.consume(len(raw))
            self.sha256, self.size = stream.sha256, stream.position

    def _of_line(self, number: int, line: bytes) -> Iterator[Entry]:
        content = line.strip().removeprefix(BOM)
        if not content:
            return
        found, reason = parse(content, self.encoding)
        if reason:
            yield Entry(number, f"L{number}", None, reason=reason, raw=content)
        else:
            yield from _unfolded(found, number, f"L{number}")

    def _of_document(self) -> Iterator[list[Entry]]:
        with self.source.open() as file:
            raw = file.read(LARGEST_DOCUMENT + 1)
        if len(raw) > LARGEST_DOCUMENT:
            why = f"It is one JSON document of more than {LARGEST_DOCUMENT >> 20} MiB, which is read as a whole."
            raise SourceUnreadable(f"{self.source.name} is too large.", why, "export it as NDJSON")
        self.sha256, self.size, self.starts = hashlib.sha256(raw).hexdigest(), len(raw), [(0, 1)]
        if not raw:
            return
        found, reason = parse(raw.removeprefix(BOM), self.encoding)
        if reason:
            _explain(self.source, raw, self.encoding)
        if not isinstance(found, list):
            yield list(_unfolded(found, 1, ""))
        else:
            yield [e for place, each in enumerate(found) for e in _unfolded(each, place + 1, f"[{place}]")]


def layout_of(source: Source, encoding: str | None) -> str:
    """Tell whether a source has a resource on each line, or is one document."""
    with source.open() as file:
        head = file.read(_HEAD).removeprefix(BOM)
    lines = [line for line in head.splitlines() if line.strip()]
    if source.name.lower().removesuffix(".gz").endswith(LINE_NAMES):
        return LINES
    if len(lines) < 2 or not lines[0].lstrip().startswith(b"{"):
        return DOCUMENT
    return LINES if any(_is_resource(line, encoding) for line in lines[:_TRIED]) else DOCUMENT


def parse(raw: bytes, encoding: str | None) -> tuple[Any, str]:
    """Return what a JSON text says, or None and the reason why it cannot be read."""
    try:
        text = raw.decode(encoding or UTF8)
    except UnicodeDecodeError:
        return None, "undecodable_line"
    try:
        found = _DECODER.decode(text)
        if _SURROGATE.search(text):
            json.dumps(found, ensure_ascii=False).encode()  # half a character pair cannot be stored
    except (ValueError, RecursionError):
        return None, "control_bytes" if b"\0" in raw else "broken_json"
    return found, ""


def _refuse(_: str) -> NoReturn:
    message = "NaN and Infinity are no JSON"
    raise ValueError(message)


# Numbers stay the texts that they are: 1.00 is not 1.0, and no digit is lost.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse)


def _is_resource(line: bytes, encoding: str | None) -> bool:
    found = parse(line.strip(), encoding)[0] if line.lstrip().startswith(b"{") else None
    return isinstance(found, dict) and "resourceType" in found


def _unfolded(found: Any, row: int, locator: str, references: References = _NOWHERE) -> Iterator[Entry]:  # noqa: ANN401
    """Yield a resource, or the resources of a bundle and of the bundles in it; what is no resource as damage."""
    kind = found.get("resourceType") if isinstance(found, dict) else None
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raw = json.dumps(found, ensure_ascii=False).encode()
        yield Entry(row, locator, None, references, "broken_json", raw)
    elif kind != "Bundle":
        yield Entry(row, locator, found, references)
    else:
        entries = listed(found.get("entry"))
        inside = References.of(entries)
        for place, each in enumerate(entries):
            where = Entry(row, locator, None).place(f"entry[{place}]")
            # An entry without a resource asks a server to delete one: held, for it names no result.
            resource = each["resource"] if isinstance(each, dict) and "resource" in each else each
            if isinstance(resource, dict) and "id" not in resource and resource is not each:
                resource = resource | {"id": id_of(str(each.get("fullUrl", "")), None)}
            yield from _unfolded(resource, row if _LINE.match(locator) else place + 1, where, inside)


def _explain(source: Source, raw: bytes, encoding: str | None) -> NoReturn:
    """Say where a document breaks, never what stands there. Raises SourceUnreadable."""
    fix = "ask the site to export it again, best as NDJSON, where a broken line costs one record"
    why = "It is nested too deeply, or holds NaN, Infinity or half a character pair."
    try:
        json.loads(raw.removeprefix(BOM).decode(encoding or UTF8))
    except UnicodeDecodeError as error:
        why = f"It is not valid {encoding or UTF8} at byte {error.start}."
    except json.JSONDecodeError as error:
        why = f"It breaks in line {error.lineno}, column {error.colno}."
    except RecursionError:
        pass
    raise SourceUnreadable(f"{source.name} is not valid JSON.", why, fix)
