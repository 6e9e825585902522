"""The use case: analyse rows by a protocol and set the result beside the published figures."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from etl.associate.beside import set_beside
from etl.associate.coherence import check_published
from etl.associate.describe import compare_deficiency, compare_groups, compare_severity, correlate
from etl.associate.model import CASE, CONTROL, AnalysisFrames, AssociationReport, CountTable, Curve, Estimate
from etl.associate.models import fit_models, fit_univariable
from etl.associate.part import Part, join_parts
from etl.associate.prepare import group, prepare, values
from etl.associate.protocol import AssociationProtocol, load_protocol
from etl.associate.roc import GRID, CutOff, discriminate, wilson
from etl.associate.sensitivity import vary
from schemas.published import Published, load_published


def analyse(
    frames: AnalysisFrames, protocol: AssociationProtocol | None = None, published: Published | None = None
) -> AssociationReport:
    """Analyse one row a subject; the protocol and the published figures default to those of the package.

    Raises DefinitionError when the frame is not what AnalysisFrames says. Too little data is no error: the estimate
    is None and says why.
    """
    protocol, published = protocol or load_protocol(), published or load_published()
    subjects, notes = prepare(frames, protocol)
    wider = frames.before_iron
    before_iron = subjects if wider is None else prepare(replace(frames, subjects=wider), protocol)[0]
    whole = join_parts(
        [
            compare_groups(subjects, protocol),
            correlate(subjects, protocol),
            compare_deficiency(subjects, protocol),
            compare_severity(subjects, protocol),
            fit_univariable(subjects, protocol),
            fit_models(subjects, protocol),
            _discriminate(subjects, protocol),
            vary(subjects, protocol, before_iron),
        ]
    )
    alternative = (protocol.alternative_unit, protocol.alternative_factor)
    return AssociationReport(
        protocol=protocol.model_dump(mode="json", by_alias=True),
        flow=tuple(frames.flow.to_dicts()),
        summaries=tuple(whole.summaries),
        tables=(*frames.tables, *whole.tables),
        estimates=tuple(whole.estimates),
        diagnostics=tuple(whole.diagnostics),
        curves=tuple(whole.curves),
        trends=tuple(whole.trends),
        findings=tuple(check_published(published, alternative)),
        beside=tuple(set_beside(whole, published)),
        notes=tuple(notes + whole.notes),
    )


def _discriminate(subjects: pl.DataFrame, protocol: AssociationProtocol) -> Part:
    """Read the exposure as a marker of being a case."""
    cases, controls = (values(group(subjects, name), protocol.exposure) for name in (CASE, CONTROL))
    roc = discriminate(cases, controls, lower_in_cases=protocol.lower_in_cases, level=protocol.level)
    way = "lower" if roc.lower_in_cases else "higher"
    base = Estimate(
        f"roc/{protocol.exposure}/auc",
        "discrimination",
        "AUC",
        f"{protocol.label(protocol.exposure)}, {way} in cases",
        "all",
        "Mann-Whitney, DeLong interval",
        roc.n_case + roc.n_control,
        roc.auc,
        roc.low,
        roc.high,
        n_case=roc.n_case,
        n_control=roc.n_control,
    )
    part = Part(estimates=[base])
    if roc.cut_off:
        _add_cut_off(part, base, roc.cut_off, protocol)
    if roc.curve is not None:
        curve = Curve(protocol.exposure, tuple(GRID.tolist()), tuple(roc.curve.tolist()))
        part.curves.append(curve)
    return part


def _add_cut_off(part: Part, base: Estimate, cut: CutOff, protocol: AssociationProtocol) -> None:
    counts = ((cut.case_below, cut.case_above), (cut.control_below, cut.control_above))
    table = CountTable(
        "roc/cut-off", "subjects by Youden's cut-off", (CASE, CONTROL), ("below", "above"), counts
    )
    part.tables.append(table)
    like = replace(base, low=None, high=None, table=table.id, method="greatest sensitivity + specificity")
    note = "chosen on the same subjects, so too good for others"
    cut_off = replace(
        like, id=f"roc/{protocol.exposure}/cut-off", measure="cut-off", value=cut.value, note=note
    )
    part.estimates.append(replace(cut_off, per=protocol.unit))
    positive = (
        (cut.case_below, cut.control_above)
        if protocol.lower_in_cases
        else (cut.case_above, cut.control_below)
    )
    for name, k, n in zip(
        ("sensitivity", "specificity"), positive, (base.n_case or 0, base.n_control or 0), strict=True
    ):
        low, high = wilson(k, n, protocol.level)
        found = replace(
            like, id=f"roc/{protocol.exposure}/{name}", measure=name, value=k / n, low=low, high=high
        )
        part.estimates.append(replace(found, method="share at the cut-off, Wilson interval"))
