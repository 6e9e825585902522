"""What an OMOP vocabulary brings to a plan: the concepts of the ids that a table holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

import polars as pl

from etl.harmonize.concepts import Concept, concept_ids
from etl.readers.base import Decision, Source
from etl.readers.vocabulary import read_vocabulary, vocabulary_beside
from etl.sites.resolution import Resolution

# Roles that hold ids of concepts; the sex may be one of them, too.
ROLES = (
    "analyte_concept", "unit_concept", "value_concept", "condition_concept", "condition_source_concept",
    "medication_concept", "medication_source_concept", "sex_concept",
)  # fmt: skip


@dataclass
class Coded:
    """The vocabulary beside a table, and the ids that were seen in the table's columns."""

    vocabulary: Source | None = None
    columns: tuple[str, ...] = ()
    ids: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, source: Source, columns: Iterable[str]) -> Coded:
        """Look for the vocabulary of a table."""
        return cls(vocabulary_beside(source, list(columns)))

    @property
    def is_known(self) -> bool:
        """Tell whether there is a vocabulary."""
        return self.vocabulary is not None

    def chosen(self, resolution: Resolution) -> tuple[str, ...]:
        """Return the columns that hold ids of concepts."""
        if not self.is_known:
            return ()
        found = [resolution.roles[role] for role in ROLES if role in resolution.roles]
        sex = resolution.attributes.get("sex", "")
        return (*found, sex) if sex.casefold().endswith("_concept_id") else tuple(found)

    def see(self, frame: pl.DataFrame) -> None:
        """Take in the ids of some records."""
        for column in self.columns:
            self.ids.update(frame.select(concept_ids(pl.col(column)).unique()).to_series().drop_nulls())

    def read(self) -> dict[str, Concept]:
        """Return the concepts of the ids that were seen."""
        if self.vocabulary is None:
            return {}
        rows = read_vocabulary(self.vocabulary, self.ids)
        return {key: Concept(*row) for key, row in sorted(rows.items())}

    def decisions(self, concepts: Mapping[str, Concept]) -> tuple[Decision, ...]:
        """Return which concepts were used: another vocabulary reads the table anew if it says other things of them."""
        if not self.ids:
            return ()
        text = json.dumps({key: asdict(concept) for key, concept in concepts.items()}, ensure_ascii=False)
        evidence: dict[str, int | str] = {"ids": len(self.ids), "ids_known": len(concepts)}
        return (Decision("vocabulary", hashlib.sha256(text.encode()).hexdigest(), "companion", evidence),)
