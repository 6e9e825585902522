-- title: The index draw
-- grain: one row a subject with an eligible draw
-- stored: yes
-- parameters: those of intermediate.draw
-- source: intermediate.draw, rank 1; rule C08
with
draw as (select * from intermediate.draw)

select
    subject_id,
    collected_date as index_date,
    days_to_scales,
    day_results,
    day_status,
    value,
    comparator,
    unit,
    unit_source,
    unit_basis,
    unit_stated,
    site,
    lab_id,
    platform,
    method,
    result_id
from draw
where draw_rank = 1
