"""The models of the protocol, unmatched and matched, with odds ratios per stated step and their diagnostics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from etl.associate.conditional import fit_conditional
from etl.associate.design import Design, informative_sets, make_design
from etl.associate.diagnostics import events_per_variable, is_separated, linearity, variance_inflation
from etl.associate.fit import Fit
from etl.associate.logistic import fit_logistic
from etl.associate.model import CountTable, Diagnostics, Estimate
from etl.associate.part import Part
from etl.associate.protocol import AssociationProtocol

PLURALS = ("years", "points")  # units that are counted

# Usual marks of trouble, shown and never acted upon: 10 events a variable (Peduzzi 1996), inflation of 5, p of 0.05.
FEW_EVENTS, HIGH_INFLATION, BENT = 10.0, 5.0, 0.05


def fit_models(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Part:
    """Fit every model unconditionally and, if there are matched sets, within them."""
    part = Part()
    designs: dict[str, Design] = {}
    for name, covariates in protocol.models.items():
        terms, absent = present_terms(subjects, covariates)
        notes = [f"not in the data, left out: {', '.join(absent)}"] if absent else []
        designs[name] = make_design(subjects, [protocol.exposure, *terms])
        fit = fit_logistic(designs[name], protocol.level)
        part.estimates += odds_ratios(name, designs[name], fit, protocol)
        part.diagnostics.append(diagnose(name, designs[name], fit, protocol.exposure, notes))
    if has_sets(subjects):
        designs |= _fit_matched(part, subjects, protocol)
    part.tables.append(count_rows("model/rows", "subjects in each model", designs, len(subjects)))
    return part


def fit_univariable(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Part:
    """Fit each measurement alone, per unit and per 1 SD; the exposure alone is the crude model."""
    part = Part()
    for variable in protocol.variable:
        present, _ = present_terms(subjects, [variable.name])
        if not (variable.unit and present) or variable.name == protocol.exposure:
            continue
        design = make_design(subjects, present)
        fit = fit_logistic(design, protocol.level)
        base = _base(f"univariable/{variable.name}", "univariable", variable.label, design, fit)
        base = replace(base, row=variable.label)
        if fit.note:
            part.estimates.append(replace(base, id=f"{base.id}/1 SD", per="1 SD"))
            continue
        sd = float(design.column(variable.name).std(ddof=1))
        for per, step in ((one(variable.unit), 1.0), (f"1 SD ({sd:.3g} {variable.unit})", sd)):
            found = _per_step(base, fit, variable.name, per, step)
            part.estimates.append(replace(found, about=variable.label, id=f"{base.id}/{per.split(' (')[0]}"))
    return part


def present_terms(subjects: pl.DataFrame, terms: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split terms into those with any value in the frame and those without."""
    present = [t for t in terms if t in subjects.columns and subjects[t].is_not_null().any()]
    return present, [t for t in terms if t not in present]


def has_sets(subjects: pl.DataFrame) -> bool:
    """Tell whether any matched set is given."""
    return "match_set" in subjects.columns and bool(subjects["match_set"].is_not_null().any())


def odds_ratios(
    model: str, design: Design, fit: Fit, protocol: AssociationProtocol, section: str = "model"
) -> list[Estimate]:
    """State the exposure per each step, per the other unit and per 1 SD of the model's rows; covariates per unit."""
    base = replace(
        _base(f"{section}/{model}", section, model, design, fit), table=f"{section}/rows", row=model
    )
    exposure = protocol.exposure
    if fit.note or exposure not in design.names:
        absent = replace(base, id=f"{base.id}/{exposure}/1 SD", about=f"{model}: {exposure}", per="1 SD")
        return [replace(absent, note=fit.note or f"{exposure} does not vary")]
    found = [
        _per_step(_adjusted(base, design, protocol, exposure), fit, exposure, per, step)
        for per, step in _steps(design, protocol)
    ]
    return found + [
        _per_step(_adjusted(base, design, protocol, name), fit, name, _one_of(name, design, protocol), 1.0)
        for name in design.names
        if name != exposure
    ]


def one(unit: str) -> str:
    """Name one step of a unit: 1 year, not 1 years."""
    return f"1 {unit.removesuffix('s') if unit in PLURALS else unit}" if unit else "1 unit"


def _one_of(name: str, design: Design, protocol: AssociationProtocol) -> str:
    """Name the step of a covariate: its unit, or the level that an indicator is against."""
    reference = design.references.get(name)
    return f"against {reference}" if reference else one(protocol.unit_of(name))


