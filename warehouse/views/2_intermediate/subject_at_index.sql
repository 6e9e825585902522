-- title: Subjects at their index draw
-- grain: one row a subject of whom a feed states anything
-- stored: yes
-- parameters: none
-- source: staging.subject, intermediate.index_draw; completed years at the index date
with
subject as (select * from staging.subject),

index_draw as (select * from intermediate.index_draw)

select
    subject.subject_id,
    subject.cohort_group,
    subject.sex,
    subject.pregnant,
    subject.education_years,
    index_draw.index_date,
    case
        when subject.birth_date is not null then date_sub('year', subject.birth_date, index_draw.index_date)
        when subject.stated_age_date is not null
            then subject.stated_age + date_sub('year', subject.stated_age_date, index_draw.index_date)
        else subject.stated_age
    end::integer as age,
    case
        when subject.birth_date is not null then 'birth_' || subject.birth_precision
        when subject.stated_age_date is not null then 'stated'
        when subject.stated_age is not null then 'stated_undated'
    end as age_basis,
    subject.conflicts
from subject
left join index_draw on subject.subject_id = index_draw.subject_id
