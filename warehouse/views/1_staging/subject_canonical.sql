-- title: One identifier for every group of linked subjects
-- grain: one row a linked subject; a subject without a link has no row and stands for itself
-- stored: yes
-- parameters: none
-- source: core.subject_link (crosswalk files and decisions); the smallest identifier of a group stands for it
with recursive
link as (
    select
        subject_id,
        linked_subject_id
    from core.subject_link
    where subject_id is not null and linked_subject_id is not null
),

edge as (
    select
        subject_id,
        linked_subject_id as other_id
    from link
    union
    select
        linked_subject_id as subject_id,
        subject_id as other_id
    from link
),

reach as (
    select
        subject_id,
        subject_id as reached_id
    from edge
    union
    select
        reach.subject_id,
        edge.other_id as reached_id
    from reach
    inner join edge on reach.reached_id = edge.subject_id
)

select
    subject_id,
    min(reached_id) as canonical_id,
    count(*) as linked_subjects
from reach
group by subject_id
