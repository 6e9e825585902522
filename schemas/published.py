"""Published figures as printed: what they say, to which digit, and where they were read."""

from __future__ import annotations

import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

PUBLISHED = Path(__file__).with_name("published.toml")


class Printed(BaseModel):
    """A number as printed, such as `-0.295` or `<0.05`."""

    model_config = ConfigDict(frozen=True)

    text: str
    value: float
    decimals: int
    comparator: Literal["", "<", ">"] = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """The numbers that round to the text; open on one side if a comparator is printed."""
        if self.comparator == "<":
            return float("-inf"), self.value
        if self.comparator == ">":
            return self.value, float("inf")
        half = 0.5 * 10**-self.decimals
        return self.value - half, self.value + half

    def agrees(self, low: float, high: float) -> bool:
        """Tell whether some number between low and high rounds to the text."""
        mine, slack = self.bounds, 1e-12
        return low <= mine[1] + slack and high >= mine[0] - slack


def parse_printed(text: object) -> Printed:
    """Read a printed number; a ValueError names what it is not."""
    match text:
        case Printed():
            return text
        case str():
            return _read(text)
        case _:
            raise ValueError("write the number as a string, as it was printed")


def _read(text: str) -> Printed:
    comparator = text[:1] if text[:1] in ("<", ">") else ""
    try:
        number = Decimal(text[len(comparator) :].strip())
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a printed number") from None
    exponent = number.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    return Printed.model_validate(
        {"text": text, "value": float(number), "decimals": max(decimals, 0), "comparator": comparator}
    )


PrintedNumber = Annotated[Printed, BeforeValidator(parse_printed)]


class _Figure(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    study: str
    label: str
    mark: Literal["V", "S", "VC"]
    ours: str | None = None


class CorrelationFigure(_Figure):
    """A correlation with its p-value."""

    kind: Literal["correlation"]
    r: PrintedNumber
    p: PrintedNumber
    n: int = Field(gt=3)
    other_n: tuple[int, ...] = ()


class OddsRatioFigure(_Figure):
    """An odds ratio per unit, or of yes against no."""

    kind: Literal["odds_ratio"]
    value: PrintedNumber
    low: PrintedNumber | None = None
    high: PrintedNumber | None = None
    p: PrintedNumber | None = None
    unit: str


class TwoByTwoFigure(_Figure):
    """Counts with the odds ratio printed for them."""

    kind: Literal["two_by_two"]
    case_exposed: int
    case_n: int
    control_exposed: int
    control_n: int
    value: PrintedNumber
    low: PrintedNumber
    high: PrintedNumber

    @property
    def cells(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows case and control, columns exposed and not."""
        return (
            (self.case_exposed, self.case_n - self.case_exposed),
            (self.control_exposed, self.control_n - self.control_exposed),
        )


class DiscriminationFigure(_Figure):
    """An area under the curve with the odds ratio and the spread of the same marker."""

    kind: Literal["discrimination"]
    auc: PrintedNumber
    low: PrintedNumber
    high: PrintedNumber
    odds_ratio: PrintedNumber
    unit: str
    sd: PrintedNumber


class ProportionFigure(_Figure):
    """A percentage of a known number."""

    kind: Literal["proportion"]
    n: int = Field(gt=0)
    count: int | None = None
    percent: PrintedNumber


class MeanFigure(_Figure):
    """A mean with the unit it was printed in."""

    kind: Literal["mean"]
    value: PrintedNumber
    unit: str


Figure = Annotated[
    CorrelationFigure
    | OddsRatioFigure
    | TwoByTwoFigure
    | DiscriminationFigure
    | ProportionFigure
    | MeanFigure,
    Field(discriminator="kind"),
]


class Study(BaseModel):
    """Where figures were printed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    source: str
    design: str


class Published(BaseModel):
    """All figures and their studies."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: dict[str, Study]
    figure: tuple[Figure, ...]

    @model_validator(mode="after")
    def _check(self) -> Published:
        ids = [figure.id for figure in self.figure]
        if len(ids) != len(set(ids)):
            raise ValueError("two figures share an id")
        unknown = {figure.study for figure in self.figure} - set(self.study)
        if unknown:
            raise ValueError(f"no [study.*] for {', '.join(sorted(unknown))}")
        return self


def load_published(path: Path = PUBLISHED) -> Published:
    """Read the figures; the registry tests keep the file valid."""
    return Published.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
