"""Suspicion: find values that look like another unit than the one they were read in.

A month is compared with the other months of its site, a site as a whole with the other sites. Both move for reasons
that are no error: platforms, diet, season. So a shift is weighed against those, against every unit the analyte may be
stated in, and against a slipped decimal; where it could be either, nothing is said. Nothing here moves a row.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Final

import duckdb
import polars as pl

from schemas.analytes import Analyte, registry
from warehouse.connection import open_warehouse
from warehouse.decisions import IN_FORCE

# Standard deviations of ln(median). Between sites 0.17 for vitamin B12, whose values spread by 0.45 within a site
# (simulation with platform and diet); analytes that spread more differ more. Between months: judgement, chosen so that
# the step from one platform to another (14 % at UCSF in 2017) is no suspicion.
SITE_SD: Final = 0.17
MONTH_SD: Final = 0.10
B12_SPREAD: Final = 0.45
# Something else than a unit: another population. Rare, and of any size up to a factor of about four.
OTHER_WEIGHT: Final = 0.1
OTHER_SD: Final = 0.7
SURE: Final = 0.95
FEWEST: Final = 20  # results, below which a median says little
FEWEST_MONTHS: Final = 3
SLIPS: Final = {"x10": 10.0, "x100": 100.0, "x0.1": 0.1, "x0.01": 0.01}

# Medians of counted hundredths of ln(value): exact to half a per cent, in bounded memory, the same in every run.
# A unit that was declared is settled, also where the declaration only confirms what is stated.
_STRATA: Final = f"""
    with declared as (
        select
            target ->> 'site' as site, target ->> 'analyte' as analyte, target ->> 'feed' as feed,
            coalesce(valid_from, '-infinity'::date) as first_date, coalesce(valid_to, 'infinity'::date) as last_date
        from meta.decision
        where kind = 'unit' and {IN_FORCE}
    ),

    counted as (
        select
            result.site, result.analyte, result.factor_id,
            date_trunc('month', result.collected_at)::date as month,
            result.unit_basis is not distinct from 'declared' or declared.site is not null as is_declared,
            round(100 * ln(result.value))::integer as step,
            count(*) as results
        from core.lab_result as result
        left join declared
            on result.site = declared.site and result.analyte = declared.analyte
            and coalesce(declared.feed, result.feed) = result.feed
            and result.collected_at::date between declared.first_date and declared.last_date
        where result.row_state = 'current' and result.value > 0 and isfinite(result.value) and result.comparator is null
            and result.factor_id is not null
        group by all
    ),

    placed as (
        select * from counted where month is not null
        union all by name
        select site, analyte, factor_id, is_declared, step, sum(results) as results from counted group by all
    ),

    ranked as (
        select *, sum(results) over stratum as total, sum(results) over (stratum order by step) / total as share
        from placed
        window stratum as (partition by site, analyte, factor_id, is_declared, month)
    )

    select
        site, analyte, factor_id, month, max(total)::bigint as results,
        min(step) filter (where share >= 0.5) / 100 as middle,
        (min(step) filter (where share >= 0.75) - min(step) filter (where share >= 0.25)) / 134.9 as spread,
        is_declared
    from ranked
    group by site, analyte, factor_id, is_declared, month
    having max(total) >= $fewest
    order by all
"""


@dataclass(frozen=True)
class Stratum:
    """The results of one site, analyte and unit in a month, or in all of them (month is null). middle: ln(median)."""

    site: str
    analyte: str
    factor_id: str
    month: date | None
    results: int
    middle: float
    spread: float
    is_declared: bool

    @property
    def noise(self) -> float:
        """Return the standard error of the logarithm's median."""
        return math.sqrt(math.pi / 2 / self.results) * self.spread


@dataclass(frozen=True)
class Suspicion:
    """What a stratum looks like. verdict: suspected, fits, undecided. times: its median by the witness's median."""

    site: str
    analyte: str
    factor_id: str
    unit: str
    month: date | None
    results: int
    verdict: str
    looks_like: str | None
    witness: str | None
    times: float | None
    expected: float | None
    probability: float | None


SCHEMA: Final = {
    "site": pl.String,
    "analyte": pl.String,
    "factor_id": pl.String,
    "unit": pl.String,
    "month": pl.Date,
    "results": pl.Int64,
    "verdict": pl.String,
    "looks_like": pl.String,
    "witness": pl.String,
    "times": pl.Float64,
    "expected": pl.Float64,
    "probability": pl.Float64,
}


@dataclass(frozen=True)
class Judgement:
    """How likely another unit is, given a shift of the median. expected: the factor of the likeliest alternative."""

    verdict: str
    looks_like: str | None
    expected: float | None
    probability: float


def look(warehouse: Path) -> pl.DataFrame:
    """Return the suspicions of a warehouse. Raises WarehouseMissing."""
    with open_warehouse(warehouse, read_only=True) as connection:
        return suspicions(connection)


