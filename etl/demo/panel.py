"""What the hospitals' laboratories measure and how each prints it; the numbers are in panel.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from etl.demo.sampling import Floats, stratified_normal

if TYPE_CHECKING:
    from etl.demo.cohort import Subject

_FOLLOW_UP_AFTER = timedelta(days=120)  # outside every window in which an index draw is looked for
MOST_FOLLOW_UPS = 365 * 24 * 60  # one a minute for a year
_FOLLOW_UP_NUMBERS = 10_001  # follow-up draws are numbered from here, index draws from 1


@dataclass(frozen=True)
class Printed:
    """One analyte on one hospital's report; canonical = number x factor + offset."""

    name: str
    unit: str
    decimals: int
    low: str
    high: str
    specimen: str = ""
    factor: float = 1.0
    offset: float = 0.0
    loinc: str = ""
    lower_limit: float = 0.0  # measuring range, in the printed unit
    upper_limit: float = float("inf")

    def text(self, value: float) -> str:
        """Return the number as printed, with a decimal dot."""
        return f"{(value - self.offset) / self.factor:.{self.decimals}f}"


@dataclass(frozen=True)
class Result:
    """One printed result: text with comparator, and the flag L, H or none."""

    printed: Printed
    text: str
    flag: str


@dataclass(frozen=True)
class Analyte:
    """How a healthy adult's values scatter, in the canonical unit, and what each hospital calls them."""

    id: str
    mean: float
    sd: float
    low: float
    high: float
    male: float
    case: float
    study: bool  # whether the study measures it
    printed: Mapping[str, Printed]


@dataclass(frozen=True)
class Panel:
    """All analytes in the order in which they are reported."""

    analytes: Mapping[str, Analyte] = field(default_factory=dict)


@dataclass(frozen=True)
class Draw:
    """One blood draw: canonical values in the panel's order, and a number that no other draw of the hospital has."""

    subject: Subject
    at: datetime
    number: int
    values: tuple[float, ...]

    def results(self, panel: Panel) -> Iterator[Result]:
        """Return the draw's results as the subject's hospital prints them."""
        for analyte, value in zip(panel.analytes.values(), self.values, strict=True):
            yield print_result(analyte.printed[self.subject.site], value)


def load_panel() -> Panel:
    """Read the panel that ships with the package."""
    tables = tomllib.loads((files("etl.demo") / "panel.toml").read_text(encoding="utf-8"))
    return Panel({name: _analyte(name, table) for name, table in tables.items()})


def _analyte(name: str, table: dict[str, Any]) -> Analyte:
    printed = {site: Printed(**report) for site, report in table.items() if isinstance(report, dict)}
    values = {key: float(table.get(key, 0)) for key in ("mean", "sd", "low", "high", "male", "case")}
    return Analyte(id=name, study=table.get("study", True), printed=printed, **values)


def print_result(printed: Printed, value: float) -> Result:
    """Print one value: censored outside the measuring range, flagged outside the reference range."""
    text = printed.text(value)
    number = float(text)
    flag = "L" if number < float(printed.low) else "H" if number > float(printed.high) else ""
    if number < printed.lower_limit:
        return Result(printed, f"<{printed.lower_limit:g}", flag)
    if number > printed.upper_limit:
        return Result(printed, f">{printed.upper_limit:g}", flag)
    return Result(printed, text, flag)


def index_draws(rng: np.random.Generator, panel: Panel, cohort: list[Subject]) -> list[Draw]:
    """Return the draw of each subject's index visit, with the cohort's B12."""
    columns = [
        np.array([subject.b12 for subject in cohort])
        if name == "vitamin_b12"
        else _values(rng, analyte, cohort)
        for name, analyte in panel.analytes.items()
    ]
    rows = np.column_stack(columns).tolist()
    return [
        Draw(subject, subject.collected_at, number, tuple(row))
        for number, (subject, row) in enumerate(zip(cohort, rows, strict=True), start=1)
    ]


def _values(rng: np.random.Generator, analyte: Analyte, cohort: list[Subject]) -> Floats:
    """Return one value a subject; cases and controls are drawn by strata, so that their difference is steady."""
    is_case = np.array([subject.group == "case" for subject in cohort])
    is_male = np.array([subject.sex == "male" for subject in cohort])
    scores = np.empty(len(cohort))
    for group in (is_case, ~is_case):
        scores[group] = stratified_normal(rng, int(group.sum()))
    values = analyte.mean + analyte.case * is_case + analyte.sd * scores
    clipped: Floats = np.clip(values, analyte.low, analyte.high) + analyte.male * is_male
    return clipped


def follow_up_draws(rng: np.random.Generator, panel: Panel, index: list[Draw], scale: int) -> Iterator[Draw]:
    """Return `scale` later draws a subject, evenly over a year; a few have B12 beyond the measuring range."""
    step = timedelta(minutes=MOST_FOLLOW_UPS // scale)
    b12 = list(panel.analytes).index("vitamin_b12")
    for number, draw in enumerate(draw for draw in index for _ in range(scale)):
        repeat = number % scale
        values = np.array(draw.values) * np.exp(rng.normal(0, 0.04, len(draw.values)))
        values[b12] = {3: 2600.0, 8: 70.0}.get(draw.number % 10, values[b12] * 1.2)
        yield Draw(
            draw.subject,
            draw.at + _FOLLOW_UP_AFTER + repeat * step,
            _FOLLOW_UP_NUMBERS + number,
            tuple(values.tolist()),
        )
