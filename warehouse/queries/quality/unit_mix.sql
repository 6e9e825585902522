-- title: Units of an analyte by site and month
-- grain: one row a site, month, source unit and evidence
-- parameters:
--   analyte (text, default vitamin_b12): an analyte of the registry
-- source: staging.lab_result; rule C20 (a unit that changes inside a site is a change of system, or an error)
with
result as (
    select * from staging.lab_result
    where analyte = $analyte and value is not null
)

select
    site,
    date_trunc('month', collected_at)::date as collected_month,
    unit_stated,
    unit_basis,
    max(unit) as unit,
    count(*) as results,
    median(value) as median_value
from result
group by site, collected_month, unit_stated, unit_basis
order by site, collected_month, unit_stated, unit_basis
