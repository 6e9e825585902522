-- title: the contract tables of core, quarantine and meta
-- No keys or indexes on purpose: uniqueness is checked by query inside the load's transaction.

create schema core;
create schema quarantine;
create schema meta;

create table meta.property (name varchar, value varchar);

create table core.lab_context (
    context_id uinteger,
    load_id varchar,
    site varchar,
    source_site varchar,
    feed varchar,
    analyte varchar,
    analyte_source varchar,
    code_source varchar,
    code_system varchar,
    specimen varchar,
    specimen_source varchar,
    specimen_basis varchar,
    specimen_quality varchar,
    fasting boolean,
    collected_precision varchar, -- year, month, day, minute, second
    tz_source varchar,
    result_status varchar, -- pending, preliminary, final, corrected, amended, cancelled, entered_in_error
    unit_source varchar,
    comparator varchar,
    unit varchar,
    unit_basis varchar, -- stated, range, declared
    unit_flag varchar,
    factor_id varchar,
    absent_reason varchar,
    ref_low double,
    ref_high double,
    ref_text varchar,
    flag_source varchar,
    lab_id varchar,
    platform varchar,
    method varchar,
    method_kind varchar, -- reported, derived
    run_id varchar
);

create table core.administration (
    administration_id uuid,
    subject_id varchar,
    site varchar,
    feed varchar,
    instrument varchar,
    version varchar,
    version_basis varchar,
    administered_at timestamp,
    administered_precision varchar,
    visit varchar,
    rater varchar,
    language varchar
);

-- One row an answered item; a reported total or component is a response whose item is the scale's id.
create table core.response (
    record_id uuid,
    administration_id uuid,
    subject_id varchar,
    site varchar,
    feed varchar,
    instrument varchar,
    item varchar,
    value double,
    value_source varchar,
    absent_reason varchar,
    row_state varchar,
    file_id varchar,
    row_number bigint,
    locator varchar,
    run_id varchar
);

create table core.score (
    administration_id uuid,
    subject_id varchar,
    instrument varchar,
    version varchar,
    scale varchar,
    value double,
    value_reported double,
    basis varchar, -- items, reported_only
    score_status varchar -- complete, prorated, incomplete, invalid, unverified, not_applicable
);

create table core.subject_attribute (
    record_id uuid,
    subject_id varchar,
    site varchar,
    feed varchar,
    attribute varchar,
    value varchar,
    value_source varchar,
    observed_at timestamp,
    row_state varchar,
    file_id varchar,
    row_number bigint,
    locator varchar,
    run_id varchar
);

create table core.subject_identifier (
    subject_id varchar,
    issuer varchar,
    id_type varchar,
    token varchar,
    file_id varchar
);

create table core.subject_link (
    subject_id varchar,
    linked_subject_id varchar,
    basis varchar, -- crosswalk, decision
    file_id varchar
);

create table core.condition (
    record_id uuid,
    subject_id varchar,
    site varchar,
    feed varchar,
    concept varchar,
    code varchar,
    code_system varchar,
    text_source varchar,
    status varchar, -- present, absent, unknown
    started_at timestamp,
    ended_at timestamp,
    row_state varchar,
    file_id varchar,
    row_number bigint,
    locator varchar,
    run_id varchar
);

create table core.medication (
    record_id uuid,
    subject_id varchar,
    site varchar,
    feed varchar,
    concept varchar,
    code varchar,
    code_system varchar,
    text_source varchar,
    status varchar,
    started_at timestamp,
    ended_at timestamp,
    row_state varchar,
    file_id varchar,
    row_number bigint,
    locator varchar,
    run_id varchar
);

create table core.match_set (
    match_set_id varchar,
    subject_id varchar,
    role varchar, -- case, control
    source varchar,
    file_id varchar
);

create table quarantine.record (
    record_id uuid,
    site varchar,
    feed varchar,
    file_id varchar,
    row_number bigint,
    locator varchar,
    stage varchar,
    reasons varchar[],
    measure varchar, -- analyte, instrument/item or attribute, where it is known
    -- false for damage and for records without subject or known name: those are never duplicates
    comparable boolean,
    raw_sealed blob,
    status varchar, -- open, corrected, waived, replaced, withdrawn
    first_seen_at timestamp,
    resolved_at timestamp,
    resolved_by varchar,
    corrects uuid
);

create table meta.run (
    run_id varchar,
    command varchar,
    tool_version varchar,
    started_at timestamp,
    ended_at timestamp,
    outcome varchar,
    detail json,
    prev_hash varchar,
    hash varchar
);

create table meta.source_file (
    file_id varchar,
    site varchar,
    feed varchar,
    sha256 varchar,
    size_bytes bigint,
    format varchar,
    encoding varchar,
    name_sealed blob, -- the path as given; file names carry patients' names
    first_seen_at timestamp
);

create table meta.load (
    load_id varchar,
    file_id varchar,
    run_id varchar,
    site varchar,
    feed varchar,
    plan_digest varchar,
    plan json,
    status varchar, -- active, replaced, withdrawn
    delivery varchar,
    loaded_at timestamp,
    replaced_at timestamp,
    replaced_by varchar,
    lines bigint,
    records bigint,
    continuation bigint,
    structural bigint,
    read bigint,
    accepted bigint,
    held bigint,
    duplicate bigint,
    superseded bigint,
    out_of_scope bigint,
    withdrawn bigint,
    attributes bigint,
    attributes_stored bigint,
    attributes_held bigint,
    attributes_repeated bigint,
    detail json -- counts by reason, out-of-scope names with counts, unmapped columns
);

create table meta.duplicate (
    record_id uuid,
    site varchar,
    feed varchar,
    file_id varchar,
    row_number bigint,
    locator varchar,
    kept_in varchar, -- core.lab_result, core.response, quarantine.record
    promoted boolean -- true once it took the place of the row it repeats
);

create table meta.column_decision (
    load_id varchar,
    file_id varchar,
    about varchar,
    value varchar,
    basis varchar,
    evidence json
);

create table meta.decision (
    decision_id varchar,
    kind varchar, -- unit, waive, correct, erase, link, assign
    target json,
    old varchar,
    new varchar,
    who varchar,
    why varchar,
    decided_at timestamp,
    valid_from date,
    valid_to date,
    revoked_by varchar,
    run_id varchar,
    prev_hash varchar,
    hash varchar
);

create table meta.check_result (
    run_id varchar,
    suite varchar,
    check_id varchar,
    category varchar, -- conformance, completeness, plausibility
    subcategory varchar,
    severity varchar, -- fatal, convention, characterization
    scope varchar, -- all, or site=..., analyte=..., instrument=...
    status varchar, -- error, not_applicable, failed, passed
    numerator bigint,
    denominator bigint,
    percentage double,
    threshold double,
    sentence varchar,
    reason varchar,
    advice varchar,
    checked_at timestamp
);

create table meta.data_cut (
    cut_id varchar,
    label varchar,
    digest varchar,
    made_at timestamp,
    who varchar,
    run_id varchar,
    prev_hash varchar,
    hash varchar
);
