"""How a message packs its fields: repetitions, components, subcomponents, escapes, times."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

_EMPTY = ["", '""']  # '""' is HL7's explicit null
# Times as HL7 writes them (YYYYMM[DD[HHMM[SS[.S]]]][+ZZZZ]), in the order of trial, and the same in ISO 8601.
_TIMES = (
    (r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d(?:\.\d+)?)([+-]\d{4})?$", "${1}-${2}-${3} ${4}:${5}:${6}${7}"),
    (r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)([+-]\d{4})?$", "${1}-${2}-${3} ${4}:${5}${6}"),
    (r"^(\d{4})(\d\d)(\d\d)$", "${1}-${2}-${3}"),
    (r"^(\d{4})(\d\d)$", "${1}-${2}"),
)
_LINE_BREAK = re.compile(r"\.(?:br|sp|ce)\d*")
_FORMATTING = re.compile(r"[HN]|\.(?:in|ti|sk|fi|nf)[+-]?\d*")  # highlighting, indents, fill: no text
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")


@dataclass(frozen=True)
class Dialect:
    """The separators of a message, as its header states them. Fields, components and repetitions count from 1."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str

    def parts(self) -> pl.Expr:
        """Split a segment's text into fields; its name has the number 0."""
        return pl.col("text").str.split(self.field).alias("parts")

    def field_of(self, number: int) -> pl.Expr:
        """Return a field, null if it is empty or the segment ends before it."""
        return filled(pl.col("parts").list.get(number, null_on_oob=True))

    def components_of(self, number: int) -> pl.Expr:
        """Return the components of a field's first repetition as a list."""
        first = self.field_of(number).str.split(self.repetition).list.first()
        return first.str.split(self.component)

    def component_of(self, number: int, *places: int) -> pl.Expr:
        """Return the first of these components of a field that says anything."""
        return either(self.components_of(number), *places)

    def time_of(self, number: int) -> pl.Expr:
        """Return a time in ISO 8601 with the precision and offset that it has; what is no HL7 time stays as it is."""
        time = self.component_of(number, 1)
        for pattern, iso in _TIMES:
            time = time.str.replace(pattern, iso)
        return time

    def material_of(self, number: int) -> pl.Expr:
        """Return the text or else the code of a specimen; versions before 2.5 pack both into subcomponents."""
        first = self.component_of(number, 1)
        is_packed = first.str.contains(self.subcomponent, literal=True)
        packed = either(first.str.split(self.subcomponent), 2, 1)
        return pl.when(is_packed).then(packed).otherwise(self.component_of(number, 2, 1, 9))

    def codes_of(self, number: int) -> pl.Expr:
        """Return the first component of every repetition, repetitions still apart."""
        further = f"{re.escape(self.component)}[^{re.escape(self.repetition)}]*"
        return filled(self.field_of(number).str.replace_all(further, ""))

    def unescape(self, texts: pl.Series, decode: Callable[[bytes], str]) -> pl.Series:
        r"""Resolve escapes such as `\T\` or `\X0D\`; what is none, or unknown, stays. decode: bytes of an \X..\."""
        escaped = texts.filter(texts.str.contains(self.escape, literal=True)).unique()
        if escaped.is_empty():
            return texts
        mark = re.escape(self.escape)
        sequence = re.compile(f"{mark}([^{mark}\n]{{1,64}}){mark}")
        resolved = [sequence.sub(lambda found: self._resolve(found, decode), text) for text in escaped]
        return texts.replace(escaped, pl.Series(resolved, dtype=pl.String))

    def _resolve(self, found: re.Match[str], decode: Callable[[bytes], str]) -> str:
        named = {
            "F": self.field, "S": self.component, "T": self.subcomponent, "R": self.repetition, "E": self.escape,
        }  # fmt: skip
        body = found[1]
        if body in named:
            return named[body]
        if _LINE_BREAK.fullmatch(body):
            return "\n"
        if _FORMATTING.fullmatch(body):
            return ""
        code = _HEX.fullmatch(body)
        return decode(bytes.fromhex(code[1])) if code else found[0]


def filled(text: pl.Expr) -> pl.Expr:
    """Return a text, null where it is empty."""
    return pl.when(~text.is_in(_EMPTY)).then(text)


def either(parts: pl.Expr, *places: int) -> pl.Expr:
    """Return the first element, by places from 1, that says anything."""
    return pl.coalesce(*(filled(parts.list.get(place - 1, null_on_oob=True)) for place in places))
