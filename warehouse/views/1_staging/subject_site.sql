-- title: Which sites know a subject
-- grain: one row a subject and site that states an attribute of it
-- parameters: none
-- source: core.subject_attribute
with
statement as (
    select * from core.subject_attribute
    where row_state = 'current'
),

canonical as (select * from staging.subject_canonical)

select distinct
    coalesce(canonical.canonical_id, statement.subject_id) as subject_id,
    statement.site
from statement
left join canonical on statement.subject_id = canonical.subject_id
