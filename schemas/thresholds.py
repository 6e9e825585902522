"""Threshold profiles: named, sourced ways to cut an analyte into bands."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.errors import DefinitionError


class Band(BaseModel):
    """One band: everything above the band before it, up to `upper`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    band: str
    upper: float | None = None
    upper_included: bool = False
    flagged: bool


class Profile(BaseModel):
    """One way to cut an analyte into bands, in the unit in which its source states the limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str
    analyte: str
    unit: str
    source: str
    verified: str
    bands: tuple[Band, ...]

    @model_validator(mode="after")
    def _check(self) -> Profile:
        if len(self.bands) < 2 or self.bands[-1].upper is not None:
            raise ValueError("a profile has two or more bands and its last band has no upper limit")
        uppers = [band.upper for band in self.bands[:-1]]
        if None in uppers or any(low >= high for low, high in pairwise(u for u in uppers if u is not None)):
            raise ValueError("limits rise from band to band")
        if len({band.band for band in self.bands}) < len(self.bands):
            raise ValueError("a band's name occurs once")
        return self


@cache
def profiles() -> Mapping[str, Profile]:
    """Return every threshold profile by its name. Raises DefinitionError."""
    text = files("schemas").joinpath("thresholds.toml").read_text("utf-8")
    try:
        return MappingProxyType(
            {name: Profile(profile=name, **body) for name, body in tomllib.loads(text).items()}
        )
    except ValueError as error:
        raise DefinitionError(
            "schemas/thresholds.toml is not as it should be.", str(error), "mend the profile"
        ) from error
