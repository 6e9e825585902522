-- title: Diagnoses and habits by concept
-- grain: one row a current record and concept; a record whose code is in no concept set has a null concept
-- parameters: none
-- source: core.condition, staging.coding; a concept that the mapping declares goes before the code lists
with
record as (
    select * from core.condition
    where row_state = 'current'
),

canonical as (select * from staging.subject_canonical),

coding as (
    select distinct
        code_system,
        code,
        text_source,
        concept
    from staging.coding
    where domain = 'condition'
)

select
    record.record_id,
    coalesce(canonical.canonical_id, record.subject_id) as subject_id,
    record.site,
    record.feed,
    coalesce(record.concept, coding.concept) as concept,
    record.code,
    record.code_system,
    record.text_source,
    record.status,
    record.started_at::date as started_date,
    record.ended_at::date as ended_date,
    record.file_id,
    record.row_number,
    record.locator
from record
left join canonical on record.subject_id = canonical.subject_id
left join coding
    on
        record.concept is null
        and record.code_system is not distinct from coding.code_system
        and record.code is not distinct from coding.code
        and record.text_source is not distinct from coding.text_source
