"""What a column can be, and by which headers hospitals call it: the typed form of roles.toml."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

# Lists of a standard rank before those of a language, in the order in which a field has them.
STANDARDS: Final = ("sdtm", "loinc", "jlac10", "ldt", "nhanes", "redcap", "odm", "omop")

_SEPARATORS = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"[\[(【「](?P<inside>[^\])】」]*)[\])】」]\s*$")


def header_key(header: str) -> str:
    """Return what is compared of a header: no width, case, spaces or punctuation."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", header).casefold())


@dataclass(frozen=True, slots=True)
class Field:
    """A role of each row, or an attribute of the subject."""

    id: str
    sentence: str
    group: tuple[str, ...] = ("any",)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    within: tuple[str, ...] = ()
    codes: str | None = None  # the code set of its values
    implies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # role: {list of names: value}
    words: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict
    )  # list of names: {cell: what it means}
    unique_across_sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field that a header may stand for; of several columns for one field the lowest (tier, position) wins."""

    field: str
    names: str  # the list in which the header stands
    tier: int  # of the list: a standard, then the languages (all alike), weak names, the id
    position: int


LANGUAGE_TIER: Final = len(STANDARDS)
WEAK_TIER: Final = LANGUAGE_TIER + 1
ID_TIER: Final = WEAK_TIER + 1


@dataclass(frozen=True)
class Columns:
    """Every role and attribute with its headers."""

    roles: Mapping[str, Field]
    attributes: Mapping[str, Field]
    known_unread: frozenset[str]
    by_key: Mapping[str, tuple[Candidate, ...]]
    no_headers: frozenset[str] = frozenset()  # ids by which no column is recognised

    def field(self, name: str) -> Field:
        """Return a role or an attribute by its id."""
        return self.roles.get(name) or self.attributes[name]

    def find(self, header: str) -> tuple[Candidate, ...]:
        """Return the fields for which a header may stand, none if it is unknown."""
        exact = (*self.by_key.get(header_key(header), ()), *self._by_id(header))
        if exact:
            return exact
        text = unicodedata.normalize("NFKC", header)
        brackets = _BRACKETS.search(text)
        if not brackets:
            return ()
        inside = header_key(brackets["inside"])
        bare = self.by_key.get(header_key(text[: brackets.start()]), ())
        return tuple(c for c in bare if inside in {header_key(w) for w in self.field(c.field).within})

    def _by_id(self, header: str) -> tuple[Candidate, ...]:
        """Return the field whose id the header is, unless it is one of the field's names as well."""
        known = {candidate.field for candidate in self.by_key.get(header_key(header), ())}
        is_id = header in self.roles or header in self.attributes
        is_header = is_id and header not in known | self.no_headers
        return (Candidate(header, "id", ID_TIER, 0),) if is_header else ()


def _tier(names: str, known: Field) -> int:
    if names == "weak":
        return WEAK_TIER
    standards = [each for each in known.names if each in STANDARDS]
    return standards.index(names) if names in standards else LANGUAGE_TIER


def _field(name: str, table: dict[str, Any]) -> Field:
    return Field(
        id=name,
        sentence=table["sentence"],
        group=tuple(table.get("group", ("any",))),
        names={names: tuple(listed) for names, listed in table["names"].items()},
        within=tuple(table.get("within", ())),
        codes=table.get("codes"),
        implies=table.get("implies", {}),
        words=table.get("words", {}),
        unique_across_sites=tuple(table.get("unique_across_sites", ())),
    )


def _index(fields: Mapping[str, Field]) -> dict[str, tuple[Candidate, ...]]:
    """Map each header key to its fields; where a list names a field twice the better place counts."""
    best: dict[tuple[str, str], Candidate] = {}
    for known in fields.values():
        for names, listed in known.names.items():
            for position, header in enumerate(listed):
                new = Candidate(known.id, names, _tier(names, known), position)
                old = best.get((header_key(header), known.id))
                if old is None or (new.tier, new.position) < (old.tier, old.position):
                    best[header_key(header), known.id] = new
    index: dict[str, tuple[Candidate, ...]] = {}
    for (key, _), candidate in best.items():
        index[key] = (*index.get(key, ()), candidate)
    return index


def load_columns(path: Path) -> Columns:
    """Read roles.toml."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    roles = {name: _field(name, table) for name, table in tables["role"].items()}
    attributes = {name: _field(name, table) for name, table in tables["attribute"].items()}
    return Columns(
        roles=MappingProxyType(roles),
        attributes=MappingProxyType(attributes),
        known_unread=frozenset(header_key(header) for header in tables["known_unread"]),
        by_key=MappingProxyType(_index(roles | attributes)),
        no_headers=frozenset(tables["ids_that_are_no_headers"]),
    )


COLUMNS: Final = load_columns(Path(__file__).with_name("roles.toml"))
