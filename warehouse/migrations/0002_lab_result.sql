-- title: laboratory results, in two parts behind one view
-- (not linted: the linter does not know `using compression`)

-- A result is stored in two parts: what is its own, and what it shares with thousands of others. The view
-- core.lab_result puts them together again. Writing 46 columns a row took three times as long as writing these.
create table core.lab_row (
    result_id uuid, -- 128 bits of HMAC(key, site, feed, mapped source text): equal content, equal id
    -- A pseudonym has nothing to compress; looking for it took a third of the time of an insert.
    subject_id varchar using compression uncompressed,
    context_id uinteger,
    collected_at timestamp,
    resulted_at timestamp,
    -- HMAC of site, feed, subject, source id, analyte, specimen, collected_at; null without a source id
    result_key uuid,
    source_token uuid, -- HMAC of site, feed, source id: one number with two subjects shows here
    row_state varchar, -- current, superseded, conflicting, withdrawn
    value_source varchar,
    value double,
    file_id varchar,
    row_number bigint,
    locator varchar
);

create view core.lab_result as
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
    lab_row.locator,
    lab_context.run_id
from core.lab_row
inner join core.lab_context on lab_row.context_id = lab_context.context_id;
