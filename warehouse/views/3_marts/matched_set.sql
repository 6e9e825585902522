-- title: Match sets, verified
-- grain: one row a match set and subject
-- stored: yes
-- parameters: matching.source, matching.caliper_years
-- source: intermediate.match_member, mart.subject_baseline; rules C13 and C14. A set counts only when it has
--   one included case and its included controls, all of one sex, within the caliper, and shares nobody with
--   another set
-- lineage: subject_id = the keyed digest of the identifier that stands in each row of the subject
--   match_set_id <- match_set
--   is_included <- eligibility
--   matching_source = the study protocol, not the data
--   members, age_range_years, findings, is_valid = all members of the set: see match_set_id, sex, age of each
with
setting as (
    select max(value) filter (where name = 'matching.caliper_years')::double as caliper_years
    from study.parameter
),

baseline as (select * from mart.subject_baseline),

member as (
    select
        match_member.match_set_id,
        match_member.subject_id,
        match_member.stated_role,
        match_member.matching_source,
        baseline.cohort_group,
        baseline.sex,
        baseline.age,
        setting.caliper_years,
        coalesce(baseline.is_included, false) as is_included,
        count(*) over (partition by match_member.subject_id) > 1 as is_reused
    from intermediate.match_member as match_member
    cross join setting
    left join baseline on match_member.subject_id = baseline.subject_id
),

verified as (
    select
        match_set_id,
        count(*) as members,
        max(age) - min(age) as age_range_years,
        list_concat(
            case when count(*) filter (where cohort_group = 'case') <> 1 then ['not_one_case'] end,
            case when count(*) filter (where cohort_group = 'control') = 0 then ['no_control'] end,
            case when bool_or(stated_role <> cohort_group) then ['role_contradicted'] end,
            case when count(distinct sex) > 1 then ['sex_differs'] end,
            case when max(age) - min(age) > any_value(caliper_years) then ['age_beyond_caliper'] end,
            case when count(*) > count(sex) or count(*) > count(age) then ['sex_or_age_unknown'] end,
            case when bool_or(is_reused) then ['subject_reused'] end,
            case when not bool_and(is_included) then ['member_left_out'] end,
            []
        ) as findings
    from member
    group by match_set_id
)

select
    member.match_set_id,
    member.subject_id,
    member.cohort_group,
    member.matching_source,
    member.sex,
    member.age,
    member.is_included,
    verified.members,
    verified.age_range_years,
    verified.findings,
    len(verified.findings) = 0 as is_valid
from member
inner join verified on member.match_set_id = verified.match_set_id
