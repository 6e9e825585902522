-- title: Rules on what must be known
-- grain: one row a subject and rule of kind required in whose scope it is
-- parameters: none
-- source: study.rule, intermediate.subject_at_index; contradictory statements count as unknown
with
scope as (
    select * from intermediate.rule_scope
    where kind = 'required'
),

rule as (select * from study.rule),

subject as (select * from intermediate.subject_at_index)

select
    scope.subject_id,
    scope.rule_id,
    case
        when rule.target = 'cohort_group' and subject.cohort_group in ('case', 'control') then 'eligible'
        when rule.target = 'exposure' and subject.index_date is not null then 'eligible'
        when rule.target = 'sex' and subject.sex is not null then 'eligible'
        when rule.target = 'age' and subject.age is not null then 'eligible'
        else 'unknown'
    end as outcome
from scope
inner join rule on scope.rule_id = rule.rule_id
inner join subject on scope.subject_id = subject.subject_id
