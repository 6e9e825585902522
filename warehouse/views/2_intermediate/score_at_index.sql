-- title: Scores paired with the index draw
-- grain: one row a subject with an index draw and score of the study that was ever taken
-- stored: yes
-- parameters: pairing.window_days, pairing.review_days, pairing.limit_days, pairing.undated,
--   pairing.usable_statuses, pairing.reported_only
-- source: staging.score, study.score_choice; rule C07. The nearest administration, the earlier of two equally
--   near; administrations of that day that disagree stay null. A score is null for a group it is undefined in
with
setting as (
    select
        max(value) filter (where name = 'pairing.window_days')::integer as window_days,
        max(value) filter (where name = 'pairing.review_days')::integer as review_days,
        max(value) filter (where name = 'pairing.limit_days')::integer as limit_days,
        max(value) filter (where name = 'pairing.undated') as undated,
        max(value) filter (where name = 'pairing.reported_only') as reported_only
    from study.parameter
),

subject as (
    select * from intermediate.subject_at_index
    where index_date is not null
),

score_choice as (select * from study.score_choice),

usable_status as (select * from study.usable_score_status),

candidate as (
    select
        subject.subject_id,
        score_choice.score,
        score.value,
        score.basis,
        score.score_status,
        score.version,
        score.administration_id,
        score.administered_date,
        score.administered_date - subject.index_date as days_from_draw
    from staging.score as score
    inner join subject on score.subject_id = subject.subject_id
    inner join score_choice
        on
            score.instrument = score_choice.instrument
            and score.scale = score_choice.scale
            and (score_choice.version is null or score.version = score_choice.version)
            and list_contains(score_choice.cohort_groups, subject.cohort_group)
    inner join usable_status on score.score_status = usable_status.status
    cross join setting
    where score.value is not null and (score.basis <> 'reported_only' or setting.reported_only = 'accept')
),

nearest as (
    select * from candidate
    qualify rank() over (
        partition by subject_id, score order by abs(days_from_draw) asc nulls last, days_from_draw asc
    ) = 1
),

settled as (
    select
        subject_id,
        score,
        case when count(distinct value) = 1 then any_value(value) end as value,
        min(basis) as basis,
        min(score_status) as score_status,
        min(version) as form,
        any_value(administered_date) as administered_date,
        any_value(days_from_draw) as days_from_draw,
        count(*) as administrations,
        list(administration_id order by administration_id) as administration_ids
    from nearest
    group by subject_id, score
)

select
    settled.subject_id,
    settled.score,
    settled.value,
    settled.basis,
    settled.score_status,
    settled.form,
    settled.administered_date,
    settled.days_from_draw,
    settled.administrations,
    settled.administration_ids,
    case
        when settled.days_from_draw is null then 'undated'
        when abs(settled.days_from_draw) <= setting.window_days then 'within'
        when abs(settled.days_from_draw) <= setting.review_days then 'review'
        when abs(settled.days_from_draw) <= setting.limit_days then 'wide'
        else 'outside'
    end as pairing,
    coalesce(abs(settled.days_from_draw) <= setting.window_days, setting.undated = 'accept') as is_paired
from settled
cross join setting
