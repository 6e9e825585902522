-- title: What is known of each subject, measured or computed
-- grain: one row a result with a value from a usable specimen, or a value computed from such results
-- parameters: none
-- source: staging.lab_result, intermediate.derived_result. On a day with a computed value the reported one
--   stands back: sites use several formulas and do not say which; one formula for all can be compared
with
result as (
    select * from staging.lab_result
    where value is not null and not is_specimen_unusable
),

derived as (select * from intermediate.derived_result),

derived_day as (
    select distinct
        subject_id,
        analyte,
        collected_date
    from derived
)

select
    result.result_id,
    result.subject_id,
    result.analyte,
    result.collected_at,
    result.collected_date,
    result.is_timed,
    result.comparator,
    result.value,
    result.unit,
    result.unit_source,
    null as formula
from result
left join derived_day
    on
        result.subject_id = derived_day.subject_id
        and result.analyte = derived_day.analyte
        and result.collected_date = derived_day.collected_date
where derived_day.subject_id is null
union all
select
    derived.result_id,
    derived.subject_id,
    derived.analyte,
    derived.collected_at,
    derived.collected_date,
    derived.is_timed,
    derived.comparator,
    derived.value,
    derived.unit,
    derived.unit_source,
    derived.formula
from derived
