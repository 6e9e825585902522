"""What a data dictionary brings to a plan: its questions beside the columns, and its codes in our words.

Answers of scales become their codes, attributes their labels, so that an export of labels and one of codes say the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from etl.readers.base import Decision, Question, Reader, Source
from etl.readers.dictionary import Dictionary, dictionary_beside, dictionary_of
from etl.readers.odm import OdmReader
from etl.readers.odm_walk import OdmWalk
from etl.sites.resolution import Finding, Measure, Resolution, Shape
from schemas.instruments import INSTRUMENTS

NUMBERED = re.compile(r"\s*\(?(\d{1,3})\b")
NOT_COMPLETED = {"[not completed]": ""}  # REDCap's word for the moment of a survey that was not sent


@dataclass(frozen=True)
class Asked:
    """What is known of a table's columns. words: by column, what a cell says and what it means."""

    dictionary: Dictionary | None = None
    questions: Mapping[str, Question] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source, reader: Reader, columns: Sequence[str], declared: str | None) -> Asked:
        """Look for a table's dictionary: in the document itself, else beside the file."""
        if isinstance(reader, OdmReader):
            study = OdmWalk(source, declared).definitions()
            dictionary: Dictionary | None = dictionary_of(study, source)
        else:
            dictionary = dictionary_beside(source, columns) if reader.name == "delimited" else None
        return cls(dictionary, dictionary.of(columns)) if dictionary else cls()

    @property
    def missing(self) -> tuple[str, ...]:
        """The codes that the whole study uses for what is missing."""
        return self.dictionary.missing if self.dictionary else ()

    def words(self, resolution: Resolution) -> dict[str, dict[str, str]]:
        """Return, by column, the cells that have another text here: labels of attributes, codes of answers."""
        found = {
            column: dict(self.questions[column].choices)
            for column in resolution.attributes.values()
            if column in self.questions and self.questions[column].is_chosen
        }
        for measure in resolution.measures:
            if self._is_coded(measure):
                found[measure.column] = _answers(measure, self.questions[measure.column]) or {}
        stamps = {each.dated for each in resolution.measures if (each.dated or "").endswith("_timestamp")}
        found |= {column: NOT_COMPLETED for column in stamps if column}
        return {column: words for column, words in found.items() if words}

    def clear(self, resolution: Resolution) -> Resolution:
        """Leave out items whose codes are neither scores nor tell them, with a finding each; a mapping knows better."""
        unclear = {
            measure.column: _unclear(measure, self.questions[measure.column])
            for measure in resolution.measures
            if self._is_coded(measure)
            and resolution.basis.get(measure.column) != "mapping"
            and _answers(measure, self.questions[measure.column]) is None
        }
        if not unclear:
            return resolution
        kept = tuple(each for each in resolution.measures if each.column not in unclear)
        shape: Shape = "wide" if kept else "subjects" if resolution.attributes else "unmapped"
        first = next(iter(unclear.values()))
        return replace(
            resolution,
            shape=shape,
            measures=kept,
            unmapped=(*resolution.unmapped, *unclear),
            findings=(*resolution.findings, *unclear.values()),
            explanation=f"{first.what} {first.why}" if shape == "unmapped" else "",
        )

    def _is_coded(self, measure: Measure) -> bool:
        question = self.questions.get(measure.column)
        return measure.kind == "item" and question is not None and question.is_chosen

    def decisions(self, words: Mapping[str, Mapping[str, str]]) -> tuple[Decision, ...]:
        """Return which dictionary was used, with what it says of how many columns."""
        if self.dictionary is None:
            return ()
        evidence: dict[str, int | str] = {
            "fields": len(self.dictionary.questions),
            "columns_explained": len(self.questions),
            "columns_in_other_words": len(words),
        }
        return (Decision("dictionary", self.dictionary.sha256 or "within", "companion", evidence),)


def _answers(measure: Measure, question: Question) -> dict[str, str] | None:
    """Return what each code and label of an item scores; None if the codes are none and the labels do not tell."""
    low, high = _range(measure)
    codes = {code: _whole(code) for code in question.choices}
    if all(number is not None and low <= number <= high for number in codes.values()):
        numbered = [_number(label) for label in question.choices.values()]
        is_other = None not in numbered and numbered != list(codes.values())
        return None if is_other and any(low <= (n or 0) <= high for n in numbered) else _by_label(question)
    told = {code: _number(label) for code, label in question.choices.items()}
    distinct = {number for number in told.values() if number is not None and low <= number <= high}
    is_ambiguous = any(label in question.choices for label in question.choices.values())
    if len(distinct) < len(told) or is_ambiguous:
        return None
    by_code = {code: f"{number}" for code, number in told.items()}
    return by_code | {label: by_code[code] for code, label in question.choices.items()}


def _by_label(question: Question) -> dict[str, str]:
    """Return the code of each label that only one code has, and that is no code itself."""
    labels = list(question.choices.values())
    return {
        label: code
        for code, label in question.choices.items()
        if labels.count(label) == 1 and label not in question.choices
    }


def _range(measure: Measure) -> tuple[float, float]:
    """Return the lowest and the highest answer of an item in any version."""
    versions = INSTRUMENTS[measure.instrument or ""].versions.values()
    items = [version.items[measure.item] for version in versions if measure.item in version.items]
    lows = [item.low for item in items if item.low is not None]
    highs = [item.high for item in items if item.high is not None]
    return min(lows, default=float("-inf")), max(highs, default=float("inf"))


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,6}", text) else None


def _number(label: str) -> int | None:
    """Return the number that a label begins with: `0 - Not at all`."""
    found = NUMBERED.match(label)
    return int(found[1]) if found else None


def _unclear(measure: Measure, question: Question) -> Finding:
    return Finding(
        f"the codes of '{measure.column}' may not be its scores.",
        f"The dictionary of '{question.name}' has codes {_some(question.choices)}, labelled otherwise.",
        f"measures: {{{measure.column}: {{instrument: {measure.instrument}, item: {measure.item}}}}} in the mapping if they are",
    )


def _some(choices: Mapping[str, str]) -> str:
    return ", ".join(list(choices)[:6])
