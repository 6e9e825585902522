-- title: Blood draws with their rank
-- grain: one row a subject and day with a result of the exposure; all draws are kept with their rank
-- parameters: index_draw.rule, index_draw.first_date, index_draw.last_date, index_draw.untreated_by,
--   index_draw.washout_days
-- source: intermediate.b12_day; rules C07 (no B12 treatment) and C08 (one draw by one rule for both groups)
with
setting as (
    select
        max(value) filter (where name = 'index_draw.rule') as index_rule,
        max(value) filter (where name = 'index_draw.first_date')::date as first_date,
        max(value) filter (where name = 'index_draw.last_date')::date as last_date,
        max(value) filter (where name = 'index_draw.untreated_by') as treatment,
        max(value) filter (where name = 'index_draw.washout_days')::integer as washout_days
    from study.parameter
),

day as (select * from intermediate.b12_day),

concept as (select * from study.concept),

score_choice as (select distinct instrument from study.score_choice),

treated as (
    select distinct
        day.subject_id,
        day.collected_date
    from day
    inner join intermediate.history as history on day.subject_id = history.subject_id
    inner join concept on history.concept = concept.concept
    inner join setting on concept.concept_set = setting.treatment
    where
        history.status = 'present'
        and history.started_date <= day.collected_date
        and coalesce(history.ended_date >= day.collected_date - setting.washout_days, true)
),

scale as (
    select
        day.subject_id,
        day.collected_date,
        min(abs(administration.administered_date - day.collected_date)) as days_to_scales
    from day
    inner join staging.administration as administration on day.subject_id = administration.subject_id
    inner join score_choice on administration.instrument = score_choice.instrument
    group by day.subject_id, day.collected_date
),

judged as (
    select
        day.*,
        scale.days_to_scales,
        case
            when day.day_status = 'ambiguous' then 'ambiguous'
            when day.collected_date < setting.first_date or day.collected_date > setting.last_date
                then 'outside_period'
            when treated.subject_id is not null then 'under_treatment'
            else 'eligible'
        end as draw_status,
        case when setting.index_rule = 'nearest_to_scales' then scale.days_to_scales end as distance
    from day
    cross join setting
    left join treated on day.subject_id = treated.subject_id and day.collected_date = treated.collected_date
    left join scale on day.subject_id = scale.subject_id and day.collected_date = scale.collected_date
)

select
    subject_id,
    collected_date,
    draw_status,
    case
        when draw_status = 'eligible'
            then row_number() over (
                partition by subject_id, draw_status order by distance asc nulls last, collected_date asc
            )
    end as draw_rank,
    days_to_scales,
    day_results,
    day_status,
    value,
    comparator,
    unit,
    unit_source,
    unit_basis,
    unit_stated,
    site,
    lab_id,
    platform,
    method,
    result_id
from judged
