-- title: Rules on attributes and age
-- grain: one row a subject and rule of kind attribute or age in whose scope it is
-- parameters: none
-- source: study.rule, staging.subject_attribute, intermediate.subject_at_index
with
scope as (
    select * from intermediate.rule_scope
    where kind in ('attribute', 'age')
),

rule as (select * from study.rule),

subject as (select * from intermediate.subject_at_index),

attribute as (select * from staging.subject_attribute)

select
    scope.subject_id,
    scope.rule_id,
    case
        when scope.kind = 'attribute' and attribute.value is null then rule.unstated
        when scope.kind = 'attribute' and list_contains(rule.excluded_values, lower(attribute.value))
            then 'excluded'
        when scope.kind = 'age' and subject.age is null then 'unknown'
        when scope.kind = 'age' and (subject.age < rule.minimum or subject.age > rule.maximum)
            then 'excluded'
        else 'eligible'
    end as outcome
from scope
inner join rule on scope.rule_id = rule.rule_id
inner join subject on scope.subject_id = subject.subject_id
left join attribute on scope.subject_id = attribute.subject_id and rule.target = attribute.attribute
