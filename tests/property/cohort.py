"""One small cohort, and what every writer of it shares. Nothing here is the program's.

Two contents: what each format has a place for (code, comparator, number, unit, day, number of the sample, state, sex,
birth date), and beside it names, specimens, reference limits and clock times, which OMOP's tables lack.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd

SUBJECTS = 30


@dataclass(frozen=True)
class Test:
    """code, name, unit, specimen, limits, lowest and highest value, decimals."""

    code: str
    name: str
    unit: str
    specimen: str
    low: float
    high: float
    least: float
    most: float
    decimals: int


TESTS = (
    Test("2132-9", "Vitamin B12", "pg/mL", "Serum", 197, 771, 83, 2000, 0),
    Test("14685-2", "Vitamin B12", "pmol/L", "Serum", 145, 569, 61, 1476, 1),
    Test("2276-4", "Ferritin", "ng/mL", "Serum", 13, 150, 3, 900, 1),
    Test("14682-9", "Creatinine", "umol/L", "Serum", 45, 84, 40, 300, 0),
    Test("13965-9", "Homocysteine", "umol/L", "Plasma", 5, 15, 4, 60, 2),
    Test("718-7", "Hemoglobin", "g/dL", "Whole blood", 12, 16, 8, 18, 1),
    Test("3016-3", "TSH", "mIU/L", "Serum", 0.27, 4.2, 0.01, 20, 3),
    Test("1988-5", "CRP", "mg/L", "Serum", 0, 5, 0.2, 120, 1),
    Test("2823-3", "Potassium", "mmol/L", "Serum", 3.5, 5.1, 3, 6, 1),  # none of the study's
)


@dataclass(frozen=True)
class Subject:
    number: str
    sex: str
    born: date


@dataclass(frozen=True)
class Result:
    """A result; comparator and unit are empty where the number is None."""

    sample: str
    subject: Subject
    test: Test
    comparator: str
    number: float | None
    drawn: datetime

    @property
    def digits(self) -> str:
        """The number as a person writes it."""
        return "" if self.number is None else format(self.number, f".{self.test.decimals}f")

    @property
    def printed(self) -> str:
        return self.comparator + self.digits

    @property
    def unit(self) -> str:
        return "" if self.number is None else self.test.unit


@dataclass(frozen=True)
class Cohort:
    """The results, and whether the writers say all that most formats can or only what every format can."""

    results: tuple[Result, ...]
    is_full: bool

    @property
    def subjects(self) -> list[Subject]:
        return list(dict.fromkeys(each.subject for each in self.results))

    def drawn(self, result: Result) -> str:
        """The time of a result as ISO 8601: to the second, or the day."""
        return result.drawn.isoformat() if self.is_full else result.drawn.date().isoformat()


Writer = Callable[[Cohort, Path], None]  # into an empty folder


def cohort(*, is_full: bool) -> Cohort:
    """Make the cohort; it is the same every time."""
    chance = random.Random(7)
    results = []
    for at in range(SUBJECTS):
        born = date(1940, 1, 1) + timedelta(days=chance.randrange(20_000))
        subject = Subject(f"{at * 37 + 11:05d}", "FM"[at % 2], born)  # leading zeros are part of it
        for test in TESTS:
            morning = datetime(2021, 1, 1, 6) + timedelta(days=chance.randrange(360))
            drawn = morning + timedelta(seconds=chance.randrange(36_000))
            number = round(chance.uniform(test.least, test.most), test.decimals)
            comparator = chance.choice(["", "", "", "", "<", "<=", ">", ">="])
            is_absent = chance.random() < 0.05
            results.append(
                Result(
                    f"S{len(results) + 1:04d}", subject, test, "" if is_absent else comparator,
                    None if is_absent else number, drawn,
                )
            )  # fmt: skip
    return Cohort(tuple(results), is_full)


# Headers of at most eight letters, which every container holds.
TEXTS = ("sampleid", "subjid", "sex", "loinc", "unit", "status")
FULL_TEXTS = ("test", "specimen")


def flat(made: Cohort) -> list[dict[str, object]]:
    """Return one row a result: comparator and number apart, times as times; None is an empty cell."""
    rows = []
    for each in made.results:
        row: dict[str, object] = {
            "sampleid": each.sample, "subjid": each.subject.number, "sex": each.subject.sex,
            "dob": each.subject.born, "loinc": each.test.code, "operator": each.comparator or None,
            "value": each.number, "unit": each.unit or None, "drawnat": each.drawn.date(), "status": "final",
        }  # fmt: skip
        if made.is_full:
            row |= {
                "test": each.test.name, "specimen": each.test.specimen, "reflow": float(each.test.low),
                "refhigh": float(each.test.high), "drawnat": each.drawn,
            }  # fmt: skip
        rows.append(row)
    return rows


def printed(made: Cohort) -> list[dict[str, object]]:
    """Return the rows with comparator and number in one cell: a text where there is a comparator, else the number."""
    rows = []
    for row, each in zip(flat(made), made.results, strict=True):
        del row["operator"]
        rows.append(row | {"value": each.printed if each.comparator else each.number})
    return rows


def frame(made: Cohort) -> pd.DataFrame:
    """Return the flat rows as the frame that pyreadstat and pandas write; texts are never null."""
    rows = pd.DataFrame(flat(made))
    texts = [name for name in (*TEXTS, *FULL_TEXTS, "operator") if name in rows]
    return rows.assign(**{name: rows[name].fillna("").astype(object) for name in texts})
