-- title: Stated ages of a subject
-- grain: one row a subject for whom a feed states an age
-- parameters: subjects.age_tolerance_years
-- source: core.subject_attribute, attribute age; rule C15. Ages stated on different days are compared by the
--   birth dates that they imply; undated ages by themselves
with
setting as (
    select max(value) filter (where name = 'subjects.age_tolerance_years')::double as tolerance_years
    from study.parameter
),

canonical as (select * from staging.subject_canonical),

statement as (
    select
        coalesce(canonical.canonical_id, attribute.subject_id) as subject_id,
        try_cast(attribute.value as double) as age,
        attribute.observed_at::date as observed_date,
        attribute.record_id
    from core.subject_attribute as attribute
    left join canonical on attribute.subject_id = canonical.subject_id
    where attribute.row_state = 'current' and attribute.attribute = 'age'
),

placed as (
    select
        subject_id,
        age,
        observed_date,
        record_id,
        struct_pack(age := age, record_id := record_id) as stated,
        (observed_date - date '1900-01-01') / 365.2425 - age as implied_birth_year
    from statement
    where age is not null
),

summary as (
    select
        subject_id,
        max(observed_date) as observed_date,
        arg_max(stated, observed_date) as dated,
        arg_max(stated, age) as undated,
        list(record_id order by record_id) as record_ids,
        coalesce(max(implied_birth_year) - min(implied_birth_year), max(age) - min(age)) as spread_years
    from placed
    group by subject_id
)

select
    summary.subject_id,
    case
        when summary.spread_years <= setting.tolerance_years
            then coalesce(summary.dated.age, summary.undated.age)
    end as stated_age,
    summary.observed_date,
    summary.spread_years > setting.tolerance_years as is_conflicting,
    case
        when summary.spread_years <= setting.tolerance_years
            then [coalesce(summary.dated.record_id, summary.undated.record_id)]
        else summary.record_ids
    end as record_ids
from summary
cross join setting
