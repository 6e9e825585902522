-- title: Subjects with their attributes
-- grain: one row a subject of whom a feed states anything
-- stored: yes
-- parameters: subjects.precedence, subjects.age_tolerance_years
-- source: staging.subject_attribute and staging.subject_age; a contradiction is null and named in conflicts
with
attribute as (select * from staging.subject_attribute),

age as (select * from staging.subject_age),

stated as (
    select
        subject_id,
        max(value) filter (where attribute = 'sex') as sex,
        max(value) filter (where attribute = 'birth_date') as birth_text,
        max(value) filter (where attribute = 'cohort_group') as cohort_group,
        max(value) filter (where attribute = 'pregnant') as pregnant,
        max(try_cast(value as double)) filter (where attribute = 'education_years') as education_years,
        max(value) filter (where attribute = 'race') as race,
        max(value) filter (where attribute = 'country') as country,
        coalesce(list(attribute order by attribute) filter (where is_conflicting), []) as conflicts
    from attribute
    group by subject_id
)

select
    coalesce(stated.subject_id, age.subject_id) as subject_id,
    stated.sex,
    -- a year or a month stands for its middle; the precision says so
    try_cast(
        case length(stated.birth_text)
            when 4 then stated.birth_text || '-07-01'
            when 7 then stated.birth_text || '-15'
            else left(stated.birth_text, 10)
        end as date
    ) as birth_date,
    case length(stated.birth_text)
        when 4 then 'year' when 7 then 'month' when 10 then 'day'
    end as birth_precision,
    age.stated_age,
    age.observed_date as stated_age_date,
    stated.cohort_group,
    stated.pregnant,
    stated.education_years,
    stated.race,
    stated.country,
    list_concat(
        coalesce(stated.conflicts, []), case when age.is_conflicting then ['age'] else [] end
    ) as conflicts
from stated
full outer join age on stated.subject_id = age.subject_id
