"""Concept sets: the diagnoses, drugs and habits that the study asks about, with their codes and names.

Five CSV files: `concepts` (names), `concept_codes` (one row a code; a blank code is a search without a match),
`concept_sets` (which concepts a rule of the study covers), `code_systems` (how senders spell a code system) and
`checkbox_words` (which words of a question tell that ticking a box states a diagnosis or a drug, and which forbid it).
ICD-10 and ATC codes stand for every longer code that begins with them; SNOMED and RxNorm codes for themselves.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

# In these systems a longer code is a narrower term.
HIERARCHIC = frozenset({"ICD-10", "ATC"})


@dataclass(frozen=True)
class Concept:
    """One diagnosis, drug or habit."""

    concept: str
    domain: str  # condition, medication
    name_en: str
    name_zh: str
    name_de: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names by which a text cell may call it."""
        return (self.name_en, self.name_zh, self.name_de)


@dataclass(frozen=True)
class ConceptCode:
    """One code of a concept; `code` is blank when a search found none."""

    concept: str
    code_system: str
    code: str
    verified: str  # yes: read in the source; no: from memory
    source: str
    reviewer: str  # open: no clinician has signed it yet
    note: str


@dataclass(frozen=True)
class ConceptSetMember:
    """One concept of a set."""

    concept_set: str
    concept: str
    source: str
    reviewer: str
    note: str


@dataclass(frozen=True)
class CodeSystemSpelling:
    """One way in which senders write a code system."""

    code_system: str
    spelling: str


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__name__).joinpath(f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def concepts() -> Mapping[str, Concept]:
    """Return every concept by its id."""
    return MappingProxyType({row["concept"]: Concept(**row) for row in _rows("concepts")})


@cache
def concept_codes() -> tuple[ConceptCode, ...]:
    """Return every code, searches without a match included."""
    return tuple(ConceptCode(**row) for row in _rows("concept_codes"))


@cache
def concept_set_members() -> tuple[ConceptSetMember, ...]:
    """Return the concepts of every set."""
    return tuple(ConceptSetMember(**row) for row in _rows("concept_sets"))


@cache
def code_system_spellings() -> tuple[CodeSystemSpelling, ...]:
    """Return the known spellings of code systems."""
    return tuple(CodeSystemSpelling(**row) for row in _rows("code_systems"))


@cache
def concept_sets() -> frozenset[str]:
    """Return the names of the concept sets."""
    return frozenset(member.concept_set for member in concept_set_members())


@cache
def checkbox_words() -> Mapping[str, str]:
    """Return what each word of a question with boxes means: condition, medication, or other, which forbids both."""
    return MappingProxyType({row["word"]: row["means"] for row in _rows("checkbox_words")})
