-- title: which candidate of a corrected copy corrects which held record
-- A held record is corrected as long as this table and the rows present say so; its status only shows it.

create table quarantine.correction (
    corrects uuid, -- the held record; null where the copy names none that can be read
    record_id uuid, -- the candidate that takes its place, accepted or held
    file_id varchar,
    row_number bigint
);
