"""The lines of a draft beside the columns: order of dates, decimal mark, codes, names of analytes, missing codes, versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from etl.answers import Answers
from etl.harmonize.dates import date_evidence, decide_dates
from etl.harmonize.names import read_name, resembles
from etl.harmonize.numbers import decide_decimal, decimal_evidence
from etl.process.roles import NUMBER_ATTRIBUTES
from etl.sites.resolution import Resolution
from etl.suggest.content import FEW
from etl.suggest.draft import recognised
from etl.suggest.measures import plausible_units
from etl.suggest.model import Choice, MeasureChoice, Open
from etl.suggest.shared import sentinels, shared
from etl.suggest.tables import Looked
from schemas.codes import VALUES
from schemas.columns import COLUMNS

DATED = ("collected_at", "collected_date", "resulted_at", "administered_at", "started_at", "ended_at", "recorded_at", "birth_date")  # fmt: skip
NUMBERED = ("value", "ref_low", "ref_high")


def details(looked: Looked, choices: Sequence[Choice], measures: Sequence[MeasureChoice]) -> list[Open]:
    """Return what is still open once the columns are chosen."""
    fields = {choice.field: choice.column for choice in choices}
    subjects = [fields["subject"]] if "subject" in fields else []
    found = [*_dates(looked, fields), *_decimal(looked, fields, measures), *_codes(looked, fields, subjects)]
    if "analyte" in fields and "value" in fields:
        found += _analytes(looked, fields["analyte"], subjects)
    found += _missing(looked, fields, measures, subjects)
    return [*found, *_units(looked, measures)]


def _dates(looked: Looked, fields: dict[str, str]) -> Iterator[Open]:
    for name in DATED:
        column = fields.get(name)
        if column is None or looked.contents[column].is_empty:
            continue
        decision = decide_dates(f"dates:{name}", date_evidence(looked.contents[column].values), None)
        if decision.value is None:
            why = "no date shows whether the day or the month comes first, or they contradict each other"
            yield Open("dates", (column,), why, f"dates: {{{name}: ORDER}}   # dmy or mdy")


def _decimal(looked: Looked, fields: dict[str, str], measures: Sequence[MeasureChoice]) -> Iterator[Open]:
    columns = [fields[name] for name in (*NUMBERED, *NUMBER_ATTRIBUTES) if name in fields]
    columns += [each.measure.column for each in measures if each.measure.kind == "lab"]
    counts: dict[str, int] = {}
    for column in columns:
        for name, number in decimal_evidence(looked.contents[column].distinct).items():
            counts[name] = counts.get(name, 0) + number
    if columns and decide_decimal(counts, None).value is None:
        why = "no number shows whether '.' or ',' is the decimal mark, or they contradict each other"
        yield Open("decimal", tuple(columns), why, 'decimal: MARK   # "," or "."')


def _codes(looked: Looked, fields: dict[str, str], subjects: list[str]) -> Iterator[Open]:
    for name, column in fields.items():
        codes = COLUMNS.field(name).codes
        content = looked.contents[column]
        if codes is None or content.is_empty or len(content.distinct) > FEW:
            continue
        known, _ = content.coded(codes, column)
        is_explained = set(content.distinct) <= looked.plan.words.get(column, {}).keys()
        if known == 1 or is_explained:
            continue
        shown = [text for text, *_ in shared(looked.frame, column, subjects).texts]
        listed = ", ".join(f'"{text}": VALUE' for text in shown or ["CODE"])
        why = f"some of its codes are not known; say what each means ({' or '.join(VALUES[codes])})"
        yield Open(f"values of {name}", (column,), why, f"values: {{{name}: {{{listed}}}}}")


def _analytes(looked: Looked, column: str, subjects: list[str]) -> Iterator[Open]:
    names = shared(looked.frame, column, subjects)
    for name, records in names.names().items():
        analyte = resembles(name) if read_name(name).hit is None else None
        if analyte:
            why = f"{records:,} records; the name resembles this analyte's, but is not known as one"
            yield Open("analytes", (column,), why, f'analytes: {{"{name}": {analyte}}}   # or: other')
    near = sum(
        read_name(text).hit is None and resembles(text) is not None
        for text in looked.contents[column].distinct
        if text not in names.names()
    )
    if near:
        yield Open("analytes", (column,), f"{near} more names, each of fewer than five subjects, resemble a study analyte",
                   'analytes: {"NAME": ANALYTE}')  # fmt: skip


def _missing(
    looked: Looked, fields: dict[str, str], measures: Sequence[MeasureChoice], subjects: list[str]
) -> Iterator[Open]:
    columns = [fields[name] for name in ("value",) if name in fields] + [
        each.measure.column for each in measures
    ]
    for column in columns:
        found = sentinels(looked.contents[column], shared(looked.frame, column, subjects))
        if found:
            listed = ", ".join(f'"{text}"' for text in found)
            yield Open(
                "missing", (column,), "these numbers stand apart from all others", f"missing: [{listed}]"
            )


def _units(looked: Looked, measures: Sequence[MeasureChoice]) -> Iterator[Open]:
    # A dictionary that states the unit is read again with the file, unless a line of the draft stands in its place.
    stated = {each.column for each in looked.plan.resolution.measures if each.unit}
    stated &= {each.column for each in recognised(looked.columns)}
    stated |= {each.column for each in looked.plan.resolution.measures if each.unit_column}
    for each in measures:
        found = each.measure
        if found.kind == "lab" and found.unit is None and found.column not in stated:
            usual = plausible_units(found, looked.contents[found.column])
            why = "neither header nor label states the unit, and values never settle it"
            why += f"; they would be usual in {', '.join(usual)}" if usual else ""
            unit = usual[0] if len(usual) == 1 else "UNIT"
            yield Open(
                f"unit of {found.analyte}",
                (found.column,),
                why,
                f"units: {{{found.analyte}: {unit}}}   # ask the laboratory",
            )


def versions(looked: Looked, resolution: Resolution) -> Iterator[Open]:
    """Yield the scales whose version neither names, items nor answers settle."""
    answers = Answers.of(resolution)
    if answers is None or resolution.shape == "unmapped":
        return
    answers.see(looked.frame)
    for name, choice in answers.versions(None).items():
        if choice.version is None:
            columns = tuple(each.column for each in resolution.measures if each.instrument == name)
            why = (
                choice.problems[0]
                if choice.problems
                else "its items fit more than one version or order of items"
            )
            line = f"instruments: {{{name}: {{version: VERSION}}}}   # see: etl instruments show {name}"
            yield Open(f"version of {name}", columns, why, line)
