-- title: Measures of the included subjects, one below the other
-- grain: one row an included subject and measure that is known
-- parameters: exposure; b12 is under the declared censoring policy
-- source: mart.subject_baseline
-- lineage: subject_id = the keyed digest of the identifier that stands in each row of the subject
--   measure, unit = the list of measures and their canonical units, not the data
--   value <- {measure}
with
baseline as (
    select * from mart.subject_baseline
    where is_included
),

setting as (
    select max(value) filter (where name = 'exposure') as exposure
    from study.parameter
),

unit_factor as (
    select * from study.unit_factor
    where is_canonical
),

long as (
    select
        subject_id,
        cohort_group,
        unnest([
            'b12', 'age', 'irls', 'psqi', 'hama', 'hamd', 'creatinine', 'egfr', 'urea', 'uric_acid',
            'homocysteine', 'folate', 'holotranscobalamin', 'mma', 'ferritin', 'iron', 'tibc',
            'transferrin_saturation', 'haemoglobin', 'mcv', 'crp', 'glucose', 'hba1c', 'tsh',
            'vitamin_d_25oh', 'total_cholesterol', 'triglycerides', 'alt', 'ast', 'bmi', 'education_years'
        ]) as measure,
        unnest([
            b12_analysis, age, irls, psqi, hama, hamd, creatinine, egfr, urea, uric_acid, homocysteine,
            folate, holotranscobalamin, mma, ferritin, iron, tibc, transferrin_saturation, haemoglobin, mcv,
            crp, glucose, hba1c, tsh, vitamin_d_25oh, total_cholesterol, triglycerides, alt, ast, bmi,
            education_years
        ]) as value
    from baseline
)

select
    long.subject_id,
    long.cohort_group,
    long.measure,
    long.value,
    unit_factor.unit
from long
cross join setting
left join unit_factor
    on unit_factor.analyte = case when long.measure = 'b12' then setting.exposure else long.measure end
where long.value is not null
