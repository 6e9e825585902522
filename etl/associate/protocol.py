"""What an association analysis does: exposure, steps, models, thresholds, sensitivity scenarios."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

DEFAULT = Path(__file__).with_name("protocol.toml")

Censoring = Literal["limit", "half", "root2", "exclude"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Deficiency(_Part):
    """One threshold, in the exposure's unit; without a number the frame says who is deficient."""

    name: str
    below: float | None = None


class IronProfile(_Part):
    """Which subjects count as iron deficient; ug/L and percent."""

    name: str
    ferritin_below: float | None = None
    ferritin_to: float | None = None  # the limit itself is deficient
    tsat_below: float | None = None


class Band(_Part):
    """A range of a score, both ends inside."""

    name: str
    start: float = Field(alias="from")
    end: float = Field(alias="to")


class Score(_Part):
    """A scale that is correlated with the exposure."""

    name: str
    label: str
    cases_only: bool = False
    bands: tuple[Band, ...] = ()


class Variable(_Part):
    """A column compared between the groups; without a unit it is a category."""

    name: str
    label: str
    unit: str = ""


class AssociationProtocol(_Part):
    """Everything that was fixed before the data were looked at."""

    exposure: str
    unit: str
    lower_in_cases: bool
    level: float = Field(gt=0.5, lt=1)
    steps: tuple[float, ...]
    alternative_unit: str
    alternative_factor: float = Field(gt=0)
    censoring: Censoring
    primary_model: str
    matching_factors: tuple[str, ...]
    models: dict[str, tuple[str, ...]]
    deficiency: Deficiency
    iron: tuple[IronProfile, ...] = ()
    score: tuple[Score, ...]
    variable: tuple[Variable, ...]

    def label(self, name: str) -> str:
        """Return how a variable or score is printed; a level of a category (`sex: male`) is printed as it is."""
        labels = {each.name: each.label for each in self.variable}
        labels |= {each.name: each.label for each in self.score}
        return labels.get(name, name)

    def unit_of(self, name: str) -> str:
        """Return a measurement's unit; empty for a category."""
        return next((each.unit for each in self.variable if each.name == name), "")

    @model_validator(mode="after")
    def _check(self) -> AssociationProtocol:
        if self.primary_model not in self.models:
            raise ValueError(f"primary_model {self.primary_model!r} is none of the models")
        return self


def load_protocol(path: Path = DEFAULT) -> AssociationProtocol:
    """Read a protocol."""
    return AssociationProtocol.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
