-- title: Covariates at the index draw
-- grain: one row a subject and analyte measured within the window; the exposure at the index draw itself
-- stored: yes
-- parameters: exposure, covariates.window_days, results.same_day
-- source: intermediate.measurement; the nearest day, the earlier of two equally near. Several values of that
--   day are settled as in intermediate.b12_day
with
setting as (
    select
        max(value) filter (where name = 'exposure') as exposure,
        max(value) filter (where name = 'covariates.window_days')::integer as window_days,
        max(value) filter (where name = 'results.same_day') as same_day
    from study.parameter
),

index_draw as (select * from intermediate.index_draw),

near as (
    select
        result.subject_id,
        result.analyte,
        result.collected_at,
        result.is_timed,
        result.comparator,
        result.value,
        coalesce(result.comparator, '=') || result.value as reading,
        result.unit,
        result.unit_source,
        result.result_id,
        setting.same_day,
        result.collected_date - index_draw.index_date as days_from_draw
    from intermediate.measurement as result
    inner join index_draw on result.subject_id = index_draw.subject_id
    cross join setting
    where
        result.analyte <> setting.exposure
        and abs(result.collected_date - index_draw.index_date) <= setting.window_days
    -- rank() keeps every result of the nearest day
    qualify rank() over (
        partition by result.subject_id, result.analyte
        order by abs(result.collected_date - index_draw.index_date) asc, result.collected_date asc
    ) = 1
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
    from near
    window one_day as (partition by subject_id, analyte)
),

chosen as (
    select
        *,
        is_agreed
        or (is_day_timed and min(reading) over chosen_time = max(reading) over chosen_time) as is_settled
    from timed
    where is_chosen_time
    window chosen_time as (partition by subject_id, analyte)
    qualify row_number() over (
        partition by subject_id, analyte order by result_id
    ) = 1
)

select
    subject_id,
    analyte,
    case when is_settled then value end as value,
    case when is_settled then comparator end as comparator,
    unit,
    unit_source,
    days_from_draw,
    day_results
from chosen
union all
select
    index_draw.subject_id,
    setting.exposure as analyte,
    index_draw.value,
    index_draw.comparator,
    index_draw.unit,
    index_draw.unit_source,
    0 as days_from_draw,
    index_draw.day_results
from index_draw
cross join setting
