-- title: Who answers which question
-- grain: one row a question and subject of its groups
-- parameters: none
-- source: study.question, mart.subject_baseline, mart.matched_set; rule C21 (the number of complete cases
--   stands beside every model). missing names what keeps an included subject out
-- lineage: subject_id = the keyed digest of the identifier that stands in each row of the subject
--   question, position = the study protocol, not the data
--   is_included <- eligibility
--   is_match_valid = mart.matched_set, whose sets are judged as a whole
--   missing <- question:{question}
--   is_member <- eligibility, question:{question}
with
question as (select * from study.question),

baseline as (select * from mart.subject_baseline),

valid_match as (
    select distinct subject_id
    from mart.matched_set
    where is_valid
),

known as (
    select
        subject_id,
        measure
    from mart.subject_measure
    union all
    select
        subject_id,
        'sex' as measure
    from baseline
    where sex is not null
),

need as (
    select
        question.question,
        question.position,
        question.is_matched,
        baseline.subject_id,
        baseline.cohort_group,
        baseline.is_included,
        baseline.match_set,
        unnest(question.needs) as measure
    from question
    inner join baseline on list_contains(question.cohort_groups, baseline.cohort_group)
),

answered as (
    select
        need.question,
        need.position,
        need.subject_id,
        need.cohort_group,
        need.is_included,
        need.match_set,
        not need.is_matched or bool_or(valid_match.subject_id is not null) as is_match_valid,
        coalesce(list(need.measure order by need.measure) filter (where known.measure is null), []) as missing
    from need
    left join known on need.subject_id = known.subject_id and need.measure = known.measure
    left join valid_match on need.subject_id = valid_match.subject_id
    group by
        need.question, need.position, need.is_matched, need.subject_id, need.cohort_group,
        need.is_included, need.match_set
)

select
    question,
    position,
    subject_id,
    cohort_group,
    match_set,
    is_included,
    is_match_valid,
    case when is_included then missing end as missing,
    is_included and is_match_valid and len(missing) = 0 as is_member
from answered
