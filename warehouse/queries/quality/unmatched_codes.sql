-- title: Codes and texts that are in no concept set
-- grain: one row a kind of record, site, code system and code; texts without a code are counted together
-- parameters: none
-- source: staging.condition, staging.medication; what a reviewer has to look at first
with
record as (
    select
        'condition' as kind,
        site,
        code_system,
        code,
        concept
    from staging.condition
    union all
    select
        'medication' as kind,
        site,
        code_system,
        code,
        concept
    from staging.medication
)

select
    kind,
    site,
    code_system,
    code,
    count(*) as records
from record
where concept is null
group by kind, site, code_system, code
order by records desc, kind asc, site asc, code_system asc, code asc
