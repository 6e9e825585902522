-- title: Vitamin B12 status under every threshold profile
-- grain: one row a subject with an index draw and profile of the exposure
-- parameters: exposure, deficiency_profile
-- source: intermediate.lab_status. Each result is compared in the unit in which the profile was defined; a
--   result such as <150 whose interval crosses a limit is undetermined, never guessed
-- lineage: subject_id = the keyed digest of the identifier that stands in each row of the subject
--   is_included <- eligibility
--   profile, is_main_profile, unit = the threshold profiles and the study protocol, not the data
--   value, comparator, band, band_position, is_deficient <- b12
with
setting as (
    select
        max(value) filter (where name = 'exposure') as exposure,
        max(value) filter (where name = 'deficiency_profile') as main_profile
    from study.parameter
),

status as (select * from intermediate.lab_status),

baseline as (select * from mart.subject_baseline)

select
    status.subject_id,
    baseline.cohort_group,
    baseline.is_included,
    status.profile,
    status.profile = setting.main_profile as is_main_profile,
    status.value,
    status.comparator,
    status.unit,
    coalesce(status.band, 'undetermined') as band,
    status.band_position,
    status.is_flagged as is_deficient
from status
inner join setting on status.analyte = setting.exposure
inner join baseline on status.subject_id = baseline.subject_id
