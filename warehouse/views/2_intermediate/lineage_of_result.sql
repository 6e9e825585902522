-- title: The results behind what is measured of a subject at its index draw
-- grain: one row a subject, measure and result
-- parameters: exposure
-- source: the identifiers that the index draw, the covariates and the computed results carry along.
--   A covariate that contradictory results of one day leave null has all; a computed one has its parts
with
setting as (
    select max(value) filter (where name = 'exposure') as exposure
    from study.parameter
),

index_draw as (select * from intermediate.index_draw),

covariate as (
    select
        near.subject_id,
        near.analyte,
        near.result_id
    from intermediate.lab_near_index as near
    inner join intermediate.lab_at_index as at_index
        on
            near.subject_id = at_index.subject_id
            and near.analyte = at_index.analyte
            and coalesce(near.result_id = at_index.result_id, true)
)

select
    index_draw.subject_id,
    unnest(['b12', setting.exposure]) as measure,
    index_draw.result_id as source_id
from index_draw
cross join setting
union
select
    subject_id,
    analyte as measure,
    result_id as source_id
from covariate
union
select
    covariate.subject_id,
    covariate.analyte as measure,
    derived_result.companion_id as source_id
from covariate
inner join intermediate.derived_result as derived_result
    on covariate.result_id = derived_result.result_id and covariate.analyte = derived_result.analyte
