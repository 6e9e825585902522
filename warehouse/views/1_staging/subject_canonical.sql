-- title: One identifier for every group of linked subjects
-- grain: one row a linked subject; a subject without a link has no row and stands for itself
-- stored: yes
-- parameters: none
-- source: core.subject_link (crosswalk files and decisions); the smallest identifier of a group stands for it
select
    subject_id,
    min(known_as) as canonical_id,
    count(*) as linked_subjects
from core.subject_alias
group by subject_id
