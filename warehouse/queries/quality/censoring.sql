-- title: Results outside the measuring range
-- grain: one row a site, platform and cohort group
-- parameters:
--   analyte (text, default vitamin_b12): an analyte of the registry
-- source: staging.lab_result, staging.subject; a share that differs between groups biases the comparison
with
result as (
    select * from staging.lab_result
    where analyte = $analyte and value is not null
),

subject as (select * from staging.subject)

select
    result.site,
    result.platform,
    subject.cohort_group,
    count(*) as results,
    count(*) filter (where result.comparator in ('<', '<=')) as below_range,
    count(*) filter (where result.comparator in ('>', '>=')) as above_range,
    count(*) filter (where result.comparator in ('<', '<=', '>', '>='))
    / count(*)::double as censored_share
from result
left join subject on result.subject_id = subject.subject_id
group by result.site, result.platform, subject.cohort_group
order by result.site, result.platform, subject.cohort_group
