-- title: Answers to the items of an instrument
-- grain: one row a current answer; an answer without a value keeps its reason
-- parameters: none
-- source: core.response
with
response as (
    select * from core.response
    where row_state = 'current'
),

canonical as (select * from staging.subject_canonical)

select
    response.record_id,
    response.administration_id,
    coalesce(canonical.canonical_id, response.subject_id) as subject_id,
    response.site,
    response.feed,
    response.instrument,
    response.item,
    response.value,
    response.absent_reason,
    response.file_id,
    response.row_number,
    response.locator
from response
left join canonical on response.subject_id = canonical.subject_id
