-- title: a form for the cells of results instead of a text a row

-- Writing `L311/C5` for each of millions of rows took a quarter of an insert. A row has a locator of its own
-- where its format names cells one by one, or where it took the place of a repeat of another file.
alter table core.lab_context add column cell varchar; -- such as L{}/C5: {} is the row's number

create macro core.cell_at(form, number) as replace(form, '{}', number::varchar);

create or replace view core.lab_result as
select
    lab_row.result_id,
    lab_row.subject_id,
    lab_context.site,
    lab_context.source_site,
    lab_context.feed,
    lab_context.analyte,
    lab_context.analyte_source,
    lab_context.code_source,
    lab_context.code_system,
    lab_context.specimen,
    lab_context.specimen_source,
    lab_context.specimen_basis,
    lab_context.specimen_quality,
    lab_context.fasting,
    lab_row.collected_at,
    lab_context.collected_precision,
    lab_context.tz_source,
    lab_row.resulted_at,
    lab_row.result_key,
    lab_row.source_token,
    lab_context.result_status,
    lab_row.row_state,
    lab_row.value_source,
    lab_context.unit_source,
    lab_context.comparator,
    lab_row.value,
    lab_context.unit,
    lab_context.unit_basis,
    lab_context.unit_flag,
    lab_context.factor_id,
    lab_context.absent_reason,
    lab_context.ref_low,
    lab_context.ref_high,
    lab_context.ref_text,
    lab_context.flag_source,
    lab_context.lab_id,
    lab_context.platform,
    lab_context.method,
    lab_context.method_kind,
    lab_row.file_id,
    lab_row.row_number,
    coalesce(lab_row.locator, core.cell_at(lab_context.cell, lab_row.row_number)) as locator,
    lab_context.run_id
from core.lab_row
inner join core.lab_context on lab_row.context_id = lab_context.context_id;
