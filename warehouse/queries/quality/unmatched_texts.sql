-- title: Texts that stand for no concept
-- grain: one row a kind of record, site and text; texts of fewer than five subjects are counted together
--   (they may name people)
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
),

unmatched as (
    select * from record
    where concept is null and text_source is not null
),

shared as (
    select
        kind,
        site,
        text_source
    from unmatched
    group by kind, site, text_source
    having count(distinct subject_id) > 4
)

select
    unmatched.kind,
    unmatched.site,
    shared.text_source,
    count(distinct unmatched.text_source) as texts,
    count(*) as records,
    count(distinct unmatched.subject_id) as subjects,
    count(*) filter (where unmatched.code is not null) as with_code
from unmatched
left join shared
    on
        unmatched.kind = shared.kind
        and unmatched.site = shared.site
        and unmatched.text_source = shared.text_source
group by unmatched.kind, unmatched.site, shared.text_source
order by records desc, unmatched.kind asc, unmatched.site asc, shared.text_source asc nulls last
