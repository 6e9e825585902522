-- title: Contradictory statements about subjects
-- grain: one row an attribute that is contradicted for someone
-- parameters: none
-- source: staging.subject; a contradiction is null in the marts until a precedence or a correction settles it
with
subject as (select * from staging.subject),

conflict as (
    select
        subject_id,
        unnest(conflicts) as attribute
    from subject
)

select
    attribute,
    count(*) as subjects
from conflict
group by attribute
order by subjects desc, attribute asc
