-- title: Laboratory results that may be analysed
-- grain: one row a current result with a usable status; results without a value keep their reason
-- parameters: results.usable_statuses, results.unusable_specimens, results.latest_hour
-- source: core.lab_result; rules C09 (final or corrected only), C10 (specimen quality by analyte) and C04 (an
--   analyte that must be drawn in the morning; a draw without a time of day is kept)
with
result as (
    select * from core.lab_result
    where row_state = 'current'
),

canonical as (select * from staging.subject_canonical),

usable_status as (select * from study.usable_status),

unusable_specimen as (select * from study.unusable_specimen),

latest_hour as (select * from study.latest_hour)

select
    result.result_id,
    coalesce(canonical.canonical_id, result.subject_id) as subject_id,
    result.site,
    result.source_site,
    result.feed,
    result.analyte,
    result.specimen,
    result.specimen_quality,
    unusable_specimen.analyte is not null
    or coalesce(
        result.collected_precision in ('minute', 'second') and hour(result.collected_at) >= latest_hour.hour,
        false
    ) as is_specimen_unusable,
    result.collected_at,
    result.collected_at::date as collected_date,
    result.collected_precision,
    result.collected_precision in ('minute', 'second') as is_timed,
    result.resulted_at,
    result.result_status,
    result.comparator,
    result.value,
    result.unit,
    result.unit_source,
    -- the source unit as UCUM, however it was spelt
    coalesce(split_part(result.factor_id, ':', -1), result.unit_source) as unit_stated,
    result.unit_basis,
    result.factor_id,
    result.absent_reason,
    result.lab_id,
    result.platform,
    result.method,
    result.method_kind,
    result.file_id,
    result.row_number,
    result.locator
from result
inner join usable_status on coalesce(result.result_status, 'unstated') = usable_status.status
left join canonical on result.subject_id = canonical.subject_id
left join unusable_specimen
    on
        result.analyte = unusable_specimen.analyte
        and result.specimen_quality = unusable_specimen.specimen_quality
left join latest_hour on result.analyte = latest_hour.analyte
