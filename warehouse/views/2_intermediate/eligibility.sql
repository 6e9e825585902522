-- title: Eligibility with every reason
-- grain: one row a subject of whom a feed states anything
-- stored: yes
-- parameters: none
-- source: intermediate.eligibility_rule; excluded by any rule, else unknown for any rule, else eligible
with
outcome as (select * from intermediate.eligibility_rule),

subject as (select * from staging.subject),

summed as (
    select
        subject_id,
        coalesce(list(rule_id order by position) filter (where outcome = 'excluded'), []) as excluded_by,
        coalesce(list(rule_id order by position) filter (where outcome = 'unknown'), []) as unknown_for,
        min(position) filter (where is_removed) as removed_at
    from outcome
    group by subject_id
)

select
    subject.subject_id,
    case
        when len(summed.excluded_by) > 0 then 'excluded'
        when len(summed.unknown_for) > 0 then 'unknown'
        else 'eligible'
    end as eligibility,
    summed.removed_at is null as is_included,
    coalesce(summed.excluded_by, []) as excluded_by,
    coalesce(summed.unknown_for, []) as unknown_for,
    summed.removed_at
from subject
left join summed on subject.subject_id = summed.subject_id
