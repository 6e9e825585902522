-- title: Texts that stand for no concept
-- grain: one row a kind of record, site and text
-- parameters: none
-- source: staging.condition, staging.medication; texts that came without a known code and that no name of the
--   concept sets answers to. Texts are the senders' own words: a list to review, not to share
with
record as (
    select
        'condition' as kind,
        site,
        subject_id,
        code,
        text_source,
        concept
    from staging.condition
    union all
    select
        'medication' as kind,
        site,
        subject_id,
        code,
        text_source,
        concept
    from staging.medication
)

select
    kind,
    site,
    text_source,
    count(*) as records,
    count(distinct subject_id) as subjects,
    count(*) filter (where code is not null) as with_code
from record
where concept is null and text_source is not null
group by kind, site, text_source
order by records desc, kind asc, site asc, text_source asc
