-- title: The rows behind each rule on a subject
-- grain: one row a subject, rule in whose scope it is, and row of core that the rule looks at
-- parameters: none
-- source: study.rule, study.criterion, study.concept, intermediate.lineage_of_measure, intermediate.history
with
scope as (select * from intermediate.rule_scope),

rule as (select * from study.rule),

looked_at as (
    select
        rule_id,
        case
            when kind = 'age' then 'age'
            when target = 'exposure' then 'b12'
            else target
        end as measure
    from rule
    where kind in ('required', 'attribute', 'age')
    union
    select
        rule.rule_id,
        threshold.analyte as measure
    from rule
    inner join study.threshold as threshold
        on list_contains(rule.targets, threshold.profile) or rule.doubted_by = threshold.profile
    where rule.kind = 'threshold'
),

lineage as (
    select
        scope.subject_id,
        scope.rule_id,
        source.kind,
        source.source_id,
        source.scale
    from scope
    inner join looked_at on scope.rule_id = looked_at.rule_id
    inner join intermediate.lineage_of_measure as source
        on scope.subject_id = source.subject_id and looked_at.measure = source.measure
    union
    select
        scope.subject_id,
        scope.rule_id,
        history.domain as kind,
        history.record_id as source_id,
        null as scale
    from scope
    inner join rule on scope.rule_id = rule.rule_id
    inner join study.concept as concept on list_contains(rule.targets, concept.concept_set)
    inner join intermediate.history as history
        on scope.subject_id = history.subject_id and concept.concept = history.concept
    where scope.kind = 'concept'
    union
    select
        scope.subject_id,
        scope.rule_id,
        'response' as kind,
        response.record_id as source_id,
        null as scale
    from scope
    inner join study.criterion as criterion on scope.rule_id = criterion.rule_id
    inner join staging.response as response
        on
            scope.subject_id = response.subject_id
            and criterion.instrument = response.instrument
            and criterion.item = response.item
)

select
    subject_id,
    rule_id,
    kind,
    source_id,
    scale
from lineage
