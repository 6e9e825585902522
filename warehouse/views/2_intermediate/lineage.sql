-- title: The rows of core behind the columns of the marts
-- grain: one row a subject, measure, eligibility or question, and row of core
-- parameters: none
-- source: intermediate.lineage_of_measure, lineage_of_rule; excluded_by and unknown_for have the rules that
--   are named there, question:NAME the measures that the question needs
with
measure as (select * from intermediate.lineage_of_measure),

rule as (
    select
        source.subject_id,
        source.kind,
        source.source_id,
        source.scale,
        outcome.outcome
    from intermediate.lineage_of_rule as source
    inner join intermediate.eligibility_rule as outcome
        on source.subject_id = outcome.subject_id and source.rule_id = outcome.rule_id
),

question as (
    select
        question,
        unnest(needs) as measure
    from study.question
)

select
    subject_id,
    measure,
    kind,
    source_id,
    scale
from measure
union
select
    measure.subject_id,
    'question:' || question.question as measure,
    measure.kind,
    measure.source_id,
    measure.scale
from measure
inner join question on measure.measure = question.measure
union
select
    subject_id,
    'eligibility' as measure,
    kind,
    source_id,
    scale
from rule
union
select
    subject_id,
    if(outcome = 'excluded', 'excluded_by', 'unknown_for') as measure,
    kind,
    source_id,
    scale
from rule
where outcome <> 'eligible'
