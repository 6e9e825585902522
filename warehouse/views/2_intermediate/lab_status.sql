-- title: Results at the index draw against every threshold profile
-- grain: one row a subject and profile of an analyte that was measured
-- stored: yes
-- parameters: none
-- source: intermediate.lab_at_index, study.threshold. A result is brought into the unit in which the profile
--   states its limits; rounding to 6 digits gives back what the laboratory printed in that unit. Reported as
--   <150, a result is an interval: it has a band only if the whole interval lies in one
with
result as (
    select * from intermediate.lab_at_index
    where value is not null
),

threshold as (select * from study.threshold),

unit_factor as (select * from study.unit_factor),

profile as (
    select distinct
        profile,
        analyte,
        unit
    from threshold
),

placed as (
    select
        result.subject_id,
        profile.profile,
        result.analyte,
        profile.unit,
        result.comparator,
        result.days_from_draw,
        case
            when result.unit = profile.unit then result.value
            else round((result.value - unit_factor.shift) / unit_factor.factor, 6)
        end as value
    from result
    inner join profile on result.analyte = profile.analyte
    left join unit_factor on profile.analyte = unit_factor.analyte and profile.unit = unit_factor.unit
),

bounded as (
    select
        *,
        case when comparator in ('<', '<=') then '-infinity'::double else value end as low,
        case when comparator in ('>', '>=') then 'infinity'::double else value end as high,
        coalesce(comparator, '=') not in ('<', '<=', '>') as is_low_included,
        coalesce(comparator, '=') not in ('>', '>=', '<') as is_high_included
    from placed
)

select
    bounded.subject_id,
    bounded.profile,
    bounded.analyte,
    bounded.value,
    bounded.comparator,
    bounded.unit,
    bounded.days_from_draw,
    threshold.band,
    threshold.position as band_position,
    threshold.flagged as is_flagged
from bounded
left join threshold
    on
        bounded.profile = threshold.profile
        and (
            bounded.low > threshold.lower
            or (bounded.low = threshold.lower and (threshold.lower_included or not bounded.is_low_included))
        )
        and (
            bounded.high < threshold.upper
            or (bounded.high = threshold.upper and (threshold.upper_included or not bounded.is_high_included))
        )
