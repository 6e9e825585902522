-- title: Results of subjects of whom nothing is stated
-- grain: one row a site and kind of data
-- parameters: none
-- source: staging views; orphans stay outside the marts
with
subject as (select * from staging.subject),

known as (
    select
        site,
        'lab_result' as kind,
        subject_id
    from staging.lab_result
    union all
    select
        site,
        'administration' as kind,
        subject_id
    from staging.administration
    union all
    select
        site,
        'condition' as kind,
        subject_id
    from staging.condition
    union all
    select
        site,
        'medication' as kind,
        subject_id
    from staging.medication
)

select
    known.site,
    known.kind,
    count(*) as records,
    count(*) filter (where subject.subject_id is null) as orphan_records,
    count(distinct known.subject_id) as subjects,
    count(distinct known.subject_id) filter (where subject.subject_id is null) as orphan_subjects
from known
left join subject on known.subject_id = subject.subject_id
group by known.site, known.kind
order by known.site, known.kind
