"""A data dictionary: what a file's columns ask, how answers are coded. REDCap's CSV, or an ODM document's own study."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from etl.readers.archive import members
from etl.readers.base import Question, Source
from etl.readers.odm_study import Study, choices
from schemas.errors import SourceUnreadable

LARGEST = 16 << 20  # bytes of a dictionary
ENOUGH = 0.8  # of a file's columns are in its dictionary
# REDCap's headers, on the screen and in its interface for programs.
FIELD, FORM, KIND = "variable_field_name", "form_name", "field_type"
OTHER_NAMES = {"field_name": FIELD, "select_choices_or_calculations": "choices_calculations_or_slider_labels"}
LABEL, CHOICES = "field_label", "choices_calculations_or_slider_labels"
VALIDATION = "text_validation_type_or_show_slider_number"
NAMED_SO = ("dictionary", "metadata")
YES_NO = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
CHOSEN = frozenset({"radio", "dropdown", "select", "yesno", "truefalse"})
CHECKED = re.compile(r"(?P<field>.+?)___(?P<code>.+)|(?P<label>.+) \(choice=(?P<choice>.*)\)", re.DOTALL)
OWN = re.compile(
    r"redcap_\w+|\w+_(?:complete|timestamp)|Complete\?(?:_\d+)?|Event Name|Repeat Instrument|Repeat Instance"
)


@dataclass(frozen=True)
class Dictionary:
    """The questions of a study by the names of their fields; sha256 and name of the file that says so."""

    questions: Mapping[str, Question]
    sha256: str
    name: str
    missing: tuple[str, ...] = ()

    def of(self, columns: Iterable[str]) -> dict[str, Question]:
        """Return the questions of columns, which are called by their fields or by their labels; each box is a column."""
        labels: dict[str, list[Question]] = {}
        for question in self.questions.values():
            labels.setdefault(" ".join(question.label.split()), []).append(question)
        found = {}
        for column in columns:
            alike = [self.questions[column]] if column in self.questions else labels.get(column, [])
            if len(alike) == 1 and (alike[0].kind != "checkbox" or alike[0].option):
                found[column] = alike[0]
            elif box := CHECKED.fullmatch(column):
                name, label = box["field"], " ".join((box["label"] or "").split())
                asked = [self.questions[name]] if name in self.questions else labels.get(label, [])
                boxes = [each for each in asked if each.kind == "checkbox"]
                if len(boxes) == 1 and (option := _option(boxes[0], box)):
                    found[column] = replace(boxes[0], option=option)
        return found

    def covers(self, columns: Sequence[str]) -> float:
        """Return the share of columns that the dictionary, or REDCap itself, knows."""
        labels = {" ".join(each.label.split()) for each in self.questions.values()}
        known = {*self.questions, *labels}
        return sum(self._is_known(column, known) for column in columns) / max(1, len(columns))

    def _is_known(self, column: str, known: set[str]) -> bool:
        if column in known or OWN.fullmatch(column):
            return True
        box = CHECKED.fullmatch(column)
        return box is not None and (box["field"] in known or box["label"] in known)


def is_dictionary(columns: Iterable[str]) -> bool:
    """Tell a data dictionary of REDCap by its headers."""
    return {FIELD, FORM, KIND, LABEL} <= {_key(column) for column in columns}


def is_redcap(columns: Sequence[str]) -> bool:
    """Tell whether a file may be REDCap's: it has a column that only REDCap adds, or checkboxes."""
    return any(OWN.fullmatch(column) or CHECKED.fullmatch(column) for column in columns)


def dictionary_beside(source: Source, columns: Sequence[str]) -> Dictionary | None:
    """Return the dictionary in a source's folder or archive that knows nearly all of its columns, if there is one."""
    if not is_redcap(columns):
        return None
    found = [each for each in map(read_dictionary, _beside(source)) if each is not None]
    best = max(found, key=lambda each: each.covers(columns), default=None)
    return best if best is not None and best.covers(columns) >= ENOUGH else None


def read_dictionary(source: Source) -> Dictionary | None:
    """Return what a file says as a dictionary; None if it is none."""
    with source.open() as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next(lines, [])
        if not is_dictionary(header):
            return None
        keys = [_key(each) for each in header]
        rows = [dict(zip(keys, line, strict=False)) for line in lines]
    except csv.Error:
        return None
    questions = {row[FIELD]: _question(row) for row in rows if row.get(FIELD)}
    return Dictionary(questions, hashlib.sha256(data).hexdigest(), source.name)


def dictionary_of(study: Study, source: Source) -> Dictionary:
    """Return what an ODM document says of its own items, by the names of their columns."""
    forms = {item: form for form, items in study.items_by_form().items() for item in items}
    questions = {}
    for oid, item in study.items.items():
        codes, form = study.choices_of(item), forms.get(oid, "")
        question = Question(item.name, form, item.question, item.kind, codes, is_date=item.is_date)
        box = CHECKED.fullmatch(item.name) if item.kind == "checkbox" else None
        if box is not None and box["field"]:
            asked = replace(question, name=box["field"], choices=study.boxes.get(item.code_list, {}))
            question = replace(asked, option=_option(asked, box))
        questions[item.name] = question
    return Dictionary(questions, "", source.name, study.missing)


def _question(row: Mapping[str, str]) -> Question:
    kind = row.get(KIND, "").strip().lower()
    coded = YES_NO.get(kind) or (choices(row.get(CHOICES, "")) if kind in {*CHOSEN, "checkbox"} else {})
    is_date = row.get(VALIDATION, "").strip().lower().startswith("date")
    return Question(row[FIELD], row.get(FORM, ""), _plain(row.get(LABEL, "")), kind, coded, is_date=is_date)


def _option(question: Question, box: re.Match[str]) -> str:
    """Return the choice that a box stands for, by its code as REDCap writes it in names (-1 is _1), or its label."""
    for code, label in question.choices.items():
        named = re.sub(r"[^a-z0-9]", "_", code.lower())
        if label and (label == (box["choice"] or "").strip() or named == (box["code"] or "").lower()):
            return label
    return ""


def _plain(label: str) -> str:
    """Return a label without the markup that REDCap allows in it."""
    return " ".join(re.sub(r"<[^<>]{1,200}>", " ", label).split())


def _beside(source: Source) -> list[Source]:
    if source.member is None:
        paths = sorted(each for each in source.path.parent.glob("*.csv") if _is_named_so(each.name))
        return [Source(each) for each in paths if each.is_file() and each != source.path]
    folder = PurePath(source.member).parent
    try:
        inside = members(source.path)
    except SourceUnreadable:
        return []
    return [each for each in inside if PurePath(each.name).parent == folder and _is_named_so(each.name)]


def _is_named_so(name: str) -> bool:
    lower = PurePath(name).name.lower()
    return lower.endswith(".csv") and any(word in lower for word in NAMED_SO)


def _key(header: str) -> str:
    key = re.sub(r"\W+", "_", header.strip().casefold()).strip("_")
    return OTHER_NAMES.get(key, key)
