-- title: Held records by reason
-- grain: one row a site, feed, stage, measure, reason and status; a record with two reasons counts under each
-- parameters:
--   status (text, default open): open, corrected, waived, replaced, withdrawn, or all
-- source: quarantine.record
with
record as (
    select * from quarantine.record
    where $status = 'all' or status = $status
),

reason as (
    select
        site,
        feed,
        stage,
        measure,
        status,
        record_id,
        unnest(reasons) as reason
    from record
)

select
    site,
    feed,
    stage,
    measure,
    reason,
    status,
    count(*) as records
from reason
group by site, feed, stage, measure, reason, status
order by records desc, site asc, feed asc, reason asc, measure asc
