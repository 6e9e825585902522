"""What an analysis reads of a warehouse: the included subjects, their flow, and who answers which question."""

from __future__ import annotations

import duckdb
import polars as pl

from etl.associate.model import CASE, CONTROL, AnalysisFrames, CountTable
from etl.associate.protocol import AssociationProtocol, Censoring, Deficiency, load_protocol
from schemas.errors import DefinitionError
from schemas.study import Study
from schemas.thresholds import Profile, profiles

# The study's words for what a censored value is worth, in the words of an analysis.
CENSORING: dict[str, Censoring] = {"limit": "limit", "half": "half", "sqrt2": "root2", "exclude": "exclude"}

# A match set counts only as far as it was verified, and deficiency is judged in the unit of its own threshold.
_SUBJECTS = """
    select
        baseline.* exclude (match_set) rename (transferrin_saturation as tsat),
        matched.match_set_id as match_set,
        b12_status.is_deficient as deficient
    from mart.subject_baseline as baseline
    left join mart.matched_set as matched on matched.subject_id = baseline.subject_id and matched.is_valid
    left join mart.b12_status as b12_status
        on b12_status.subject_id = baseline.subject_id and b12_status.is_main_profile
    where {condition}
    order by baseline.subject_id
"""

_IS_INCLUDED = "baseline.is_included"

# Who would be included without the rules on iron stores: no other rule removes them.
_BEFORE_IRON = """
    not exists (
        select 1 from intermediate.eligibility_rule as outcome
        inner join study.rule as rule on rule.rule_id = outcome.rule_id
        where outcome.subject_id = baseline.subject_id and outcome.is_removed
            and not list_has_any(rule.targets, (
                select list(profile) from study.threshold where analyte in ('ferritin', 'transferrin_saturation')
            ))
    )
"""

_FLOW = """
    with step as (
        select
            position, rule_id, sentence,
            coalesce(sum(entering_subjects) filter (where cohort_group = 'case'), 0)::bigint as case_before,
            coalesce(sum(entering_subjects) filter (where cohort_group = 'control'), 0)::bigint as control_before,
            coalesce(sum(remaining_subjects) filter (where cohort_group = 'case'), 0)::bigint as n_case,
            coalesce(sum(remaining_subjects) filter (where cohort_group = 'control'), 0)::bigint as n_control,
            sum(unknown_subjects)::bigint as n_unknown,
            if(any_value(unknown_policy) = 'keep', 'kept', 'left out') as unknown_are
        from mart.cohort_flow
        group by position, rule_id, sentence
    )
    select step, n_case, n_control, n_unknown, if(n_unknown = 0, '', unknown_are) as unknown_are, rule
    from (
        select 0 as position, 'Subjects of whom a feed states anything' as step, case_before as n_case,
            control_before as n_control, 0 as n_unknown,
            '' as unknown_are, '' as rule
        from step where position = (select min(position) from step)
        union all
        select position, sentence as step, n_case, n_control, n_unknown, unknown_are, rule_id as rule from step
    )
    order by position
"""

_SETS = """
    select
        question.sentence,
        count(*) filter (where member.is_member and member.cohort_group = 'case') as n_case,
        count(*) filter (where member.is_member and member.cohort_group = 'control') as n_control,
        count(*) filter (where member.is_included and not member.is_member) as left_out
    from study.question as question
    left join mart.analysis_set as member on member.question = question.question
    group by question.position, question.sentence
    order by question.position
"""


def study_protocol(study: Study) -> AssociationProtocol:
    """Return the analysis protocol with what the study fixes: its censoring policy and its deficiency profile."""
    name = describe_profile(profiles()[study.deficiency_profile])
    fixed = {"censoring": CENSORING[study.censoring], "deficiency": Deficiency(name=name)}
    return load_protocol().model_copy(update=fixed)


def describe_profile(profile: Profile) -> str:
    """Say which values a profile flags, in the unit of its source."""
    last = [band for band in profile.bands if band.flagged][-1]
    return (
        f"{'at most' if last.upper_included else 'below'} {last.upper:g} {profile.unit} ({profile.profile})"
    )


def read_frames(connection: duckdb.DuckDBPyConnection, protocol: AssociationProtocol) -> AnalysisFrames:
    """Read the marts, which must be up to date.

    Raises DefinitionError when the exposure is in another unit than the protocol's steps.
    """
    subjects, before_iron = (
        connection.sql(_SUBJECTS.format(condition=condition)).pl()
        for condition in (_IS_INCLUDED, _BEFORE_IRON)
    )
    units = set(subjects["b12_unit"].drop_nulls().unique()) - {protocol.unit}
    if units:
        raise DefinitionError(
            f"The exposure is in {', '.join(sorted(units))}, the analysis protocol in {protocol.unit}.",
            "An odds ratio per unit would be of another size.",
            "state the exposure's unit in the protocol as the registry has it: etl units show",
        )
    sets = _sets(connection.sql(_SETS).pl())
    return AnalysisFrames(subjects, connection.sql(_FLOW).pl(), (sets,), before_iron)


def _sets(rows: pl.DataFrame) -> CountTable:
    """Count who answers each question (C21)."""
    counts = rows.select("n_case", "n_control", "left_out").rows()
    columns = (CASE, CONTROL, "left out for missing values")
    return CountTable(
        "analysis/sets", "subjects who answer each question", tuple(rows["sentence"]), columns, tuple(counts)
    )
