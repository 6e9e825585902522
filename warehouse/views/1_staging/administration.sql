-- title: Administrations of an instrument
-- grain: one row an administration
-- parameters: none
-- source: core.administration
with
administration as (select * from core.administration),

canonical as (select * from staging.subject_canonical)

select
    administration.administration_id,
    coalesce(canonical.canonical_id, administration.subject_id) as subject_id,
    administration.site,
    administration.feed,
    administration.instrument,
    administration.version,
    administration.version_basis,
    administration.administered_at,
    administration.administered_at::date as administered_date,
    administration.administered_precision,
    administration.visit,
    administration.rater,
    administration.language
from administration
left join canonical on administration.subject_id = canonical.subject_id
