-- title: Which rules apply to whom
-- grain: one row a subject and rule that is on and made for the subject's group and sex
-- parameters: none
-- source: study.rule; a subject of unknown sex is in the scope of rules for either sex
with
subject as (select * from intermediate.subject_at_index),

rule as (
    select * from study.rule
    where is_on
)

select
    subject.subject_id,
    rule.rule_id,
    rule.kind,
    subject.index_date
from subject
inner join rule
    on
        (rule.cohort_groups is null or list_contains(rule.cohort_groups, subject.cohort_group))
        and (rule.sex is null or subject.sex is null or subject.sex = rule.sex)
