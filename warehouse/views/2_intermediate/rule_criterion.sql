-- title: Rules on diagnostic criteria
-- grain: one row a subject and rule of kind criterion in whose scope it is
-- parameters: none
-- source: study.criterion, staging.response; rule C01. Answers of one item that disagree count as unknown
with
scope as (
    select * from intermediate.rule_scope
    where kind = 'criterion'
),

criterion as (select * from study.criterion),

-- few of the many answers concern a criterion
asked as (
    select distinct
        instrument,
        item
    from criterion
),

answer as (
    select
        response.subject_id,
        response.instrument,
        response.item,
        case when min(response.value) = max(response.value) then max(response.value) end as value
    from staging.response as response
    inner join asked on response.instrument = asked.instrument and response.item = asked.item
    where response.value is not null
    group by response.subject_id, response.instrument, response.item
)

select
    scope.subject_id,
    scope.rule_id,
    case
        when bool_or(answer.value <> criterion.expected) then 'excluded'
        when count(*) = count(answer.value) then 'eligible'
        else 'unknown'
    end as outcome
from scope
inner join criterion on scope.rule_id = criterion.rule_id
left join answer
    on
        scope.subject_id = answer.subject_id
        and criterion.instrument = answer.instrument
        and criterion.item = answer.item
group by scope.subject_id, scope.rule_id
