-- title: what each file says of an administration, and what cannot be right with answers and scores

-- administration_id is settled: a totals file joins the one items file that it can belong to. This column
-- keeps what the row itself said.
alter table core.response add column stated_administration_id uuid;

update core.response set stated_administration_id = administration_id;

-- One row a file and administration (or a few, where a file came in batches). core.administration is made
-- from these, so that it does not matter which file came first.
create table core.administration_claim (
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
    language varchar,
    has_items boolean, -- false where the file states totals only
    file_id varchar,
    run_id varchar
);

-- What was loaded before has one claim a file. Items start with a digit, scales do not.
insert into core.administration_claim by name
select
    administration.administration_id,
    administration.subject_id,
    administration.site,
    administration.feed,
    administration.instrument,
    administration.version,
    administration.version_basis,
    administration.administered_at,
    administration.administered_precision,
    administration.visit,
    administration.rater,
    administration.language,
    response.file_id,
    response.run_id,
    bool_or(response.value is not null and regexp_matches(response.item, '^[0-9]')) as has_items
from core.administration
inner join core.response on administration.administration_id = response.administration_id
group by all;

-- Answers that were held, as numbers: evidence of a shift or another version. Emptied before a load commits.
create table core.held_answer (
    administration_id uuid,
    subject_id varchar,
    instrument varchar,
    version varchar,
    item varchar,
    value double,
    file_id varchar
);

create table core.score_finding (
    level varchar, -- administration, file
    check_id varchar,
    administration_id uuid, -- null for a file
    subject_id varchar,
    site varchar,
    feed varchar,
    instrument varchar,
    version varchar,
    scale varchar, -- scale or item concerned
    value double, -- what the items give
    value_reported double, -- what the sender states
    origin varchar[], -- file:locator of the numbers concerned
    numerator bigint,
    denominator bigint,
    statistic double,
    sentence varchar,
    advice varchar,
    file_id varchar, -- null for an administration
    run_id varchar
);
