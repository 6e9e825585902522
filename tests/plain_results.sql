-- Tests of views and checks write results as plain rows; how the warehouse stores them is not theirs to know.
create table core.plain_result as from core.lab_result;
drop view core.lab_result;
alter table core.plain_result rename to lab_result;
