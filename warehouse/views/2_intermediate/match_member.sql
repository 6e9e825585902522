-- title: Members of the match sets in use
-- grain: one row a match set and subject
-- parameters: matching.source
-- source: staging.match_set (given by the sites) or study.made_match (made by sex and age)
with
setting as (
    select max(value) filter (where name = 'matching.source') as matching_source
    from study.parameter
),

subject as (select * from staging.subject),

member as (
    select
        match_set_id,
        subject_id,
        role,
        'given' as matching_source
    from staging.match_set
    union all
    select
        match_set_id,
        subject_id,
        role,
        'made' as matching_source
    from study.made_match
)

select
    member.match_set_id,
    member.subject_id,
    subject.cohort_group,
    member.role as stated_role,
    member.matching_source
from member
inner join setting on member.matching_source = setting.matching_source
left join subject on member.subject_id = subject.subject_id
