-- title: names out of scope that too few subjects share to be shown, sealed

create table quarantine.rare_name (
    site varchar,
    feed varchar,
    file_id varchar,
    names bigint,
    rows bigint, -- candidates under these names; all of them are out of scope
    names_sealed blob -- JSON: name -> rows, the most frequent first
);
