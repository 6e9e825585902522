-- title: Vitamin B12 by site, platform and group
-- grain: one row a site, platform, source unit and cohort group of the included subjects
-- parameters: none
-- source: mart.subject_baseline; rule C19. Platforms differ by 14-20 %, so a site or platform that holds one
--   group only is confounded with it
-- lineage: * = a figure of many subjects: see b12, platform, cohort_group in mart.subject_baseline for each
with
baseline as (
    select * from mart.subject_baseline
    where is_included
)

select
    site,
    platform,
    b12_unit_stated,
    b12_unit_basis,
    cohort_group,
    count(*) as subjects,
    avg(b12_analysis) as b12_mean,
    stddev_samp(b12_analysis) as b12_sd,
    median(b12_analysis) as b12_median,
    any_value(b12_unit) as b12_unit,
    count(*) filter (where b12_comparator in ('<', '<=')) as censored_low,
    count(*) filter (where b12_comparator in ('>', '>=')) as censored_high
from baseline
group by site, platform, b12_unit_stated, b12_unit_basis, cohort_group
