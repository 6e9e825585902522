"""Which columns of a wide file hold results or answers: by their header, their label, or what is left of a header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from etl.harmonize.headers import match_headers
from etl.harmonize.names import read_name
from etl.sites.resolution import Measure
from etl.suggest.claims import View
from etl.suggest.content import Content
from etl.suggest.headers import words_of
from etl.suggest.model import Level, MeasureChoice, Open
from schemas.analytes import Analyte, registry
from schemas.instruments import INSTRUMENTS
from schemas.instruments.matching import match_items
from schemas.wording import wording

# What may stand beside an analyte's name without changing what is measured.
_BESIDE = frozenset({"test", "value", "of", "recode", "specimen", "item"})
_MOST = 0.9

Found = tuple[Measure, Level, str]


def measures_of(view: View, free: Sequence[str]) -> tuple[list[MeasureChoice], list[Open]]:
    """Return the measures among the free columns, and those that the cells do not bear out."""
    chosen, left = [], []
    named = {**_items(view, free), **dict(_labs(view, free))}
    for column in free:
        if column not in named:
            continue
        measure, level, why = named[column]
        problem = _problem(measure, view.contents[column])
        if problem:
            about = measure.analyte or f"{measure.instrument} item {measure.item}"
            left.append(Open(about, (column,), f"{why}, but {problem}", _line(measure)))
        else:
            chosen.append(MeasureChoice(measure, level, why))
    return chosen, left


def without_repeats(
    chosen: Sequence[MeasureChoice], frame: pl.DataFrame
) -> tuple[list[MeasureChoice], list[Open]]:
    """Leave open the columns of one analyte and unit that are filled side by side: several times, or one twice."""
    groups: dict[tuple[str | None, ...], list[MeasureChoice]] = {}
    for each in chosen:
        found = each.measure
        key = (found.analyte, found.unit, found.specimen, found.instrument, found.item)
        groups.setdefault(key, []).append(each)
    kept, left = [], []
    for group in groups.values():
        columns = [each.measure.column for each in group]
        if len(group) > 1 and _side_by_side(frame, columns):
            why = "several columns of one measure are filled in the same record: one result at several times, or one of them is another"
            left.append(
                Open(
                    group[0].measure.analyte or str(group[0].measure.item),
                    tuple(columns),
                    why,
                    _line(group[0].measure),
                )
            )
        else:
            kept += group
    return sorted(kept, key=lambda each: frame.columns.index(each.measure.column)), left


def _side_by_side(frame: pl.DataFrame, columns: list[str]) -> bool:
    filled = pl.sum_horizontal(
        (pl.col(name).str.strip_chars().fill_null("") != "").cast(pl.Int32) for name in columns
    )
    return bool(frame.select((filled > 1).any()).item()) if frame.height else True


def _line(measure: Measure) -> str:
    known = {
        "analyte": measure.analyte,
        "unit": measure.unit,
        "instrument": measure.instrument,
        "item": measure.item,
    }
    inside = ", ".join(f"{key}: {value}" for key, value in known.items() if value)
    return f'"{measure.column}": {{{inside}}}'


def _items(view: View, free: Sequence[str]) -> dict[str, Found]:
    labels = {view.labels[column]: column for column in free if column in view.labels}
    by_label = {labels[label]: ref for label, ref in match_items(list(labels)).items()}
    found: dict[str, Found] = {}
    for column, ref in {**by_label, **match_items(list(free))}.items():
        why = "a known name of the item" if column not in by_label else "its label names the item"
        found[column] = (Measure(column, "item", instrument=ref.instrument, item=ref.item), "high", why)
    return found


def _labs(view: View, free: Sequence[str]) -> Iterator[tuple[str, Found]]:
    for column in free:
        found = _by_name(column) or _by_label(view, column) or _by_scheme(view, column) or _by_rest(column)
        if found:
            yield column, found


def _by_name(column: str) -> Found | None:
    return _matched(column, column, "high", "a known name of the analyte")


def _by_label(view: View, column: str) -> Found | None:
    label = view.labels.get(column, "")
    return _matched(label, column, "high", "its label names the analyte") if label else None


def _matched(text: str, column: str, level: Level, why: str) -> Found | None:
    measure = match_headers([text]).get(text)
    if measure is None:
        return None
    unit = f", and the unit {measure.unit}" if measure.unit else ""
    return Measure(column, "lab", measure.analyte, measure.unit, measure.specimen), level, why + unit


def _by_scheme(view: View, column: str) -> Found | None:
    for form in wording().forms:
        match = form.pattern.fullmatch(column) if form.field == "measure" else None
        if match and view.bears_out(form, column):
            hit = read_name(match["name"]).hit
            if hit and hit.analyte:
                return Measure(column, "lab", hit.analyte), "medium", form.standard.sentence
    return None


def _by_rest(column: str) -> Found | None:
    """Read a header whose other words say nothing of what is measured: `lab_b12_value`."""
    words = words_of(column)
    rest = [word.text for word in words if not word.ideas & _BESIDE]
    if not rest or len(rest) == len(words):
        return None
    found = _matched(
        " ".join(rest),
        column,
        "medium",
        f"'{' '.join(rest)}' is a known name, the other words say nothing else",
    )
    is_of_a_sample = any("specimen" in word.ideas for word in words)
    if found and is_of_a_sample and not registry()[found[0].analyte or ""].specimens:
        return None  # the weight of a sample is nobody's
    return found


def _problem(measure: Measure, content: Content) -> str | None:
    """Say what speaks against a measure, or nothing."""
    if content.is_empty:
        return None
    if measure.kind == "item":
        return _problem_of_item(measure, content)
    if content.share("result") < _MOST:
        return "most cells are no results"
    analyte = registry()[measure.analyte or ""]
    units = [measure.unit] if measure.unit else list(analyte.units)
    return None if any(_is_plausible(analyte, unit, content) for unit in units) else _out_of(measure)


def _out_of(measure: Measure) -> str:
    return f"its values cannot be results {'in ' + measure.unit if measure.unit else 'in any known unit'}"


def _problem_of_item(measure: Measure, content: Content) -> str | None:
    instrument = INSTRUMENTS.get(measure.instrument or "")
    is_known = instrument is not None and any(
        measure.item in version.items or measure.item in version.scales
        for version in instrument.versions.values()
    )
    return None if is_known and content.share("date") < 1 - _MOST else "the cells are no answers"


def _is_plausible(analyte: Analyte, unit: str, content: Content) -> bool:
    """Tell whether the middle of the values is usual in this unit, and nearly none impossible."""
    conversion = analyte.conversion(unit)
    numbers = content.numbers
    if conversion is None or numbers.is_empty():
        return False
    values = numbers * conversion.factor + conversion.offset
    middle = values.quantile(0.5)
    is_usual = middle is not None and analyte.soft[0] <= middle <= analyte.soft[1]
    return is_usual and values.is_between(*analyte.hard).sum() >= _MOST * len(values)


def plausible_units(measure: Measure, content: Content) -> list[str]:
    """Return the units in which the values of a measure without one would be usual."""
    analyte = registry()[measure.analyte or ""]
    return [unit for unit in analyte.units if _is_plausible(analyte, unit, content)]


def names_by_analyte(names: Mapping[str, int]) -> dict[str, str]:
    """Return the study analyte of each name that is known."""
    hits = {name: read_name(name).hit for name in names}
    return {name: hit.analyte for name, hit in hits.items() if hit and hit.analyte}
