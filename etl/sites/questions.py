"""What a file's dictionary tells: measures by the labels of questions and by their forms, histories by boxes, dates of forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from etl.readers.base import Question
from etl.sites.model import Box
from etl.sites.recognisers import HeaderItem, HeaderMeasure, Recognisers
from etl.sites.resolution import Measure
from schemas.concepts import checkbox_words

_WORD = re.compile(r"[^\W\d_]+")
# What a form's own date may be called beside the words of the form itself.
_OF_A_DATE = frozenset({
    "a", "administered", "administration", "answered", "assessed", "assessment", "collected", "collection", "completed",
    "completion", "date", "dated", "day", "datetime", "done", "draw", "drawn", "dt", "filled", "form", "in", "of", "on",
    "out", "questionnaire", "rated", "rating", "s", "sample", "scale", "specimen", "survey", "taken", "test", "tested",
    "the", "this", "time", "today", "todays", "visit", "was", "when",
})  # fmt: skip


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


def measures_of_boxes(questions: Mapping[str, Question], declared: Mapping[str, Box]) -> tuple[Measure, ...]:
    """Return the boxes that state a diagnosis or a drug: by what the mapping says of their field, else by its words."""
    boxes = {column: each for column, each in questions.items() if each.option}
    stated = {column: declared.get(each.name, _stated(each)) for column, each in boxes.items()}
    return tuple(
        Measure(column, kind, option=boxes[column].option, field=boxes[column].name)
        for column, kind in stated.items()
        if kind is not None and kind != "ignore"
    )


def _stated(question: Question) -> Box | None:
    """Return what ticking a box of a question states; None if its words do not tell, or speak of someone else."""
    asked, option = (
        _meanings(f"{question.label} {question.name.replace('_', ' ')}"),
        _meanings(question.option),
    )
    told: list[Box] = [each for each in ("condition", "medication") if each in asked]
    return told[0] if len(told) == 1 and "other" not in asked | option else None


def _meanings(text: str) -> set[str]:
    lower = text.casefold()
    return {
        means
        for word, means in checkbox_words().items()
        if (re.search(rf"\b{re.escape(word)}\b", lower) if word.isascii() else word in lower)
    }


def dated_by_form(
    measures: tuple[Measure, ...], questions: Mapping[str, Question], columns: tuple[str, ...]
) -> tuple[Measure, ...]:
    """Let the date of its own form stand for each measure, where the form has one."""
    if not questions:
        return measures
    forms = {column: question.form for column, question in questions.items() if question.form}
    dates = {form: _date_of(form, questions, columns) for form in {*forms.values()}}
    return tuple(replace(each, dated=dates.get(forms.get(each.column, ""))) for each in measures)


def _date_of(form: str, questions: Mapping[str, Question], columns: tuple[str, ...]) -> str | None:
    """Return the one date of a form that is called by nothing else, else the moment when a survey was completed."""
    own = [
        column
        for column, each in questions.items()
        if each.is_date and each.form == form and _is_form_s(each)
    ]
    stamp = f"{form}_timestamp"
    return own[0] if len(own) == 1 else stamp if not own and stamp in columns else None


def _is_form_s(question: Question) -> bool:
    """Tell whether a date is called by its form and by words for dates alone: `date_visit_4`, never `date_of_surgery`."""
    form = {*_words_of(question.form)}
    named, labelled = _words_of(question.name), _words_of(question.label)
    return any(
        words and "date" in " ".join(words) and {*words} <= _OF_A_DATE | form for words in (labelled, named)
    )


def _words_of(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text.replace("_", " "))]
