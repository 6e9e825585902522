-- title: The rows of core behind each measure of a subject
-- grain: one row a subject, measure and row of core; an administration stands for the answers of its scale
-- parameters: none
-- source: intermediate.lineage_of_attribute, lineage_of_result, score_at_index. An age is that of a birth
--   date at a draw, eGFR that of a creatinine, an age and a sex; a site that of the draw, else of statements
with
attribute as (select * from intermediate.lineage_of_attribute),

result as (select * from intermediate.lineage_of_result),

index_draw as (select * from intermediate.index_draw),

score as (
    select
        score_at_index.subject_id,
        score_at_index.score,
        score_choice.scale,
        unnest(score_at_index.administration_ids) as administration_id
    from intermediate.score_at_index as score_at_index
    inner join study.score_choice as score_choice on score_at_index.score = score_choice.score
    where score_at_index.is_paired
)

select
    subject_id,
    measure,
    'attribute' as kind,
    source_id,
    null as scale
from attribute
union
select
    subject_id,
    measure,
    'result' as kind,
    source_id,
    null as scale
from result
where source_id is not null
union
select
    attribute.subject_id,
    'site' as measure,
    'attribute' as kind,
    attribute.source_id,
    null as scale
from attribute
left join index_draw on attribute.subject_id = index_draw.subject_id
where index_draw.subject_id is null
union
select
    subject_id,
    unnest(['age', 'site']) as measure,
    'result' as kind,
    result_id as source_id,
    null as scale
from index_draw
union
select
    attribute.subject_id,
    result.measure,
    'attribute' as kind,
    attribute.source_id,
    null as scale
from attribute
inner join result on attribute.subject_id = result.subject_id
inner join intermediate.derived_result as derived_result
    on result.source_id = derived_result.result_id and result.measure = derived_result.analyte
where result.measure = 'egfr' and attribute.measure in ('sex', 'age')
union
select
    subject_id,
    score as measure,
    'administration' as kind,
    administration_id as source_id,
    scale
from score
