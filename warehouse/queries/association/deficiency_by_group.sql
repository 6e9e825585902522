-- title: Deficiency in cases and controls
-- grain: one row, a two-by-two table
-- parameters:
--   profile (text, default main): a threshold profile of the exposure, or main for that of the study
--   z (number, default 1.959963984540054): normal quantile of the interval, 95 % by default
-- source: mart.b12_status of the included subjects. Odds ratio with Woolf's interval; null with an empty
--   cell, for which an exact method is needed; undetermined results stand beside the table, in no cell
-- subjects: case_deficient case_not_deficient case_undetermined
--   | control_deficient control_not_deficient control_undetermined
with
status as (
    select * from mart.b12_status
    where is_included and (profile = $profile or ($profile = 'main' and is_main_profile))
),

counted as (
    select
        max(profile) as profile,
        max(unit) as unit,
        count(*) filter (where cohort_group = 'case' and is_deficient) as a,
        count(*) filter (where cohort_group = 'case' and not is_deficient) as b,
        count(*) filter (where cohort_group = 'control' and is_deficient) as c,
        count(*) filter (where cohort_group = 'control' and not is_deficient) as d,
        count(*) filter (where cohort_group = 'case' and is_deficient is null) as case_undetermined,
        count(*) filter (where cohort_group = 'control' and is_deficient is null) as control_undetermined
    from status
),

ratio as (
    select
        *,
        case when a * b * c * d > 0 then ln(a * d / (b * c)::double) end as log_odds_ratio,
        case when a * b * c * d > 0 then sqrt(1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d) end as standard_error
    from counted
)

select
    profile,
    unit,
    a as case_deficient,
    b as case_not_deficient,
    case_undetermined,
    c as control_deficient,
    d as control_not_deficient,
    control_undetermined,
    a / nullif(a + b, 0)::double as case_share,
    c / nullif(c + d, 0)::double as control_share,
    exp(log_odds_ratio) as odds_ratio,
    exp(log_odds_ratio - $z * standard_error) as odds_ratio_low,
    exp(log_odds_ratio + $z * standard_error) as odds_ratio_high
from ratio
