"""Constants of the values that are computed from other results."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class EgfrFormula(NamedTuple):
    """One sex of an equation for the filtration rate from serum creatinine in mg/dL."""

    formula: str
    sex: str
    scale: float
    kappa: float
    alpha: float
    beta: float
    age_base: float
    factor: float
    minimum_age: float


@cache
def egfr_formulas() -> tuple[EgfrFormula, ...]:
    """Return the equation that the study uses, a row each sex."""
    egfr = tomllib.loads((files("schemas") / "derived.toml").read_text("utf-8"))["egfr"]
    shared = {name: egfr[name] for name in ("formula", "scale", "beta", "age_base", "minimum_age")}
    return tuple(EgfrFormula(sex=sex, **shared, **terms) for sex, terms in egfr["sex"].items())
