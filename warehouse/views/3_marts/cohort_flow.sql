-- title: Flow of participants (STROBE)
-- grain: one row a rule that is on and cohort group (case, control, unknown), in the order of the protocol
-- parameters: none
-- source: intermediate.eligibility_rule; a subject leaves at the first rule that removes it, and the number
--   of whom the rule knows nothing stands beside each rule whether they stay or not
-- lineage: * = a count of subjects by the rules of the study: see eligibility in mart.subject_baseline
with
rule as (
    select * from study.rule
    where is_on
),

eligibility as (select * from intermediate.eligibility),

subject as (
    select
        subject.subject_id,
        coalesce(subject.cohort_group, 'unknown') as cohort_group,
        eligibility.removed_at
    from staging.subject as subject
    inner join eligibility on subject.subject_id = eligibility.subject_id
),

outcome as (select * from intermediate.eligibility_rule),

entering as (
    select
        rule.position,
        rule.rule_id,
        rule.sentence,
        rule.unknown_policy,
        subject.cohort_group,
        count(*) as entering_subjects,
        count(*) filter (where outcome.outcome = 'excluded') as excluded_subjects,
        count(*) filter (where outcome.outcome = 'unknown') as unknown_subjects,
        count(*) filter (where outcome.is_removed) as removed_subjects,
        count(*) filter (where outcome.outcome is null) as out_of_scope_subjects
    from rule
    inner join subject on coalesce(rule.position <= subject.removed_at, true)
    left join outcome on subject.subject_id = outcome.subject_id and rule.rule_id = outcome.rule_id
    group by rule.position, rule.rule_id, rule.sentence, rule.unknown_policy, subject.cohort_group
)

select
    position,
    rule_id,
    sentence,
    cohort_group,
    entering_subjects,
    excluded_subjects,
    unknown_subjects,
    unknown_policy,
    removed_subjects,
    out_of_scope_subjects,
    entering_subjects - removed_subjects as remaining_subjects
from entering
