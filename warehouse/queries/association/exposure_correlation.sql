-- title: Vitamin B12 with the scores
-- grain: one row a score (IRLS, PSQI, HAMA, HAMD) and cohort group that has both values
-- parameters:
--   cohort_group (text, default case): case, control or both (IRLS is undefined for controls)
--   z (number, default 1.959963984540054): normal quantile of the interval, 95 % by default
-- source: mart.subject_measure. Pearson r; Spearman rho is Pearson's r of mid-ranks, which corrects for ties;
--   t has n - 2 degrees of freedom; interval of r by Fisher's z
-- subjects: n
with
measure as (
    select * from mart.subject_measure
    where $cohort_group = 'both' or cohort_group = $cohort_group
),

pair as (
    select
        outcome.measure,
        exposure.value as x,
        outcome.value as y,
        exposure.unit as exposure_unit
    from measure as exposure
    inner join measure as outcome on exposure.subject_id = outcome.subject_id
    where exposure.measure = 'b12' and outcome.measure in ('irls', 'psqi', 'hama', 'hamd')
),

ranked as (
    select
        *,
        rank() over (partition by measure order by x)
        + (count(*) over (partition by measure, x) - 1) / 2.0 as rank_x,
        rank() over (partition by measure order by y)
        + (count(*) over (partition by measure, y) - 1) / 2.0 as rank_y
    from pair
),

correlated as (
    select
        measure,
        max(exposure_unit) as exposure_unit,
        count(*) as n,
        case when var_pop(x) > 0 and var_pop(y) > 0 then corr(x, y) end as pearson_r,
        case when var_pop(rank_x) > 0 and var_pop(rank_y) > 0 then corr(rank_x, rank_y) end as spearman_rho
    from ranked
    group by measure
)

select
    measure,
    $cohort_group::varchar as selected_group,
    exposure_unit,
    n,
    pearson_r,
    pearson_r * sqrt((n - 2) / nullif(1 - pearson_r * pearson_r, 0)) as pearson_t,
    case when n > 3 and abs(pearson_r) < 1 then tanh(atanh(pearson_r) - $z / sqrt(n - 3)) end as pearson_low,
    case when n > 3 and abs(pearson_r) < 1 then tanh(atanh(pearson_r) + $z / sqrt(n - 3)) end as pearson_high,
    spearman_rho,
    spearman_rho * sqrt((n - 2) / nullif(1 - spearman_rho * spearman_rho, 0)) as spearman_t
from correlated
order by measure