def suspicions(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return a row (SCHEMA) for every stratum with enough results whose unit is not declared."""
    rows = connection.execute(_STRATA, {"fewest": FEWEST}).fetchall()
    found = judge_strata([Stratum(*row) for row in rows])
    return pl.DataFrame([astuple(each) for each in found], schema=SCHEMA, orient="row")


def judge_strata(strata: Sequence[Stratum]) -> list[Suspicion]:
    """Judge every stratum whose unit nobody declared."""
    months: defaultdict[tuple[str, str], list[Stratum]] = defaultdict(list)
    wholes: defaultdict[str, list[Stratum]] = defaultdict(list)
    for each in strata:
        (wholes[each.analyte] if each.month is None else months[each.site, each.analyte]).append(each)
    return [
        _judged(each, wholes[each.analyte] if each.month is None else months[each.site, each.analyte])
        for each in strata
        if not each.is_declared and each.analyte in registry()
    ]


def judge(shift: float, deviation: float, shifts: dict[str, float]) -> Judgement:
    """Weigh a shift of ln(median) between the stated unit, other units and slips (shifts by name), and other causes."""
    weights = {name: _density(shift - expected, deviation) for name, expected in shifts.items()}
    stated = _density(shift, deviation)
    total = stated + sum(weights.values()) + OTHER_WEIGHT * _density(shift, OTHER_SD)
    if not weights or total == 0:
        return Judgement("undecided", None, None, 0.0)
    probability = sum(weights.values()) / total
    if probability < SURE:
        is_fitting = probability <= 1 - SURE
        return Judgement("fits" if is_fitting else "undecided", None, None, probability)
    likely = _likeliest(weights)
    return Judgement("suspected", " or ".join(likely), math.exp(shifts[likely[0]]), probability)


def _likeliest(weights: dict[str, float]) -> list[str]:
    """Return the alternatives that together are sure to hold the right one, the likeliest first."""
    ranked = sorted(weights, key=lambda name: -weights[name])
    total, reached = sum(weights.values()), 0.0
    for place, name in enumerate(ranked, start=1):
        reached += weights[name] / total
        if reached >= SURE:
            return ranked[:place]
    return ranked


def unit_shifts(analyte: Analyte, factor_id: str) -> dict[str, float]:
    """Return by how much ln(value) is off when the values are in another unit than `factor_id` says; slips too."""
    kinds = [None, *(kind for kind in analyte.molar_masses if kind)]
    known = [
        each
        for unit in analyte.units
        for kind in kinds
        if (each := analyte.conversion(unit, kind)) is not None
    ]
    stated = next((each for each in known if each.factor_id == factor_id), None)
    if stated is None or stated.offset:
        return {}
    others = {
        _name(each.factor_id, analyte): stated.factor / each.factor for each in known if not each.offset
    }
    found: dict[str, float] = {}
    for name, ratio in [*others.items(), *SLIPS.items()]:
        shift = math.log(ratio)
        # The units of one factor are one unit, and a slip that is also a unit goes by the unit's name.
        if abs(shift) > 1e-3 and all(abs(shift - other) > 1e-3 for other in found.values()):
            found[name] = shift
    return found


def _judged(own: Stratum, peers: Iterable[Stratum]) -> Suspicion:
    analyte = registry()[own.analyte]
    is_month = own.month is not None
    others = [each for each in peers if (each is not own if is_month else each.site != own.site)]
    witness = "other months" if is_month else "other sites"
    if not others or (is_month and len(others) < FEWEST_MONTHS - 1):
        return _suspicion(own, analyte, Judgement("undecided", None, None, 0.0), None, None)
    shift = own.middle - median(each.middle for each in others)
    wide = max(1.0, own.spread / B12_SPREAD) * (MONTH_SD if is_month else SITE_SD)
    known = len(others) if is_month else len({each.site for each in others})
    deviation = math.sqrt(wide**2 * (1 + 1 / known) + own.noise**2)
    return _suspicion(
        own, analyte, judge(shift, deviation, unit_shifts(analyte, own.factor_id)), witness, shift
    )


def _suspicion(
    own: Stratum, analyte: Analyte, judgement: Judgement, witness: str | None, shift: float | None
) -> Suspicion:
    return Suspicion(
        site=own.site,
        analyte=own.analyte,
        factor_id=own.factor_id,
        unit=_name(own.factor_id, analyte),
        month=own.month,
        results=own.results,
        verdict=judgement.verdict,
        looks_like=judgement.looks_like,
        witness=witness,
        times=None if shift is None else round(math.exp(shift), 3),
        expected=judgement.expected and round(judgement.expected, 3),
        probability=round(judgement.probability, 3),
    )


def _name(factor_id: str, analyte: Analyte) -> str:
    """Return a factor's unit, with what is measured where that picks the factor (urea nitrogen in mg/dL)."""
    _, *kind, unit = factor_id.split(":")
    is_usual = not kind or kind[0] == analyte.measured_as
    return unit if is_usual else f"{unit} of {kind[0].replace('_', ' ')}"


def _density(distance: float, deviation: float) -> float:
    return math.exp(-0.5 * (distance / deviation) ** 2) / deviation