def _adjusted(base: Estimate, design: Design, protocol: AssociationProtocol, name: str) -> Estimate:
    """Name the other terms of the model, a category once; the term itself as it is printed."""
    factor = name.partition(": ")[0]
    others = dict.fromkeys(each.partition(": ")[0] for each in design.names)
    listed = ", ".join(protocol.label(each) for each in others if each != factor)
    return replace(base, adjusted_for=listed)


def count_rows(table_id: str, title: str, designs: Mapping[str, Design], total: int) -> CountTable:
    """Count the cases and controls in each model, and the subjects that are not in it."""
    counts = tuple((d.n_case, d.n - d.n_case, total - d.n) for d in designs.values())
    return CountTable(table_id, title, tuple(designs), ("case", "control", "not in the model"), counts)


def _base(key: str, section: str, about: str, design: Design, fit: Fit) -> Estimate:
    return Estimate(
        key,
        section,
        "odds ratio",
        about,
        "all",
        fit.method,
        design.n,
        None,
        n_case=design.n_case,
        n_control=design.n - design.n_case,
        note=fit.note,
    )


def _per_step(base: Estimate, fit: Fit, name: str, per: str, step: float) -> Estimate:
    ratio, low, high, p = fit.per(name, step)
    key = "1 SD" if per.startswith("1 SD") else per
    stated = replace(base, id=f"{base.id}/{name}/{key}", about=f"{base.about}: {name}", per=per)
    return replace(stated, value=ratio, low=low, high=high, p=p)


def _steps(design: Design, protocol: AssociationProtocol) -> list[tuple[str, float]]:
    sd = float(design.column(protocol.exposure).std(ddof=1))
    stated = [(f"{step:g} {protocol.unit}", step) for step in protocol.steps]
    other = (f"1 {protocol.alternative_unit}", 1 / protocol.alternative_factor)
    return [*stated, other, (f"1 SD ({sd:.3g} {protocol.unit})", sd)]


def _fit_matched(part: Part, subjects: pl.DataFrame, protocol: AssociationProtocol) -> dict[str, Design]:
    designs = {}
    for model, covariates in protocol.models.items():
        terms, _ = present_terms(subjects, [c for c in covariates if c not in protocol.matching_factors])
        if covariates and not terms:
            continue  # the sets already hold all of its terms fixed: the same model as without them
        name = f"{model}, matched"
        design, broken = informative_sets(make_design(subjects, [protocol.exposure, *terms], "match_set"))
        notes = ["matched sets that lost their case or their controls are left out"] if broken else []
        fit = fit_conditional(design, protocol.level)
        part.estimates += odds_ratios(name, design, fit, protocol)
        part.diagnostics.append(diagnose(name, design, fit, protocol.exposure, notes))
        designs[name] = design
    return designs


def diagnose(name: str, design: Design, fit: Fit, exposure: str, notes: Sequence[str] = ()) -> Diagnostics:
    """Collect what tells whether the model can be trusted; remarks are sentences, not verdicts."""
    usable = not fit.note
    inflation = variance_inflation(design.x) if usable else np.array([])
    vif = {n: float(v) for n, v in zip(design.names, inflation, strict=False)}
    events = events_per_variable(design.y, len(design.names))
    unmatched = usable and not design.sets.any()
    tested = unmatched and exposure in design.names
    bend = linearity(design.x, design.y, design.names.index(exposure)) if tested else None
    separated = unmatched and is_separated(design.x, design.y)
    remarks = [
        *notes,
        *([fit.note] if fit.note else []),
        *([f"left out, since constant: {', '.join(design.constants)}"] if design.constants else []),
        *(["cases and controls are separated: Firth's method was used"] if separated else []),
        *(["fewer than 10 events per variable"] if events < FEW_EVENTS else []),
        *(["terms are collinear (inflation above 5)"] if vif and max(vif.values()) > HIGH_INFLATION else []),
        *(
            ["the exposure's effect is not linear in the log odds"]
            if bend is not None and bend < BENT
            else []
        ),
    ]
    return Diagnostics(
        name,
        fit.method,
        design.n,
        design.n_case,
        design.n - design.n_case,
        design.left_out,
        len(design.names),
        events,
        separated,
        max(vif.values(), default=None),
        vif,
        bend,
        tuple(remarks),
    )
