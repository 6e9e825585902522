-- title: Iron deficiency under every profile
-- grain: one row a profile of ferritin or transferrin saturation and cohort group
-- parameters: none
-- source: intermediate.lab_status, staging.subject; rule C03 (the profile changes n a lot, so n is shown
--   under each)
with
profile as (
    select distinct
        profile,
        analyte,
        unit
    from study.threshold
    where analyte in ('ferritin', 'transferrin_saturation')
),

subject as (
    select * from intermediate.subject_at_index
    where index_date is not null and cohort_group is not null
),

status as (select * from intermediate.lab_status)

select
    profile.profile,
    profile.unit,
    subject.cohort_group,
    count(*) as subjects,
    count(*) filter (where status.is_flagged) as deficient_subjects,
    count(*) filter (where status.is_flagged is null) as unknown_subjects
from subject
cross join profile
left join status on subject.subject_id = status.subject_id and profile.profile = status.profile
group by profile.profile, profile.unit, subject.cohort_group
order by profile.profile, subject.cohort_group
