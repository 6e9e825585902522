"""Corrected copies: a held record is corrected while every candidate of a row that names it is accepted.

The status follows from the rows present, like a row state, so the order in which files arrive or leave never matters.
"""

from __future__ import annotations

import duckdb

# Tables of accepted candidates, with the column of the record id.
TABLES = {
    "core.lab_row": "result_id",
    "core.response": "record_id",
    "core.condition": "record_id",
    "core.medication": "record_id",
    "core.subject_attribute": "record_id",
}
_ACCEPTED = " union ".join(
    f"select {key} as record_id from {table} as accepted semi join quarantine.correction on correction.record_id = accepted.{key}"
    for table, key in TABLES.items()
)

# A candidate that repeats an accepted one is accepted under the same id, in whichever file that stands.
_SETTLED = f"""
    create or replace temp table settled_correction as
    with recursive accepted as ({_ACCEPTED}),
    whole as (
        select corrects, file_id from quarantine.correction
        where corrects is not null
        group by corrects, file_id, row_number
        having bool_and(record_id in (select record_id from accepted))
    ),
    settled as (
        select corrects, file_id from whole
        union
        -- What corrects a correction that is itself held corrects the record behind it.
        select correction.corrects, settled.file_id
        from quarantine.correction
        inner join settled on correction.record_id = settled.corrects
        where correction.corrects is not null
    )
    select corrects as record_id, min(file_id) as file_id from settled group by corrects
"""


def settle(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the status of every held record that a corrected copy names up to date."""
    known = connection.execute(
        """
        select exists (from quarantine.correction)
            or exists (from quarantine.record where status = 'corrected' or corrects is not null)
        """
    ).fetchall()
    if not known[0][0]:
        return
    connection.execute(_SETTLED)
    connection.execute(
        """
        update quarantine.record set status = 'open', resolved_at = null, resolved_by = null
        where status = 'corrected' and record_id not in (select record_id from settled_correction)
        """
    )
    connection.execute(
        """
        update quarantine.record
        set status = 'corrected', resolved_at = now()::timestamp, resolved_by = settled_correction.file_id
        from settled_correction
        where record.record_id = settled_correction.record_id and record.status = 'open'
        """
    )
    connection.execute(
        """
        update quarantine.record set corrects = correction.corrects from quarantine.correction
        where record.record_id = correction.record_id and record.file_id = correction.file_id
        """
    )


def count(connection: duckdb.DuckDBPyConnection, file_id: str) -> dict[str, int]:
    """Return how many rows of a file correct a record, are held themselves, or name a record that is not held."""
    if not connection.execute(
        "select count(*) from quarantine.correction where file_id = ?", [file_id]
    ).fetchall()[0][0]:
        return {}
    rows = connection.execute(
        """
        with named as (select distinct row_number, corrects from quarantine.correction where file_id = ?),
        known as (select record_id, bool_or(status = 'corrected') as is_corrected from quarantine.record group by all)
        select
            case when is_corrected then 'corrected' when is_corrected is null then 'unknown' else 'open' end as outcome,
            count(*)
        from named left join known on known.record_id = named.corrects
        group by all order by all
        """,
        [file_id],
    ).fetchall()
    return dict(rows)
