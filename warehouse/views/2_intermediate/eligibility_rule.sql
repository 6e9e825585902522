-- title: Eligibility by rule
-- grain: one row a subject and rule in whose scope it is
-- stored: yes
-- parameters: none
-- source: the rule views; outcome is eligible, excluded or unknown. An exclusion removes; not knowing removes
--   only if the rule says drop
with
outcome as (
    select * from intermediate.rule_required
    union all
    select * from intermediate.rule_attribute
    union all
    select * from intermediate.rule_threshold
    union all
    select * from intermediate.rule_concept
    union all
    select * from intermediate.rule_criterion
),

rule as (select * from study.rule)

select
    outcome.subject_id,
    outcome.rule_id,
    rule.position,
    outcome.outcome,
    outcome.outcome = 'excluded'
    or (outcome.outcome = 'unknown' and rule.unknown_policy = 'drop') as is_removed
from outcome
inner join rule on outcome.rule_id = rule.rule_id
