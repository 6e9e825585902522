-- title: Diagnoses, habits and medications of known concepts
-- grain: one row a current record and concept
-- parameters: none
-- source: staging.condition, staging.medication
with
condition as (select * from staging.condition),

medication as (select * from staging.medication)

select
    record_id,
    subject_id,
    'condition' as domain,
    concept,
    status,
    started_date,
    ended_date
from condition
where concept is not null
union all
select
    record_id,
    subject_id,
    'medication' as domain,
    concept,
    status,
    started_date,
    ended_date
from medication
where concept is not null
