-- title: Balance before and after matching
-- grain: one row a selection (included, matched) and matching variable (age, share of women)
-- parameters: none
-- source: mart.subject_baseline, mart.matched_set; rule C14. Standardised difference = difference of the
--   means over the root of the mean of the two variances
-- lineage: * = a figure of many subjects: see age, sex, cohort_group in mart.subject_baseline for each
with
baseline as (
    select * from mart.subject_baseline
    where is_included
),

matched as (
    select distinct subject_id
    from mart.matched_set
    where is_valid
),

grouped as (
    select
        'included' as selection,
        cohort_group,
        age,
        sex
    from baseline
    union all
    select
        'matched' as selection,
        baseline.cohort_group,
        baseline.age,
        baseline.sex
    from baseline
    inner join matched on baseline.subject_id = matched.subject_id
),

long as (
    select
        selection,
        cohort_group,
        unnest(['age', 'share_of_women']) as measure,
        unnest([age::double, (sex = 'female')::integer::double]) as value
    from grouped
),

summary as (
    select
        selection,
        measure,
        count(value) filter (where cohort_group = 'case') as case_n,
        count(value) filter (where cohort_group = 'control') as control_n,
        avg(value) filter (where cohort_group = 'case') as case_mean,
        avg(value) filter (where cohort_group = 'control') as control_mean,
        var_samp(value) filter (where cohort_group = 'case') as case_variance,
        var_samp(value) filter (where cohort_group = 'control') as control_variance
    from long
    group by selection, measure
)

select
    selection,
    measure,
    case_n,
    control_n,
    case_mean,
    control_mean,
    (case_mean - control_mean)
    / nullif(sqrt((case_variance + control_variance) / 2), 0) as standardised_difference
from summary
