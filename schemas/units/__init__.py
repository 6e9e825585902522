"""Units of measure: the part of UCUM the study needs, and how laboratories spell it.

A unit's size is an exact fraction of base units, so a factor is derived and never typed in.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

Kind = tuple[tuple[str, int], ...]

_TOKEN = re.compile(r"(\{[^{}\s]+\})|([./()])|((?:\[[^\[\]\s]+\]|[A-Za-z%*])+)|([+-]?\d+)")
_POWER = re.compile(r"10\*([+-]?\d+)")


@dataclass(frozen=True)
class Measure:
    """The size of a unit in base units, and what kind of quantity it measures."""

    factor: Fraction
    kind: Kind

    def times(self, other: Measure, power: int = 1) -> Measure:
        """Multiply by another measure raised to a power."""
        kind = dict(self.kind)
        for base, exponent in other.kind:
            kind[base] = kind.get(base, 0) + exponent * power
        return Measure(self.factor * other.factor**power, tuple(sorted((b, e) for b, e in kind.items() if e)))


ONE = Measure(Fraction(1), ())


def measure(unit: str, same: Mapping[str, str] | None = None) -> Measure | None:
    """Read a case-sensitive UCUM code, or return None if it is none that we claim.

    same: atoms to read as another one, where an analyte's laboratories write one for the other ("U" for "[IU]").
    """
    return _measured(unit, tuple((same or {}).items()))


@lru_cache(maxsize=4096)
def _measured(unit: str, same: tuple[tuple[str, str], ...]) -> Measure | None:
    tokens = _tokens(unit)
    if not tokens:
        return None
    reader = _Term(tokens, dict(same))
    found = reader.term()
    return found if found is not None and reader.at_end() else None


def _tokens(unit: str) -> list[str]:
    # The powers of ten are one token: in UCUM the star belongs to the number.
    tokens: list[str] = []
    position = 0
    while position < len(unit):
        match = _POWER.match(unit, position) or _TOKEN.match(unit, position)
        if match is None:
            return []
        tokens.append(match.group(0))
        position = match.end()
    return tokens


class _Term:
    """A recursive-descent reader of a UCUM term."""

    def __init__(self, tokens: list[str], same: Mapping[str, str]) -> None:
        self.tokens = tokens
        self.same = same
        self.position = 0

    def at_end(self) -> bool:
        return self.position == len(self.tokens)

    def peek(self) -> str:
        return "" if self.at_end() else self.tokens[self.position]

    def take(self) -> str:
        self.position += 1
        return self.tokens[self.position - 1]

    def term(self) -> Measure | None:
        total = ONE
        power = 1
        if self.peek() == "/":
            self.take()
            power = -1
        while True:
            part = self.component()
            if part is None:
                return None
            total = total.times(part, power)
            if self.peek() not in {".", "/"}:
                return total
            power = -1 if self.take() == "/" else 1

    def component(self) -> Measure | None:
        piece = self.take() if not self.at_end() else ""
        if piece == "(":
            inner = self.term()
            return inner if inner is not None and not self.at_end() and self.take() == ")" else None
        if piece.startswith("{"):
            return _annotation(piece)
        if piece[:1].isdigit():
            return self._annotated(_number(piece))
        atom = _atom(piece, self.same)
        if atom is not None and re.fullmatch(r"[+-]?\d+", self.peek()):
            atom = ONE.times(atom, int(self.take()))
        return self._annotated(atom)

    def _annotated(self, part: Measure | None) -> Measure | None:
        if part is not None and self.peek().startswith("{"):
            return part.times(_annotation(self.take()))
        return part


def _annotation(token: str) -> Measure:
    return Measure(Fraction(1), ((token, 1),))


def _number(token: str) -> Measure:
    power = _POWER.fullmatch(token)
    return Measure(Fraction(10) ** int(power.group(1)) if power else Fraction(int(token)), ())


def _atom(token: str, same: Mapping[str, str]) -> Measure | None:
    data = ucum()
    atoms, prefixes = data["atoms"], data["prefixes"]
    for prefix in ("", token[:1]):
        symbol = token[len(prefix) :]
        atom = atoms.get(same.get(symbol, symbol))
        if atom is None or (prefix and (prefix not in prefixes or not atom.get("metric", True))):
            continue
        factor = Fraction(atom["factor"]) * (Fraction(prefixes[prefix]) if prefix else 1)
        return Measure(factor, tuple(sorted(atom["kind"].items())))
    return None


@cache
def ucum() -> dict[str, Any]:
    """Return the atoms and prefixes of ucum.toml."""
    return tomllib.loads((files(__package__) / "ucum.toml").read_text("utf-8"))


@cache
def spellings() -> dict[str, Any]:
    """Return the laboratory spellings of spellings.toml."""
    return tomllib.loads((files(__package__) / "spellings.toml").read_text("utf-8"))
