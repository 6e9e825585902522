-- title: Covariates at the index draw
-- grain: one row a subject and analyte measured within the window; the exposure at the index draw itself
-- stored: yes
-- parameters: exposure, covariates.window_days, results.same_day
-- source: intermediate.lab_near_index. Several values of the nearest day are settled as in
--   intermediate.b12_day; most days have one, which needs no settling
with
setting as (
    select
        max(value) filter (where name = 'exposure') as exposure,
        max(value) filter (where name = 'results.same_day') as same_day
    from study.parameter
),

index_draw as (select * from intermediate.index_draw),

near as materialized (select * from intermediate.lab_near_index),

counted as (
    select
        subject_id,
        analyte,
        count(*) as day_results,
        any_value(value) as value,
        any_value(comparator) as comparator,
        any_value(unit) as unit,
        any_value(unit_source) as unit_source,
        any_value(result_id) as result_id,
        any_value(days_from_draw) as days_from_draw
    from near
    group by subject_id, analyte
),

timed as (
    select
        near.*,
        coalesce(near.comparator, '=') || near.value as reading,
        near.collected_at = case
            when setting.same_day = 'last' then max(near.collected_at) over one_day
            else min(near.collected_at) over one_day
        end as is_chosen_time,
        counted.day_results,
        bool_and(near.is_timed) over one_day as is_day_timed,
        min(reading) over one_day = max(reading) over one_day as is_agreed
    from near
    cross join setting
    inner join counted
        on near.subject_id = counted.subject_id and near.analyte = counted.analyte and counted.day_results > 1
    window one_day as (partition by near.subject_id, near.analyte)
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
    value,
    comparator,
    unit,
    unit_source,
    days_from_draw,
    day_results,
    result_id
from counted
where day_results = 1
union all
select
    subject_id,
    analyte,
    case when is_settled then value end as value,
    case when is_settled then comparator end as comparator,
    unit,
    unit_source,
    days_from_draw,
    day_results,
    case when is_settled then result_id end as result_id
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
    index_draw.day_results,
    index_draw.result_id
from index_draw
cross join setting
