-- title: Measures of cases and controls
-- grain: one row a measure
-- parameters:
--   question (text, default group_comparison): the analysis set
-- source: mart.analysis_set, mart.subject_measure. Welch's t with its degrees of freedom; rank sum U of the
--   cases with its z, corrected for ties; standardised difference over the root of the mean variance
-- subjects: case_n control_n
with
member as (
    select subject_id
    from mart.analysis_set
    where question = $question and is_member
),

observation as (
    select
        subject_measure.measure,
        subject_measure.unit,
        subject_measure.cohort_group,
        subject_measure.value
    from mart.subject_measure as subject_measure
    inner join member on subject_measure.subject_id = member.subject_id
),

ranked as (
    select
        *,
        rank() over (partition by measure order by value) as lowest_rank,
        count(*) over (partition by measure, value) as tied
    from observation
),

summed as (
    select
        measure,
        max(unit) as unit,
        count(*) as n,
        count(*) filter (where cohort_group = 'case') as case_n,
        count(*) filter (where cohort_group = 'control') as control_n,
        avg(value) filter (where cohort_group = 'case') as case_mean,
        avg(value) filter (where cohort_group = 'control') as control_mean,
        var_samp(value) filter (where cohort_group = 'case') as case_var,
        var_samp(value) filter (where cohort_group = 'control') as control_var,
        quantile_cont(value, [0.25, 0.5, 0.75]) filter (where cohort_group = 'case') as case_quartiles,
        quantile_cont(value, [0.25, 0.5, 0.75]) filter (where cohort_group = 'control') as control_quartiles,
        sum(lowest_rank + (tied - 1) / 2.0) filter (where cohort_group = 'case') as case_rank_sum,
        -- each of a group of t tied values adds t^2 - 1, so the group adds t^3 - t
        sum(tied * tied - 1.0) as tie_sum
    from ranked
    group by measure
),

tested as (
    select
        *,
        case_var / case_n + control_var / control_n as squared_error,
        case_rank_sum - case_n * (case_n + 1) / 2.0 as rank_sum_u,
        case_n * control_n / 2.0 as expected_u,
        sqrt(case_n * control_n / 12.0 * ((n + 1) - tie_sum / nullif(n * (n - 1.0), 0))) as u_error
    from summed
)

select
    measure,
    unit,
    case_n,
    case_mean,
    sqrt(case_var) as case_sd,
    case_quartiles[2] as case_median,
    case_quartiles[1] as case_q1,
    case_quartiles[3] as case_q3,
    control_n,
    control_mean,
    sqrt(control_var) as control_sd,
    control_quartiles[2] as control_median,
    control_quartiles[1] as control_q1,
    control_quartiles[3] as control_q3,
    case_mean - control_mean as difference,
    (case_mean - control_mean) / nullif(sqrt((case_var + control_var) / 2), 0) as standardised_difference,
    (case_mean - control_mean) / nullif(sqrt(squared_error), 0) as welch_t,
    squared_error * squared_error
    / nullif(
        (case_var / case_n) * (case_var / case_n) / nullif(case_n - 1, 0)
        + (control_var / control_n) * (control_var / control_n) / nullif(control_n - 1, 0), 0
    ) as welch_df,
    rank_sum_u,
    (rank_sum_u - expected_u) / nullif(u_error, 0) as rank_sum_z
from tested
order by measure
