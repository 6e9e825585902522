-- title: Anxiety, depression and sleep by deficiency within one group
-- grain: one row a score (HAMA, HAMD, PSQI)
-- parameters:
--   profile (text, default main): a threshold profile of the exposure, or main for that of the study
--   cohort_group (text, default case): within whom
-- source: mart.b12_status, mart.subject_measure of the included subjects; Welch's t; undetermined results are
--   left out and counted
-- subjects: deficient_n other_n undetermined_n
with
status as (
    select * from mart.b12_status
    where
        is_included
        and cohort_group = $cohort_group
        and (profile = $profile or ($profile = 'main' and is_main_profile))
),

score as (
    select * from mart.subject_measure
    where measure in ('hama', 'hamd', 'psqi')
),

summed as (
    select
        status.profile,
        score.measure,
        count(*) filter (where status.is_deficient) as deficient_n,
        avg(score.value) filter (where status.is_deficient) as deficient_mean,
        var_samp(score.value) filter (where status.is_deficient) as deficient_var,
        median(score.value) filter (where status.is_deficient) as deficient_median,
        count(*) filter (where not status.is_deficient) as other_n,
        avg(score.value) filter (where not status.is_deficient) as other_mean,
        var_samp(score.value) filter (where not status.is_deficient) as other_var,
        median(score.value) filter (where not status.is_deficient) as other_median,
        count(*) filter (where status.is_deficient is null) as undetermined_n
    from status
    inner join score on status.subject_id = score.subject_id
    group by status.profile, score.measure
)

select
    profile,
    measure,
    deficient_n,
    deficient_mean,
    sqrt(deficient_var) as deficient_sd,
    deficient_median,
    other_n,
    other_mean,
    sqrt(other_var) as other_sd,
    other_median,
    undetermined_n,
    deficient_mean - other_mean as difference,
    (deficient_mean - other_mean)
    / nullif(sqrt(deficient_var / deficient_n + other_var / other_n), 0) as welch_t
from summed
order by measure
