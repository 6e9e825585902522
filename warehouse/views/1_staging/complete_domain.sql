-- title: Where no record means absent
-- grain: one row a site and domain (condition, medication) whose feed is declared complete
-- parameters: none
-- source: meta.column_decision of active loads, about complete:condition or complete:medication
with
decision as (
    select * from meta.column_decision
    where about in ('complete:condition', 'complete:medication') and lower(value) = 'true'
),

active_load as (
    select * from meta.load
    where status = 'active'
)

select distinct
    active_load.site,
    split_part(decision.about, ':', 2) as domain
from decision
inner join active_load on decision.load_id = active_load.load_id
