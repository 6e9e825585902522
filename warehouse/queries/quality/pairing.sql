-- title: Days between blood draw and scale
-- grain: one row a score, cohort group and class of distance
-- parameters: none
-- source: intermediate.score_at_index; rule C07
with
score as (select * from intermediate.score_at_index),

subject as (select * from intermediate.subject_at_index)

select
    score.score,
    subject.cohort_group,
    score.pairing,
    score.is_paired,
    count(*) as subjects,
    count(*) filter (where score.value is null) as contradictory_subjects,
    min(score.days_from_draw) as least_days,
    max(score.days_from_draw) as greatest_days
from score
inner join subject on score.subject_id = subject.subject_id
group by score.score, subject.cohort_group, score.pairing, score.is_paired
order by score.score, subject.cohort_group, least_days
