"""Decoding lines to UTF-8: one declared or found encoding, or the two that a file mixes line by line."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np

from etl.readers.base import Decision
from etl.readers.blocks import line_starts
from etl.readers.evidence import best_encoding, decoded, plausibility
from schemas.errors import DefinitionError

UTF8 = "utf-8"
BOM = b"\xef\xbb\xbf"
UNITS = {"utf-16-le": "<u2", "utf-16-be": ">u2"}
EVIDENCE_LINES = 5_000
CHANCE_LINES = 20  # fewer lines of two-byte sequences are UTF-8, whatever they look like
# Stateful or not ASCII below 0x80: their lines cannot be told apart as bytes.
UNFIT = re.compile(r"(?i)utf[-_]?(7|32)|iso2022|hz|.*_codec|.*escape|punycode|idna|mbcs|undefined")
BOM_AT_START = re.compile(rb"(\A|[\r\n])(?:\xef\xbb\xbf)+")
BOM_ALONE = re.compile(BOM_AT_START.pattern + rb"(?=[\r\n]|\Z)")
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# From the letter before the first such byte to the byte behind the last; what separates here is never the second
# byte of a character.
BEYOND_ASCII_WORD = re.compile(rb'[A-Za-z]?[\x80-\xff](?:[^\x00-\x20",;]*[\x80-\xff])?[^\x00-\x20",;]?')
# Weights that sum to 0 in every valid UTF-8 line: lead bytes announce as many continuation bytes as follow.
WEIGHTS = np.array(
    [0] * 128 + [1] * 64 + [90] * 2 + [-1] * 30 + [-2] * 16 + [-3] * 5 + [90] * 11, dtype=np.int8
)


@dataclass(frozen=True)
class Text:
    """A decoded block: UTF-8 with the same lines, those that no encoding explains, those of the second encoding."""

    utf8: bytes
    undecodable: frozenset[int] = frozenset()
    switched: frozenset[int] = frozenset()


@dataclass
class Decoder:
    """Decode blocks of lines; main is None until a byte beyond ASCII asks for a decision.

    other is the second encoding of a mixed file; `is_settled` says that none will be looked for any more.
    """

    main: str | None = None
    other: str | None = None
    is_settled: bool = False
    decisions: list[Decision] = field(default_factory=list)

    @property
    def unit(self) -> str:
        """The numpy name of a code unit."""
        return UNITS.get(self.main or UTF8, "u1")

    def question(self, raw: bytes) -> int | None:
        """Return the offset of the first line that asks for a decision, None if there is none."""
        if self.is_settled or raw.isascii():
            return None
        if self.main is None:
            first = BEYOND_ASCII.search(raw)
            at = first.start() if first else 0
        else:
            try:
                raw.decode(UTF8)
            except UnicodeDecodeError as error:
                at = error.start
            else:
                return None
        return max(raw.rfind(b"\n", 0, at), raw.rfind(b"\r", 0, at)) + 1

    def decide(self, window: bytes) -> None:
        """Choose by the lines of a window that starts with the line in question."""
        lines = [line for line in window.splitlines() if not line.isascii()][:EVIDENCE_LINES]
        foreign = [line for line in lines if decoded(line, UTF8) is None]
        if self.main is None and not foreign:
            self._decide_between(lines)
        else:
            self._decide_foreign(lines, foreign)

    def decode(self, raw: bytes) -> Text:
        """Decode a block of whole lines, each by itself where one encoding does not explain all."""
        main = self.main or UTF8
        if self.unit == "u1" and raw.isascii():
            return Text(raw)
        text = decoded(raw, main)
        if text is None or self._has_utf8_lines(raw):
            return self._by_line(raw)
        return Text(_without_bom(raw if main == UTF8 else text.encode()))

    def _decide_between(self, lines: list[bytes]) -> None:
        """Take UTF-8, unless all is two-byte sequences that make sense in another encoding only (GBK for 'female')."""
        text = b"\n".join(lines).decode(UTF8)
        is_odd = len(lines) >= CHANCE_LINES and max(text) < "\u0800" and plausibility(text) < 0.5
        best, evidence = best_encoding(lines, enough=0.9) if is_odd else (None, {})
        self.main = best or UTF8
        self.is_settled = best is not None
        self.other = UTF8 if best else None
        self._record(self.main, {"lines_seen": len(lines), **evidence})

    def _decide_foreign(self, lines: list[bytes], foreign: list[bytes]) -> None:
        best, evidence = best_encoding(foreign)
        own = len(lines) - len(foreign)
        self.is_settled = True
        if self.main is None and best and len(foreign) >= sum(_prefers_utf8(line, best) for line in lines):
            self.main, self.other = best, UTF8
        else:
            self.main, self.other = UTF8, best
        self._record(self.main, {"lines_utf-8": own, "lines_not_utf-8": len(foreign), **evidence})

    def _record(self, value: str, evidence: dict[str, int | str]) -> None:
        self.decisions.append(Decision("encoding", value, "content", evidence))

    def _has_utf8_lines(self, raw: bytes) -> bool:
        """Tell whether a block that the main encoding explains has lines that UTF-8 explains better."""
        if self.other != UTF8:
            return False
        values = np.frombuffer(raw, np.uint8)
        starts = line_starts(raw)
        sums = np.add.reduceat(WEIGHTS[values], starts[:-1], dtype=np.int64)
        beyond = np.add.reduceat(values > 127, starts[:-1], dtype=np.int64)
        chosen = np.flatnonzero((sums == 0) & (beyond > 0))
        bounds = zip(starts[chosen].tolist(), starts[chosen + 1].tolist(), strict=True)
        main = self.main or UTF8
        return any(_prefers_utf8(raw[start:end], main) for start, end in bounds)

    def _by_line(self, raw: bytes) -> Text:
        starts = line_starts(raw, self.unit)
        lines = [raw[start:end] for start, end in pairwise(starts.tolist())]
        choices = [self._choose(line) for line in lines]
        parts = [
            _replaced(line, name or self.main or UTF8) for line, name in zip(lines, choices, strict=True)
        ]
        undecodable = frozenset(i for i, name in enumerate(choices) if name is None)
        switched = frozenset(i for i, name in enumerate(choices) if name is not None and name == self.other)
        return Text(_without_bom(b"".join(parts)), undecodable, switched)

    def _choose(self, line: bytes) -> str | None:
        """Return the encoding of a line; the second one only where it makes sense, not just where it decodes."""
        main = self.main or UTF8
        if self.unit == "u1" and line.isascii():
            return main
        if self.other == UTF8 and _prefers_utf8(line, main):
            return UTF8
        if decoded(line, main) is not None:
            return main
        text = decoded(line, self.other) if self.other else None
        return self.other if text is not None and plausibility(text) >= 0.5 else None


def declared_encoding(name: str) -> str:
    """Return Python's name of a declared encoding. Raises DefinitionError."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    fits = found in {"utf-16", *UNITS} or (found and not UNFIT.match(found) and _holds_ascii(found))
    if not fits:
        why = "Encodings whose bytes below 0x80 are ASCII, and UTF-16, can be read."
        raise DefinitionError(
            f"The encoding '{name}' is not known.", why, "encoding: utf-8, gb18030, cp1252, cp932 ..."
        )
    return UTF8 if found == "utf-8-sig" else found


