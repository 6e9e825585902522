-- title: Rules on laboratory results
-- grain: one row a subject and rule of kind threshold in whose scope it is
-- parameters: none
-- source: study.rule, intermediate.lab_status; rules C02, C03, C04. Excluded when a profile is flagged;
--   eligible when every profile of the rule is known and not flagged, and no marker makes that doubtful (CRP
--   for ferritin)
with
scope as (
    select * from intermediate.rule_scope
    where kind = 'threshold'
),

rule as (select * from study.rule),

status as (select * from intermediate.lab_status),

target as (
    select
        rule_id,
        unnest(targets) as profile
    from rule
    where kind = 'threshold'
),

judged as (
    select
        scope.subject_id,
        scope.rule_id,
        bool_or(status.is_flagged) as is_any_flagged,
        count(*) = count(status.is_flagged) as is_all_known
    from scope
    inner join target on scope.rule_id = target.rule_id
    left join status on scope.subject_id = status.subject_id and target.profile = status.profile
    group by scope.subject_id, scope.rule_id
)

select
    judged.subject_id,
    judged.rule_id,
    case
        when judged.is_any_flagged then 'excluded'
        when judged.is_all_known and not coalesce(doubt.is_flagged, false) then 'eligible'
        else 'unknown'
    end as outcome
from judged
inner join rule on judged.rule_id = rule.rule_id
left join status as doubt on judged.subject_id = doubt.subject_id and rule.doubted_by = doubt.profile
