-- title: Covariates side by side
-- grain: one row a subject with any result at its index draw
-- parameters: those of intermediate.lab_at_index
-- source: intermediate.lab_at_index, canonical units; a limit (<0.3) stands for its number
with
lab_at_index as (select * from intermediate.lab_at_index)

select
    subject_id,
    max(value) filter (where analyte = 'creatinine') as creatinine,
    max(value) filter (where analyte = 'egfr') as egfr,
    max(value) filter (where analyte = 'urea') as urea,
    max(value) filter (where analyte = 'uric_acid') as uric_acid,
    max(value) filter (where analyte = 'homocysteine') as homocysteine,
    max(value) filter (where analyte = 'folate') as folate,
    max(value) filter (where analyte = 'holotranscobalamin') as holotranscobalamin,
    max(value) filter (where analyte = 'mma') as mma,
    max(value) filter (where analyte = 'ferritin') as ferritin,
    max(value) filter (where analyte = 'iron') as iron,
    max(value) filter (where analyte = 'tibc') as tibc,
    max(value) filter (where analyte = 'transferrin_saturation') as transferrin_saturation,
    max(value) filter (where analyte = 'haemoglobin') as haemoglobin,
    max(value) filter (where analyte = 'mcv') as mcv,
    max(value) filter (where analyte = 'crp') as crp,
    max(value) filter (where analyte = 'glucose') as glucose,
    max(value) filter (where analyte = 'hba1c') as hba1c,
    max(value) filter (where analyte = 'tsh') as tsh,
    max(value) filter (where analyte = 'vitamin_d_25oh') as vitamin_d_25oh,
    max(value) filter (where analyte = 'total_cholesterol') as total_cholesterol,
    max(value) filter (where analyte = 'triglycerides') as triglycerides,
    max(value) filter (where analyte = 'alt') as alt,
    max(value) filter (where analyte = 'ast') as ast,
    max(value) filter (where analyte = 'bmi') as bmi
from lab_at_index
group by subject_id
