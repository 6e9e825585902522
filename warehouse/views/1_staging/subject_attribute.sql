-- title: What is stated of a subject, conflicts left open
-- grain: one row a subject and attribute, age apart (it changes with its date)
-- stored: yes
-- parameters: subjects.precedence
-- source: core.subject_attribute; the first feed by declared precedence is heard, its contradictions are null
with
statement as (
    select * from core.subject_attribute
    where row_state = 'current' and value is not null and attribute <> 'age'
),

canonical as (select * from staging.subject_canonical),

precedence as (select * from study.precedence),

ranked as (
    select
        coalesce(canonical.canonical_id, statement.subject_id) as subject_id,
        statement.attribute,
        statement.value,
        statement.record_id,
        coalesce(precedence.position, 1000) as position
    from statement
    left join canonical on statement.subject_id = canonical.subject_id
    left join precedence on statement.attribute = precedence.attribute and statement.feed = precedence.feed
),

best as (
    select
        subject_id,
        attribute,
        min(position) as position,
        count(distinct value) as stated_values
    from ranked
    group by subject_id, attribute
),

heard as (
    select
        ranked.subject_id,
        ranked.attribute,
        count(distinct ranked.value) as heard_values,
        min(ranked.value) as value,
        list(ranked.record_id order by ranked.record_id) as record_ids
    from ranked
    inner join best
        on
            ranked.subject_id = best.subject_id
            and ranked.attribute = best.attribute
            and ranked.position = best.position
    group by ranked.subject_id, ranked.attribute
)

select
    heard.subject_id,
    heard.attribute,
    case when heard.heard_values = 1 then heard.value end as value,
    heard.heard_values > 1 as is_conflicting,
    best.stated_values,
    heard.record_ids
from heard
inner join best on heard.subject_id = best.subject_id and heard.attribute = best.attribute
