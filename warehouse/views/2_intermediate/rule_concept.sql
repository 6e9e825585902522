-- title: Rules on diagnoses, habits and medications
-- grain: one row a subject and rule of kind concept in whose scope it is
-- parameters: none
-- source: study.rule, study.concept, intermediate.history. Present at the index date or within the look-back:
--   excluded. Eligible only if every concept of the sets is stated absent, or the site's feed is declared
--   complete and leaves nothing unknown; no record alone is unknown
with
scope as (
    select * from intermediate.rule_scope
    where kind = 'concept'
),

rule as (select * from study.rule),

concept as (select * from study.concept),

history as (select * from intermediate.history),

target as (
    select distinct
        rule.rule_id,
        rule.lookback_days,
        concept.concept,
        concept.domain
    from rule
    inner join concept on list_contains(rule.targets, concept.concept_set)
    where rule.kind = 'concept'
),

need as (
    select
        rule_id,
        count(*) as concepts,
        list(distinct domain) as need_domains
    from target
    group by rule_id
),

complete_subject as (
    select
        known_at.subject_id,
        list(distinct complete_domain.domain) as complete_domains
    from staging.subject_site as known_at
    inner join staging.complete_domain as complete_domain on known_at.site = complete_domain.site
    group by known_at.subject_id
),

found as (
    select
        scope.subject_id,
        scope.rule_id,
        bool_or(
            history.status = 'present'
            and (history.started_date is null or history.started_date <= scope.index_date)
            and (history.ended_date is null or history.ended_date >= scope.index_date - target.lookback_days)
        ) as is_present,
        count(distinct history.concept) filter (where history.status = 'absent') as absent_concepts,
        bool_or(history.status = 'unknown') as is_unsure
    from scope
    inner join target on scope.rule_id = target.rule_id
    inner join history on scope.subject_id = history.subject_id and target.concept = history.concept
    group by scope.subject_id, scope.rule_id
)

select
    scope.subject_id,
    scope.rule_id,
    case
        when found.is_present then 'excluded'
        when found.absent_concepts = need.concepts then 'eligible'
        when found.is_unsure then 'unknown'
        when list_has_all(complete_subject.complete_domains, need.need_domains) then 'eligible'
        else 'unknown'
    end as outcome
from scope
inner join need on scope.rule_id = need.rule_id
left join found on scope.subject_id = found.subject_id and scope.rule_id = found.rule_id
left join complete_subject on scope.subject_id = complete_subject.subject_id
