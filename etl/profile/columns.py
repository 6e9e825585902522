"""The profile of one column: what its cells are, and as much of them as enough subjects share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from etl.disclosure import is_small, suppress
from etl.harmonize.codes_of_analytes import read_code
from etl.harmonize.dates import date_evidence, decide_dates, parse_dates
from etl.harmonize.names import read_name, resembles
from etl.harmonize.numbers import decide_decimal, decimal_evidence, parse_results
from etl.harmonize.spelling import unit_readings
from etl.profile.model import ColumnProfile, Plot, Text
from etl.profile.plots import month_plot, number_plot
from etl.suggest.content import Content, absent_words
from etl.suggest.shared import sentinels, shared
from etl.suggest.tables import Looked

NAMES = 60  # of analytes or units that are listed
_SHOWN = ("number", "integer", "date", "clock", "range", "unit", "analyte", "loinc", "sentence")
_HALF, _TENTH = 0.5, 0.1
_NEARLY_ALL = 0.9
_LONG_NUMBER = 6  # digits of numbers that are nearly all different: an identifier or a telephone number


@dataclass(frozen=True)
class Reading:
    """What a column is taken for, and why; is_private: a name, an address, a number of a person, free text."""

    name: str
    field: str = ""
    why: str = ""
    is_private: bool = False


def column_profile(looked: Looked, column: str, reading: Reading, subjects: Sequence[str]) -> ColumnProfile:
    """Return what may be said of a column."""
    content = looked.contents[column]
    found = ColumnProfile(
        name=reading.name,
        place=looked.columns.index(column) + 1,
        kind=_kind(content, reading),
        filled=content.filled,
        records=looked.frame.height,
        distinct=len(content.distinct),
        read_as=reading.field,
        why=reading.why,
        label="" if (label := looked.labels.get(column, "")).casefold() == column.casefold() else label,
    )
    if content.is_empty:
        return found
    if found.kind == "identifier" or reading.is_private:
        kind = "private" if reading.is_private else found.kind
        return replace(
            found, kind=kind, note="a person's number, name or address, or free text: no value is shown"
        )
    shares = {name: round(100 * share) for name in _SHOWN if (share := content.share(name)) >= _TENTH}
    found = replace(found, shares=shares, missing=_missing(looked, column, subjects))
    if found.kind == "date":
        return _dates(found, looked, column, subjects)
    if found.kind == "number":
        found = _numbers(found, looked, column, subjects)
    return _texts(found, looked, column, subjects)


def _kind(content: Content, reading: Reading) -> str:
    if content.is_empty:
        return "empty"
    is_unique = len(content.distinct) > _NEARLY_ALL * content.filled
    is_long = content.share("integer") > _HALF and any(len(text) >= _LONG_NUMBER for text in content.some)
    if reading.field in {"subject", "source_id", "link_from", "link_to"} or (
        is_unique and is_long and content.share("date") < _HALF
    ):
        return "identifier"
    if content.share("date") > _HALF and content.share("number") < _HALF:
        return "date"
    if content.share("result") > _HALF and content.share("date") < _HALF:
        return "number"
    return "list" if content.is_few else "text"


def _missing(looked: Looked, column: str, subjects: Sequence[str]) -> tuple[Text, ...]:
    """Return known words for no result, which are nobody's, and numbers that stand apart and that subjects share."""
    content, words = looked.contents[column], absent_words()
    counts = content.values.to_frame("text").group_by("text").len("records").sort("records", descending=True)
    found = [
        Text(text, records, None, "a known word for no result")
        for text, records in counts.filter(pl.col("text").str.to_lowercase().is_in(list(words))).iter_rows()
    ]
    if content.share("number") > _HALF:
        shown = shared(looked.frame, column, subjects)
        records = shown.names()
        found += [
            Text(text, records[text], None, "stands apart from the other numbers")
            for text in sentinels(content, shown)
        ]
    return tuple(found)


def _dates(found: ColumnProfile, looked: Looked, column: str, subjects: Sequence[str]) -> ColumnProfile:
    evidence = date_evidence(looked.contents[column].values)
    decision = decide_dates("dates", evidence, None)
    plot = None
    if subjects and decision.value is not None:
        parsed = parse_dates(looked.frame[column], decision.value)
        plot = _by_subject(parsed["at"].cast(pl.Date), looked, subjects, is_dates=True)
    return replace(found, date_order=decision.value or "not settled", evidence=dict(evidence), plot=plot)


def _numbers(found: ColumnProfile, looked: Looked, column: str, subjects: Sequence[str]) -> ColumnProfile:
    content = looked.contents[column]
    evidence = {name: number for name, number in decimal_evidence(content.distinct).items() if number}
    decision = decide_decimal(evidence, None)
    read = parse_results(content.distinct, content.decimal, ()).select("source", "value")
    trimmed = looked.frame[column].str.strip_chars().alias("source").to_frame()
    numbers = trimmed.join(read, on="source", how="left", maintain_order="left")["value"]
    plot = _by_subject(numbers, looked, subjects, is_dates=False) if subjects and not content.is_few else None
    return replace(found, decimal=decision.value or "not settled", evidence=dict(evidence), plot=plot)


def _by_subject(values: pl.Series, looked: Looked, subjects: Sequence[str], *, is_dates: bool) -> Plot | None:
    frame = pl.DataFrame({"value": values, "subject": looked.frame[subjects[0]]}).drop_nulls()
    return (month_plot if is_dates else number_plot)(frame) if frame.height else None


def _texts(found: ColumnProfile, looked: Looked, column: str, subjects: Sequence[str]) -> ColumnProfile:
    """List codes and names; a count of subjects that would give a hidden one away is left out."""
    content = looked.contents[column]
    says = _says(content, found.read_as)
    if not content.is_few and not says and found.kind != "list":
        return replace(found, hidden=len(content.distinct) if found.kind == "text" else 0)
    shown = shared(looked.frame, column, subjects)
    # What is not shown counts as one subject, so that no difference gives it away.
    counts = suppress([*(subjects for *_, subjects in shown.texts), int(shown.hidden > 0)])
    kept = [
        Text(
            text,
            records * looked.step,
            None if count is None or is_small(count) else count,
            says.get(text, ""),
        )
        for (text, records, _), count in zip(shown.texts[:NAMES], counts, strict=False)
    ]
    return replace(found, texts=tuple(kept), hidden=shown.hidden + max(0, len(shown.texts) - NAMES))


def _says(content: Content, read_as: str) -> Mapping[str, str]:
    """Return what the registries say of the names or units of a column; empty if it holds neither."""
    texts = content.distinct.to_list()
    if read_as == "unit" or (content.share("unit") > _NEARLY_ALL and len(content.distinct) > 1):
        return {text: " or ".join(unit_readings(text)) or "no known unit" for text in texts}
    if read_as in {"analyte", "code"} or content.share("analyte") > _HALF:
        return {text: reading_of(text) for text in texts}
    return {}


def reading_of(text: str) -> str:
    """Say what the registry knows a name or code of an analyte as."""
    hit = read_name(text).hit or read_code(text, None).hit
    if hit is None:
        near = resembles(text)
        return f"nearly {near}" if near else "not known"
    return "another analyte" if hit.is_other else hit.analyte or "several analytes"
