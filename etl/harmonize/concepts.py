"""Concepts of the OMOP vocabulary: what an id in a row stands for, and what it says of an analyte."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from etl.harmonize.codes_of_analytes import CodeReading, read_code
from etl.harmonize.names import read_name, resembles

LOINC, UCUM = "LOINC", "UCUM"
_FRACTION = r"\.0+$"  # what becomes of a whole number in a column that also has empty cells


@dataclass(frozen=True)
class Concept:
    """One row of CONCEPT: its code in a vocabulary, its name there, and its domain, empty where nobody tells."""

    code: str
    vocabulary: str
    name: str
    domain: str = ""

    @property
    def is_loinc(self) -> bool:
        """Tell whether the code is a LOINC."""
        return self.vocabulary.upper() == LOINC

    @property
    def unit(self) -> str | None:
        """The unit that the concept stands for; None if it is none."""
        return self.code if self.vocabulary.upper() == UCUM else None

    @property
    def system(self) -> str:
        """The system of the code, as the codes of analytes are read by it."""
        return "loinc" if self.is_loinc else self.vocabulary


def concept_ids(texts: pl.Expr) -> pl.Expr:
    """Return the ids in a column of them; 0 means that there is no concept, and is null like an empty cell."""
    plain = texts.str.strip_chars().str.replace(_FRACTION, "")
    return pl.when(plain.str.contains(r"^[1-9]\d{0,17}$")).then(plain)


def concept_id(text: str | None) -> str | None:
    """Return the id in one cell, as concept_ids() does."""
    plain = re.sub(_FRACTION, "", (text or "").strip())
    return plain if re.fullmatch(r"[1-9]\d{0,17}", plain) else None


def read_concept(concept: Concept) -> CodeReading:
    """Return what a concept says of an analyte.

    A LOINC is known by its code alone: its long name says `in Blood` where serum is meant, and the names of panels and
    of methods resemble those of analytes. Every other concept is known by its name.
    """
    if concept.is_loinc:
        return read_code(concept.code, concept.system)
    name = read_name(concept.name)
    return CodeReading(name.hit, name.specimen)


def likeness(concept: Concept) -> str | None:
    """Return the study analyte that the name of a concept resembles, where it is known by its name.

    What is no measurement resembles none: `Body mass index 30+ - obesity` is a finding.
    """
    is_measured = concept.domain.casefold() in {"", "measurement"}
    return resembles(concept.name) if is_measured and not concept.is_loinc else None
