-- title: Subjects at baseline
-- grain: one row a subject of whom a feed states anything
-- stored: yes
-- parameters: censoring.below_factor, censoring.above_factor, and those of the views below
-- source: intermediate.subject_at_index, index_draw, score_at_index, lab_at_index, eligibility, match_member.
--   b12 is the number as reported (with its comparator), b12_analysis the same under the declared censoring
--   policy; irls is null for controls, never 0; covariates are canonical units, nearest to the index draw
-- lineage: subject_id = the keyed digest of the identifier that stands in each row of the subject
--   lab_id, platform, method, index_date, b12_comparator, b12_unit, b12_unit_source <- b12
--   b12_unit_stated, b12_unit_basis, b12_analysis, b12_result_id <- b12
--   is_included <- eligibility
with
setting as (
    select
        max(value) filter (where name = 'censoring.below_factor')::double as below_factor,
        max(value) filter (where name = 'censoring.above_factor')::double as above_factor
    from study.parameter
),

subject as (select * from intermediate.subject_at_index),

subject_site as (
    select
        subject_id,
        min(site) as site
    from staging.subject_site
    group by subject_id
),

index_draw as (select * from intermediate.index_draw),

eligibility as (select * from intermediate.eligibility),

match_member as (
    select
        subject_id,
        min(match_set_id) as match_set_id
    from intermediate.match_member
    group by subject_id
),

score as (
    select
        subject_id,
        max(value) filter (where score = 'irls' and is_paired) as irls,
        max(value) filter (where score = 'psqi' and is_paired) as psqi,
        max(value) filter (where score = 'hama' and is_paired) as hama,
        max(value) filter (where score = 'hamd' and is_paired) as hamd
    from intermediate.score_at_index
    group by subject_id
),

covariate as (select * from intermediate.covariate)

select
    subject.subject_id,
    subject.cohort_group,
    subject.sex,
    subject.age,
    subject.age_basis,
    coalesce(index_draw.site, subject_site.site) as site,
    index_draw.lab_id,
    index_draw.platform,
    index_draw.method,
    subject.index_date,
    index_draw.value as b12,
    index_draw.comparator as b12_comparator,
    index_draw.unit as b12_unit,
    index_draw.unit_source as b12_unit_source,
    index_draw.unit_stated as b12_unit_stated,
    index_draw.unit_basis as b12_unit_basis,
    case
        when index_draw.comparator in ('<', '<=') then index_draw.value * setting.below_factor
        when index_draw.comparator in ('>', '>=') then index_draw.value * setting.above_factor
        else index_draw.value
    end as b12_analysis,
    index_draw.result_id as b12_result_id,
    score.irls,
    score.psqi,
    score.hama,
    score.hamd,
    covariate.creatinine,
    covariate.egfr,
    covariate.urea,
    covariate.uric_acid,
    covariate.homocysteine,
    covariate.folate,
    covariate.holotranscobalamin,
    covariate.mma,
    covariate.ferritin,
    covariate.iron,
    covariate.tibc,
    covariate.transferrin_saturation,
    covariate.haemoglobin,
    covariate.mcv,
    covariate.crp,
    covariate.glucose,
    covariate.hba1c,
    covariate.tsh,
    covariate.vitamin_d_25oh,
    covariate.total_cholesterol,
    covariate.triglycerides,
    covariate.alt,
    covariate.ast,
    covariate.bmi,
    subject.education_years,
    match_member.match_set_id as match_set,
    eligibility.eligibility,
    eligibility.is_included,
    eligibility.excluded_by,
    eligibility.unknown_for,
    subject.conflicts
from subject
cross join setting
inner join eligibility on subject.subject_id = eligibility.subject_id
left join subject_site on subject.subject_id = subject_site.subject_id
left join index_draw on subject.subject_id = index_draw.subject_id
left join match_member on subject.subject_id = match_member.subject_id
left join score on subject.subject_id = score.subject_id
left join covariate on subject.subject_id = covariate.subject_id
