"""How far the estimate depends on choices: censoring, units, platform, missing rows, iron."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from etl.associate.design import Design, make_design
from etl.associate.disclosure import WIDER
from etl.associate.logistic import fit_logistic
from etl.associate.model import CASE, CONTROL, CountTable
from etl.associate.models import count_rows, odds_ratios, present_terms
from etl.associate.part import Part
from etl.associate.prepare import ABOVE, BELOW, censor, group
from etl.associate.protocol import AssociationProtocol, Censoring, IronProfile

POLICIES: tuple[Censoring, ...] = ("limit", "half", "root2", "exclude")
# What-if by site is shown up to this many sites; beyond it the table would hide the rest. A judgement.
SITES = 12

CASE_AND_CONTROL = 2


@dataclass(frozen=True)
class Scenario:
    """One way to look at the same subjects."""

    name: str
    subjects: pl.DataFrame
    extra: tuple[str, ...] = ()
    note: str = ""
    crude: bool = False


def vary(
    subjects: pl.DataFrame, protocol: AssociationProtocol, before_iron: pl.DataFrame | None = None
) -> Part:
    """Fit the primary model under every scenario; only per 1 unit and per 1 SD are kept.

    before_iron: the subjects before a rule on iron stores left some out; by default there was none.
    """
    before_iron = subjects if before_iron is None else before_iron
    part = Part()
    designs: dict[str, Design] = {}
    terms, _ = present_terms(subjects, protocol.models[protocol.primary_model])
    for scenario in [*scenarios(subjects, protocol), *_by_iron(before_iron, protocol)]:
        covariates = [*([] if scenario.crude else terms), *scenario.extra]
        design = make_design(scenario.subjects, [protocol.exposure, *covariates])
        designs[scenario.name] = design
        fit = fit_logistic(design, protocol.level, {protocol.exposure})
        found = odds_ratios(scenario.name, design, fit, protocol, "sensitivity")
        wanted = [e for e in found if f"/{protocol.exposure}/" in e.id]
        part.estimates += [
            replace(e, note="; ".join(filter(None, (scenario.note, e.note))))
            for e in (wanted[:1] + wanted[-1:])
        ]
    part.tables.append(count_rows("sensitivity/rows", "subjects in each scenario", designs, len(before_iron)))
    part.tables += [t for t in (_censored(subjects), *_iron_counts(before_iron, protocol)) if t]
    return part


def scenarios(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Iterator[Scenario]:
    """Yield the scenarios that the frame allows, but for those of iron."""
    yield Scenario(f"primary model ({protocol.primary_model})", subjects)
    if subjects["comparator"].is_not_null().any():
        for policy in POLICIES:
            yield Scenario(f"censored values: {policy}", censor(subjects, protocol.exposure, policy))
    yield from _mislabelled(subjects, protocol)
    for column in ("platform", "site"):
        if column in subjects.columns and subjects[column].n_unique() > 1:
            yield Scenario(f"adjusted for {column}", subjects, (column,), _overlap(subjects, column))
    terms, _ = present_terms(subjects, sorted({t for m in protocol.models.values() for t in m}))
    yield Scenario("crude, all rows with the exposure", subjects, crude=True)
    yield Scenario("crude, rows complete in every covariate", subjects.drop_nulls(terms), crude=True)


def _by_iron(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Iterator[Scenario]:
    """Leave out who is iron deficient by one profile after another, and nobody."""
    profiles = [(p, d) for p in protocol.iron if (d := iron_deficient(subjects, p)) is not None]
    if profiles:
        yield Scenario(WIDER, subjects)
    for profile, deficient in profiles:
        kept = subjects.filter(~deficient.fill_null(value=False))
        yield Scenario(f"without {profile.name}", kept, note="subjects of unknown iron status are kept")


def iron_deficient(subjects: pl.DataFrame, profile: IronProfile) -> pl.Series | None:
    """Judge each subject by a profile: true, false, or null if nothing settles it; None without any iron column."""
    tests: list[pl.Expr] = []
    if "ferritin" in subjects.columns:
        ferritin = pl.col("ferritin")
        tests += [ferritin < profile.ferritin_below] if profile.ferritin_below is not None else []
        tests += [ferritin <= profile.ferritin_to] if profile.ferritin_to is not None else []
    if "tsat" in subjects.columns and profile.tsat_below is not None:
        tests.append(pl.col("tsat") < profile.tsat_below)
    return subjects.select(pl.any_horizontal(tests).alias("deficient"))["deficient"] if tests else None


def _mislabelled(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Iterator[Scenario]:
    """Ask what the estimate would be if values had been in the other unit: all, one group's, one site's."""
    unit, other, factor = protocol.unit, protocol.alternative_unit, protocol.alternative_factor
    where = {"all values": pl.lit(value=True), "cases": pl.col("cohort_group") == CASE}
    where["controls"] = pl.col("cohort_group") == CONTROL
    sites = subjects["site"].drop_nulls().unique().sort().to_list() if "site" in subjects.columns else []
    if 1 < len(sites) <= SITES:
        where |= {f"site {site}": pl.col("site") == site for site in sites}
    for name, rows in where.items():
        value = pl.when(rows).then(pl.col(protocol.exposure) / factor).otherwise(pl.col(protocol.exposure))
        note = f"what if values labelled {unit} had been {other}"
        yield Scenario(f"{name} in {other}", subjects.with_columns(value.alias(protocol.exposure)), note=note)


def _overlap(subjects: pl.DataFrame, column: str) -> str:
    """Say when no level of the column holds both groups, so that nothing can part it from the outcome."""
    both = (
        subjects.drop_nulls(column)
        .group_by(column)
        .agg(pl.col("cohort_group").n_unique() == CASE_AND_CONTROL)
    )
    shared = both["cohort_group"].any()
    return (
        ""
        if shared
        else f"no {column} has both cases and controls: its effect and the group's cannot be told apart"
    )


def _censored(subjects: pl.DataFrame) -> CountTable | None:
    if not subjects["comparator"].is_not_null().any():
        return None
    counts = []
    for name in (CASE, CONTROL):
        mine = group(subjects, name).filter(pl.col("measured").is_not_null())["comparator"]
        below, above = (int(mine.is_in(signs).sum()) for signs in (BELOW, ABOVE))
        counts.append((below, above, len(mine) - below - above))
    columns = ("below a limit", "above a limit", "measured")
    return CountTable(
        "sensitivity/censored", "censored values by group", (CASE, CONTROL), columns, tuple(counts)
    )


def _iron_counts(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Iterator[CountTable]:
    for number, profile in enumerate(protocol.iron):
        deficient = iron_deficient(subjects, profile)
        if deficient is None:
            continue
        judged = subjects.with_columns(deficient.alias("iron"))
        counts = []
        for name in (CASE, CONTROL):
            mine = group(judged, name)["iron"]
            yes = int(mine.sum())
            counts.append((yes, int(mine.is_not_null().sum()) - yes, mine.null_count()))
        columns = ("deficient", "not deficient", "unknown")
        yield CountTable(f"sensitivity/iron/{number}", profile.name, (CASE, CONTROL), columns, tuple(counts))
