-- title: Results of the day nearest to the index draw
-- grain: one row a result of the nearest day within the window, by subject and analyte; the exposure apart
-- parameters: exposure, covariates.window_days
-- source: intermediate.measurement; the nearest day, the earlier of two equally near
with
setting as (
    select
        max(value) filter (where name = 'exposure') as exposure,
        max(value) filter (where name = 'covariates.window_days')::integer as window_days
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
        result.unit,
        result.unit_source,
        result.result_id,
        result.collected_date - index_draw.index_date as days_from_draw
    from intermediate.measurement as result
    inner join index_draw on result.subject_id = index_draw.subject_id
    cross join setting
    where
        result.analyte <> setting.exposure
        and abs(result.collected_date - index_draw.index_date) <= setting.window_days
),

nearest as (
    select
        subject_id,
        analyte,
        arg_min(days_from_draw, abs(days_from_draw) * 2 + (days_from_draw > 0)::integer) as days_from_draw
    from near
    group by subject_id, analyte
)

select
    near.subject_id,
    near.analyte,
    near.collected_at,
    near.is_timed,
    near.comparator,
    near.value,
    near.unit,
    near.unit_source,
    near.result_id,
    near.days_from_draw
from near
inner join nearest
    on
        near.subject_id = nearest.subject_id
        and near.analyte = nearest.analyte
        and near.days_from_draw = nearest.days_from_draw
