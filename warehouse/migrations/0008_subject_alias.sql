-- title: all numbers of one person, over any number of links

-- A laboratory's number linked to a ward's, and that to the study's, are one person; checks that followed one
-- link only took the first and the last for two. Subjects without a link have no row.
create view core.subject_alias as
with recursive
edge as (
    select
        subject_id,
        linked_subject_id as known_as
    from core.subject_link
    where subject_id is not null and linked_subject_id is not null
    union
    select
        linked_subject_id as subject_id,
        subject_id as known_as
    from core.subject_link
    where subject_id is not null and linked_subject_id is not null
),

reach as (
    select
        subject_id,
        subject_id as known_as
    from edge
    union
    select
        reach.subject_id,
        edge.known_as
    from reach
    inner join edge on reach.known_as = edge.subject_id
)

select
    subject_id,
    known_as
from reach;
