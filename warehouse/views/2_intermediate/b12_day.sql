-- title: The exposure by subject and day
-- grain: one row a subject and day with a usable result of the exposure (vitamin B12)
-- stored: yes
-- parameters: exposure, results.same_day
-- source: staging.lab_result; rule C08. Several values of one day: the first or last by declared rule; values
--   that no time of day puts in order are ambiguous and stay null. Never a mean over units or platforms
with
setting as (
    select
        max(value) filter (where name = 'exposure') as exposure,
        max(value) filter (where name = 'results.same_day') as same_day
    from study.parameter
),

result as (
    select
        result.subject_id,
        result.collected_date,
        result.collected_at,
        result.is_timed,
        result.comparator,
        result.value,
        coalesce(result.comparator, '=') || result.value as reading,
        result.unit,
        result.unit_source,
        result.unit_basis,
        result.unit_stated,
        result.site,
        result.lab_id,
        result.platform,
        result.method,
        result.result_id,
        setting.same_day
    from staging.lab_result as result
    inner join setting on result.analyte = setting.exposure
    where result.value is not null and result.collected_date is not null and not result.is_specimen_unusable
),

timed as (
    select
        *,
        collected_at = case
            when same_day = 'last' then max(collected_at) over one_day else min(collected_at) over one_day
        end as is_chosen_time,
        count(*) over one_day as day_results,
        bool_and(is_timed) over one_day as is_day_timed,
        min(reading) over one_day = max(reading) over one_day as is_agreed
    from result
    window one_day as (partition by subject_id, collected_date)
),

chosen as (
    select
        *,
        case
            when day_results = 1 then 'single'
            when is_agreed then 'agreed'
            when is_day_timed and min(reading) over chosen_time = max(reading) over chosen_time then 'chosen'
            else 'ambiguous'
        end as day_status
    from timed
    where is_chosen_time
    window chosen_time as (partition by subject_id, collected_date)
    qualify row_number() over (
        partition by subject_id, collected_date order by result_id
    ) = 1
)

select
    subject_id,
    collected_date,
    day_results,
    day_status,
    case when day_status <> 'ambiguous' then value end as value,
    case when day_status <> 'ambiguous' then comparator end as comparator,
    unit,
    unit_source,
    unit_basis,
    unit_stated,
    site,
    lab_id,
    platform,
    method,
    result_id
from chosen
