-- A small sound warehouse: two sites, each 60 subjects (1-30 cases, 31-60 controls), five analytes drawn in January and
-- February 2024 (600 results a site), IRLS items and totals of the cases, PSQI totals of all, pairs i and i + 30.
create table member as
select
    site, i, site || '_' || lpad(i::varchar, 2, '0') as subject_id, if(i <= 30, 'case', 'control') as cohort_group
from (values ('north'), ('south')) as sites (site), range(1, 61) as numbers (i);

insert into meta.load by name
select
    kind || '_' || site as load_id, kind || '_' || site as file_id, 'run1' as run_id, site, kind as feed,
    'active' as status, 'increment' as delivery, timestamp '2024-03-01 00:00:00' as loaded_at,
    records + 1 as lines, records, 0 as continuation, 1 as structural,
    if(kind = 'people', 0, records) as read, if(kind = 'people', 0, records) as accepted,
    0 as held, 0 as duplicate, 0 as superseded, 0 as out_of_scope, 0 as withdrawn,
    if(kind = 'people', 180, 0) as attributes, if(kind = 'people', 180, 0) as attributes_stored,
    0 as attributes_held, 0 as attributes_repeated, '{"resembling": {}}'::json as detail
from (values ('north'), ('south')) as sites (site), (values ('lab', 600), ('people', 60), ('forms', 360)) as kinds (kind, records);

insert into core.subject_attribute by name
select subject_id, site, 'people' as feed, unnest(['sex', 'birth_date', 'cohort_group']) as attribute,
    unnest([if(i % 2 = 0, 'female', 'male'), '1970-01-01', cohort_group]) as value,
    'current' as row_state, 'people_' || site as file_id
from member;

insert into core.subject_identifier by name
select subject_id, site as issuer, 'national' as id_type, md5(subject_id) as token, 'people_' || site as file_id
from member;

insert into core.match_set by name
select site || '_' || if(i > 30, i - 30, i) as match_set_id, subject_id, cohort_group as role, 'given' as source
from member;

insert into core.lab_result by name
select
    md5(concat_ws('|', subject_id, analyte, draw))::uuid as result_id, result_id as result_key, result_id as source_token,
    subject_id, site, 'lab' as feed, analyte, '2132-9' as code_source, draw as collected_at, 'minute' as collected_precision,
    draw + interval 2 hour as resulted_at, 'final' as result_status, 'current' as row_state,
    low + i * step as value, rtrim(rtrim((low + i * step)::decimal(9, 2)::varchar, '0'), '.') as value_source, unit, unit as unit_source, 'stated' as unit_basis,
    analyte || if(i = 60, ':ng/L', ':pg/mL') as factor_id,
    if(analyte = 'vitamin_b12' and i = 1 and month(draw) = 1, '<', null) as comparator, 'reported' as method_kind,
    'lab_' || site as file_id, i as row_number, 'L' || i || '/C5' as locator
from (
    select member.*, panel.*,
        months.start + (i * interval 1 minute) + if(site = 'north', interval 8 hour, interval 10 hour) as draw
    from member,
        (values ('vitamin_b12', 200, 1, 'pg/mL'), ('homocysteine', 10, 0.1, 'umol/L'),
            ('total_cholesterol', 4, 0.05, 'mmol/L'), ('hdl_cholesterol', 1, 0.02, 'mmol/L'),
            ('ldl_cholesterol', 2, 0.02, 'mmol/L')) as panel (analyte, low, step, unit),
        (values (timestamp '2024-01-10 00:00:00'), (timestamp '2024-02-10 00:00:00')) as months (start)
);

insert into core.administration by name
select md5(subject_id || instrument)::uuid as administration_id, subject_id, site, 'forms' as feed, instrument,
    if(instrument = 'irls', 'irls_10', 'order_a') as version, timestamp '2024-01-10 00:00:00' as administered_at
from member, (values ('irls'), ('psqi')) as instruments (instrument)
where instrument = 'psqi' or cohort_group = 'case';

insert into core.response by name
select md5(administration_id::varchar || item)::uuid as record_id, administration_id, subject_id, site, feed, instrument,
    item, 2 as value, 'current' as row_state, 'forms_' || site as file_id
from (
    select *, unnest(if(instrument = 'irls', ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'], ['total'])) as item
    from core.administration
);

insert into core.score by name
select administration_id, subject_id, instrument, version, 'total' as scale, if(instrument = 'irls', 20, 2) as value,
    if(instrument = 'irls', 20, null) as value_reported, 'items' as basis, 'complete' as score_status
from core.administration;