def utf16_of(head: bytes) -> str | None:
    """Tell UTF-16 by its byte order mark, or by zero bytes in every second place; None if it is not."""
    if head.startswith(b"\xff\xfe"):
        return "utf-16-le"
    if head.startswith(b"\xfe\xff"):
        return "utf-16-be"
    even, odd = head[::2].count(0), head[1::2].count(0)
    name = "utf-16-le" if odd > even else "utf-16-be"
    many, few = max(odd, even), min(odd, even)
    if many * 20 <= len(head) or few * 20 >= many:
        return None
    try:
        text = codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return None
    feeds = head.count(b"\n")
    return name if 2 * text.count("\n") > feeds or not feeds else None


def _holds_ascii(name: str) -> bool:
    try:
        return bytes(range(128)).decode(name) == "".join(map(chr, range(128)))
    except (UnicodeDecodeError, LookupError):
        return False


def _prefers_utf8(line: bytes, other: str) -> bool:
    """Tell whether UTF-8 explains a line, and better than the other encoding does."""
    return not line.isascii() and _is_better(b" ".join(BEYOND_ASCII_WORD.findall(line)), other)


@lru_cache(maxsize=1 << 16)  # such words repeat: a sex, a unit, a ward
def _is_better(words: bytes, other: str) -> bool:
    text, rival = decoded(words, UTF8), decoded(words, other)
    return text is not None and (rival is None or plausibility(text) > plausibility(rival))


def _replaced(line: bytes, encoding: str) -> bytes:
    """Return the line in UTF-8, its end kept as it is whatever the bytes before it are."""
    if encoding in UNITS:  # an invalid unit never swallows the next one
        return line.decode(encoding, "replace").encode()
    content = line.rstrip(b"\r\n")
    return content.decode(encoding, "replace").encode() + line[len(content) :]


def _without_bom(utf8: bytes) -> bytes:
    """Drop byte order marks at the start of lines: joined files have one inside. A line of nothing else stays one."""
    if BOM not in utf8:
        return utf8
    return BOM_AT_START.sub(rb"\1", BOM_ALONE.sub(rb"\1 ", utf8))
