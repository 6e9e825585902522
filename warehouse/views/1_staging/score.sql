-- title: Scores with the date of their administration
-- grain: one row an administration and scale
-- parameters: none
-- source: core.score; a total that came without its items is taken as it was reported (basis reported_only)
with
score as (select * from core.score),

administration as (select * from core.administration),

canonical as (select * from staging.subject_canonical)

select
    score.administration_id,
    coalesce(canonical.canonical_id, score.subject_id) as subject_id,
    administration.site,
    score.instrument,
    score.version,
    score.scale,
    coalesce(score.value, case when score.basis = 'reported_only' then score.value_reported end) as value,
    score.value_reported,
    score.basis,
    score.score_status,
    administration.administered_at::date as administered_date,
    administration.visit
from score
left join administration on score.administration_id = administration.administration_id
left join canonical on score.subject_id = canonical.subject_id
