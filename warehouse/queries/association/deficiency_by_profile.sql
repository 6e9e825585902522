-- title: Deficiency under every threshold profile
-- grain: one row a profile, cohort group and band
-- parameters: none
-- source: mart.b12_status of the included subjects; there is no single cut-off, so all of them are shown
-- subjects: subjects by profile cohort_group
with
status as (
    select * from mart.b12_status
    where is_included
)

select
    profile,
    is_main_profile,
    unit,
    cohort_group,
    band,
    bool_or(is_deficient) as is_deficient,
    count(*) as subjects,
    sum(count(*)) over (partition by profile, cohort_group)::bigint as group_subjects
from status
group by profile, is_main_profile, unit, cohort_group, band, band_position
order by profile, cohort_group, band_position nulls last
