-- title: Flow of participants, all groups together
-- grain: one row a rule that is on, in the order of the protocol
-- parameters: none
-- source: mart.cohort_flow
with
flow as (select * from mart.cohort_flow)

select
    position,
    rule_id,
    sentence,
    sum(entering_subjects)::bigint as entering_subjects,
    sum(excluded_subjects)::bigint as excluded_subjects,
    sum(unknown_subjects)::bigint as unknown_subjects,
    any_value(unknown_policy) as unknown_policy,
    sum(remaining_subjects)::bigint as remaining_subjects,
    coalesce(sum(remaining_subjects) filter (where cohort_group = 'case'), 0)::bigint as remaining_cases,
    coalesce(sum(remaining_subjects) filter (where cohort_group = 'control'), 0)::bigint as remaining_controls
from flow
group by position, rule_id, sentence
order by position
