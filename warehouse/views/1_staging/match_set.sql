-- title: Match sets as the sites state them
-- grain: one row a match set and subject
-- parameters: none
-- source: core.match_set; a set's name belongs to the site that sent it
with
member as (select * from core.match_set),

source_file as (select * from meta.source_file),

canonical as (select * from staging.subject_canonical)

select distinct
    coalesce(source_file.site || ':', '') || member.match_set_id as match_set_id,
    coalesce(canonical.canonical_id, member.subject_id) as subject_id,
    member.role
from member
left join source_file on member.file_id = source_file.file_id
left join canonical on member.subject_id = canonical.subject_id
where member.match_set_id is not null
