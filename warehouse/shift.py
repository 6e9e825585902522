"""Shift the dates of a copy: all of a subject's times by one number of whole days, so that intervals and ages stay."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import polars as pl

# A date that was stated as a year or a month would show the offset itself once it is shifted, so it is cut again.
_CUT = """
    case {precision}
        when 'year' then date_trunc('year', {column} - to_days(days))
        when 'month' then date_trunc('month', {column} - to_days(days))
        else {column} - to_days(days)
    end
"""
# How precise the start or end of a condition is was not stored; the first of January is how a year is kept.
_GUESSED = """
    case
        when {column} = date_trunc('year', {column}) then 'year'
        when {column} = date_trunc('month', {column}) then 'month'
    end
"""
_HISTORY = {name: _GUESSED.format(column=name) for name in ("started_at", "ended_at")}
# table -> its dates, each with what tells its precision
DATES = {
    "core.administration": {"administered_at": "administered_precision"},
    "core.administration_claim": {"administered_at": "administered_precision"},
    "core.subject_attribute": {"observed_at": "'day'"},
    "core.condition": _HISTORY,
    "core.medication": _HISTORY,
}
_RESULTS = f"""
    update core.lab_row set collected_at = shifted.collected_at, resulted_at = shifted.resulted_at
    from (
        select
            lab.result_id, lab.file_id, lab.row_number,
            {_CUT.format(column="lab.collected_at", precision="lab.collected_precision")} as collected_at,
            lab.resulted_at - to_days(days) as resulted_at
        from core.lab_result as lab inner join shift using (subject_id)
    ) as shifted
    where lab_row.result_id = shifted.result_id and lab_row.file_id = shifted.file_id
        and lab_row.row_number = shifted.row_number
"""
# A birth date is a text of 4, 7 or 10 characters; a year stands for its middle, as the views read it.
_BIRTHS = """
    update core.subject_attribute set value_source = null, value = left(
        strftime(
            strptime(value || case length(value) when 4 then '-07-01' when 7 then '-15' else '' end, '%Y-%m-%d')
            - to_days(days), '%Y-%m-%d'
        ),
        length(value)
    )
    from shift where subject_attribute.subject_id = shift.subject_id and attribute = 'birth_date'
"""
# What may hold a date in words, and what only the key could open.
_EMPTIED = (
    "update core.condition set text_source = null where regexp_matches(text_source, '[0-9]{4}')",
    "update core.medication set text_source = null where regexp_matches(text_source, '[0-9]{4}')",
    "update core.administration set visit = null where regexp_matches(visit, '[0-9]{4}')",
    "update core.administration_claim set visit = null where regexp_matches(visit, '[0-9]{4}')",
    "update quarantine.record set raw_sealed = null",
    "update meta.source_file set name_sealed = null",
    "delete from quarantine.rare_name",
)


def shift_dates(connection: duckdb.DuckDBPyConnection, days_of: Callable[[str], int]) -> int:
    """Shift every date of every subject back; days_of: the days for a person's canonical id. Return the subjects."""
    people = connection.execute(
        """
        select subject_id, coalesce(canonical_id, subject_id) from (
            select subject_id from core.lab_result
            union select subject_id from core.administration_claim
            union select subject_id from core.subject_attribute
            union select subject_id from core.condition
            union select subject_id from core.medication
        ) left join staging.subject_canonical using (subject_id)
        """
    ).fetchall()
    _remember(connection, pl.DataFrame(
        [(subject, days_of(person)) for subject, person in people], schema=["subject_id", "days"], orient="row"
    ))  # fmt: skip
    connection.execute(_RESULTS)
    for table, dates in DATES.items():
        for column, precision in dates.items():
            connection.execute(
                f"update {table} set {column} = {_CUT.format(column=column, precision=precision)} "
                f"from shift where {table.partition('.')[2]}.subject_id = shift.subject_id"
            )
    for statement in (_BIRTHS, *_EMPTIED):
        connection.execute(statement)
    connection.execute("drop table shift")
    return len(people)


def _remember(connection: duckdb.DuckDBPyConnection, offsets: pl.DataFrame) -> None:  # noqa: ARG001 - read by its name
    connection.execute(
        "create or replace temp table shift as select subject_id::varchar as subject_id, days::integer as days from offsets"
    )
