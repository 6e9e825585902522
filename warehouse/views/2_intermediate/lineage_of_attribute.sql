-- title: The statements behind what is known of a subject
-- grain: one row a subject, measure and record of core.subject_attribute
-- parameters: matching.source
-- source: the identifiers that staging.subject_attribute and staging.subject_age carry along. A measure that
--   contradictory statements leave null has all of them; conflicts has those of every such measure
with
setting as (
    select max(value) filter (where name = 'matching.source') as matching_source
    from study.parameter
),

stated as (
    select
        subject_id,
        attribute,
        is_conflicting,
        unnest(record_ids) as source_id
    from staging.subject_attribute
    union all
    select
        subject_id,
        'age' as attribute,
        is_conflicting,
        unnest(record_ids) as source_id
    from staging.subject_age
),

birth as (
    select
        stated.subject_id,
        stated.source_id
    from stated
    inner join staging.subject as subject on stated.subject_id = subject.subject_id
    where stated.attribute = case when subject.birth_date is null then 'age' else 'birth_date' end
),

-- a match set that the tool made follows from group, sex and age
matched as (
    select
        stated.subject_id,
        stated.source_id
    from stated
    cross join setting
    where
        stated.subject_id in (select match_member.subject_id from intermediate.match_member as match_member)
        and case
            when setting.matching_source = 'given' then stated.attribute = 'match_set'
            else stated.attribute in ('cohort_group', 'sex', 'birth_date', 'age')
        end
)

select
    subject_id,
    attribute as measure,
    source_id
from stated
where attribute not in ('age', 'match_set')
union
select
    subject_id,
    'conflicts' as measure,
    source_id
from stated
where is_conflicting
union
select
    subject_id,
    'match_set' as measure,
    source_id
from matched
union
select
    subject_id,
    unnest(['age', 'age_basis']) as measure,
    source_id
from birth
