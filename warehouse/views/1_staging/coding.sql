-- title: Which concepts a code or a text stands for
-- grain: one row a distinct domain, code system, code, text and the concept it stands for
-- stored: yes
-- parameters: none
-- source: study.concept_code, study.concept_name; ICD-10 and ATC codes are recognised by their beginning
with
entry as (
    select
        'condition' as domain,
        code_system,
        code,
        text_source
    from core.condition
    union
    select
        'medication' as domain,
        code_system,
        code,
        text_source
    from core.medication
),

spelling as (select * from study.code_system),

concept_code as (select * from study.concept_code),

concept_name as (select * from study.concept_name),

coded as (
    select
        entry.domain,
        entry.code_system,
        entry.code,
        entry.text_source,
        spelling.code_system as known_system,
        upper(replace(trim(entry.code), '.', '')) as plain_code
    from entry
    left join spelling on lower(trim(entry.code_system)) = spelling.spelling
)

select
    coded.domain,
    coded.code_system,
    coded.code,
    coded.text_source,
    concept_code.concept,
    'code' as concept_basis
from coded
inner join concept_code
    on
        coded.known_system = concept_code.code_system
        and coded.domain = concept_code.domain
        and (
            coded.plain_code = concept_code.plain_code
            or (concept_code.is_prefix and starts_with(coded.plain_code, concept_code.plain_code))
        )
union
select
    coded.domain,
    coded.code_system,
    coded.code,
    coded.text_source,
    concept_name.concept,
    'text' as concept_basis
from coded
inner join concept_name
    on coded.domain = concept_name.domain and lower(trim(coded.text_source)) = concept_name.name
where coded.code is null or coded.known_system is null
