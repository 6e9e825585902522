-- title: Loads and their counts
-- grain: one row a site, feed and load status
-- parameters: none
-- source: meta.load; difference is read minus the six buckets and must be 0
with
load as (select * from meta.load)

select
    site,
    feed,
    status,
    count(*) as loads,
    min(loaded_at) as first_loaded_at,
    max(loaded_at) as last_loaded_at,
    sum(records)::bigint as records,
    sum(read)::bigint as read_candidates,
    sum(accepted)::bigint as accepted,
    sum(held)::bigint as held,
    sum(duplicate)::bigint as duplicate,
    sum(superseded)::bigint as superseded,
    sum(out_of_scope)::bigint as out_of_scope,
    sum(withdrawn)::bigint as withdrawn,
    sum(read - accepted - held - duplicate - superseded - out_of_scope - withdrawn)::bigint as difference
from load
group by site, feed, status
order by site, feed, status
