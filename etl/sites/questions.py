"""Which measures a file's dictionary tells: by the labels of its questions, and by the forms in which they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from etl.readers.base import Question
from etl.sites.recognisers import HeaderItem, HeaderMeasure, Recognisers


def labs_by_question(
    named: Mapping[str, HeaderMeasure], questions: Mapping[str, Question], known: Recognisers
) -> dict[str, HeaderMeasure]:
    """Return the columns that hold results: by name, with the unit of the label if the name is silent, or by label.

    A name whose label is known as another analyte's is nobody's; so is one whose answer is chosen from a list.
    """
    labels = {column: each.label for column, each in questions.items() if each.is_written and each.label}
    told = known.match_headers(list(labels.values()))
    found = {column: each for column, each in named.items() if column not in questions or column in labels}
    for column, label in labels.items():
        measure, by_name = told.get(label), found.get(column)
        if measure is None:
            continue
        if by_name is None or by_name.analyte == measure.analyte:
            found[column] = measure if by_name is None or by_name.unit is None else by_name
        else:
            del found[column]
    return found


def items_by_question(
    named: Mapping[str, HeaderItem], questions: Mapping[str, Question], known: Recognisers
) -> dict[str, HeaderItem]:
    """Return the columns that hold answers of scales: by name, else by form and name, form and label, or label."""
    found = dict(named)
    open_ones = {column: each for column, each in questions.items() if column not in found}
    for names in zip(*map(_names, open_ones.values()), strict=True):
        told = known.match_items(list(names))
        for column, name in zip(open_ones, names, strict=True):
            if column not in found and name in told:
                found[column] = told[name]
    return found


def _names(question: Question) -> Iterator[str]:
    """Yield the names under which a question may be an item's, the surest first."""
    is_answered = question.is_written or question.is_chosen
    for name in (
        question.name,
        f"{question.form} {question.name}",
        f"{question.form} {question.label}",
        question.label,
    ):
        yield name if is_answered else ""
