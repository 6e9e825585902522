-- title: Vitamin B12 by severity band
-- grain: one row a severity band of the score, from mild to severe
-- parameters:
--   score (text, default irls): a score of the study that has bands
--   cohort_group (text, default case): whose bands
-- source: mart.score_severity, mart.subject_measure; the bands of the instrument's profile that the study
--   names
-- subjects: n by profile
with
severity as (
    select * from mart.score_severity
    where score = $score and cohort_group = $cohort_group
),

exposure as (
    select * from mart.subject_measure
    where measure = 'b12'
)

select
    severity.profile,
    severity.band,
    count(*) as n,
    avg(exposure.value) as b12_mean,
    stddev_samp(exposure.value) as b12_sd,
    quantile_cont(exposure.value, 0.25) as b12_q1,
    median(exposure.value) as b12_median,
    quantile_cont(exposure.value, 0.75) as b12_q3,
    max(exposure.unit) as unit
from severity
inner join exposure on severity.subject_id = exposure.subject_id
group by severity.profile, severity.band, severity.band_position
order by severity.band_position
