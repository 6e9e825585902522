-- title: Severity bands of the scores at the index draw
-- grain: one row an included subject and score that is paired with its draw and has bands
-- parameters: none
-- source: intermediate.score_at_index, study.score_band (the band profiles of the instruments). A prorated
--   score between two whole numbers belongs to the band below
-- lineage: subject_id = the keyed digest of the identifier that stands in each row of the subject
--   score, profile = the study protocol and the bands of the instrument, not the data
--   form, value, band_position, band <- {score}
with
score as (
    select * from intermediate.score_at_index
    where is_paired and value is not null
),

score_band as (select * from study.score_band),

baseline as (
    select * from mart.subject_baseline
    where is_included
)

select
    score.subject_id,
    baseline.cohort_group,
    score.score,
    score.form,
    score.value,
    score_band.profile,
    score_band.position as band_position,
    score_band.band
from score
inner join baseline on score.subject_id = baseline.subject_id
inner join score_band
    on
        score.score = score_band.score
        and score.form = score_band.version
        and score.value >= score_band.lower
qualify row_number() over (partition by score.subject_id, score.score order by score_band.lower desc) = 1
