-- title: Values computed from other results
-- grain: one row a result that a formula starts from: creatinine (egfr), weight (bmi), iron (saturation)
-- parameters: none
-- source: staging.lab_result, staging.subject, study.egfr_formula (CKD-EPI 2021, adults; completed years
--   at the draw). BMI: weight by the square of the nearest height. Saturation: iron by TIBC of one draw.
--   Of a limit (<18) eGFR is a limit too, the other way round; the other formulas need numbers. result_id,
--   time and unit_source are those of the result that the formula starts from; companion_id is the
--   other result's
with
result as (
    select * from staging.lab_result
    where
        analyte in ('creatinine', 'weight', 'height', 'iron', 'tibc')
        and value > 0
        and not is_specimen_unusable
),

subject as (select * from staging.subject),

egfr_formula as (select * from study.egfr_formula),

unit_factor as (select * from study.unit_factor),

creatinine as (
    select
        result.*,
        subject.sex,
        (result.value - mg_dl.shift) / mg_dl.factor as mg_dl,
        case
            when subject.birth_date is not null
                then date_sub('year', subject.birth_date, result.collected_date)
            when subject.stated_age_date is not null
                then subject.stated_age + date_sub('year', subject.stated_age_date, result.collected_date)
            else subject.stated_age
        end as age
    from result
    inner join unit_factor as mg_dl on result.analyte = mg_dl.analyte and mg_dl.unit = 'mg/dL'
    inner join subject on result.subject_id = subject.subject_id
    where result.analyte = 'creatinine'
),

egfr as (
    select
        scr.* replace (
            'egfr' as analyte,
            case left(scr.comparator, 1) when '<' then '>' when '>' then '<' end
            || substr(scr.comparator, 2) as comparator,
            terms.scale * terms.factor
            * pow(least(scr.mg_dl / terms.kappa, 1), terms.alpha)
            * pow(greatest(scr.mg_dl / terms.kappa, 1), terms.beta)
            * pow(terms.age_base, scr.age) as value
        ),
        terms.formula,
        null::uuid as companion_id
    from creatinine as scr
    inner join egfr_formula as terms on scr.sex = terms.sex
    where scr.age >= terms.minimum_age
),

bmi as (
    select
        weight.* replace ('bmi' as analyte, weight.value / pow(height.value / metre.factor, 2) as value),
        'weight / height^2' as formula,
        height.result_id as companion_id
    from result as weight
    inner join result as height on weight.subject_id = height.subject_id and height.analyte = 'height'
    inner join unit_factor as metre on height.analyte = metre.analyte and metre.unit = 'm'
    where weight.analyte = 'weight' and weight.comparator is null and height.comparator is null
    qualify
        row_number() over (
            partition by weight.result_id
            order by
                abs(height.collected_date - weight.collected_date) asc,
                height.collected_at asc,
                height.result_id asc
        ) = 1
),

saturation as (
    select
        iron.* replace (
            'transferrin_saturation' as analyte, one.factor * iron.value / tibc.value as value
        ),
        '100 x iron / TIBC' as formula,
        tibc.result_id as companion_id
    from result as iron
    inner join result as tibc
        on
            iron.subject_id = tibc.subject_id
            and iron.collected_at = tibc.collected_at
            and tibc.analyte = 'tibc'
    inner join unit_factor as one on one.analyte = 'transferrin_saturation' and one.unit = '1'
    where iron.analyte = 'iron' and iron.comparator is null and tibc.comparator is null
    qualify row_number() over (partition by iron.result_id order by tibc.result_id) = 1
),

computed as (
    select * exclude (sex, mg_dl, age) from egfr
    union all
    select * from bmi
    union all
    select * from saturation
)

select
    computed.result_id,
    computed.subject_id,
    computed.analyte,
    computed.collected_at,
    computed.collected_date,
    computed.is_timed,
    computed.comparator,
    computed.value,
    unit_factor.unit,
    computed.unit_source,
    computed.formula,
    computed.companion_id
from computed
inner join unit_factor on computed.analyte = unit_factor.analyte and unit_factor.is_canonical
