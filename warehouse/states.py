"""Row states: a pure function of the rows present, so the order in which files arrive never matters.

With a key, the greatest (status rank, resulted_at) is current and the others are superseded; if several are the greatest and
differ, nothing tells which came last, so they are conflicting. Without a key, different values of one subject, analyte,
specimen and minute are conflicting.
"""

from __future__ import annotations

import duckdb
import polars as pl

# Touched keys are compared in parts of about this many rows, which bounds memory.
PART = 2_000_000

STATUS_RANK = {
    "pending": 1,
    "preliminary": 2,
    "final": 3,
    "corrected": 4,
    "amended": 4,
    "cancelled": 5,
    "entered_in_error": 6,  # supersedes what it names, also when that comes later
}

_RANK = (
    "case result_status "
    + " ".join(f"when '{name}' then {rank}" for name, rank in STATUS_RANK.items())
    + " else 3 end"
)

# One number for everything that can meet: the key, else subject, analyte, specimen and minute. Equal numbers are
# compared exactly afterwards.
_MEETING = """
    case
        when result_key is not null then hash(result_key)
        when collected_precision in ('minute', 'second') then hash(subject_id, analyte, specimen, collected_at)
    end
"""

_SETTLED = f"""
    with keyed as (
        select
            result_id, file_id, row_number, row_state,
            case
                when rank() over newest_first = 1 and count(distinct (subject_id, value, comparator, absent_reason))
                    filter (where value is not null or absent_reason <> 'pending') over same_age > 1
                    then 'conflicting'
                when row_number() over (
                    partition by result_key
                    order by {_RANK} desc, resulted_at desc nulls last, value is not null desc, result_id desc
                ) = 1 then 'current'
                else 'superseded'
            end as settled
        from meeting where result_key is not null
        window
            newest_first as (partition by result_key order by {_RANK} desc, resulted_at desc nulls last),
            same_age as (partition by result_key, {_RANK}, resulted_at)
    ),
    unkeyed as (
        select
            result_id, file_id, row_number, row_state,
            case
                when count(distinct (value, comparator)) filter (where value is not null) over same_draw > 1
                    then 'conflicting'
                else 'current'
            end as settled
        from meeting where result_key is null
        window same_draw as (partition by subject_id, analyte, specimen, collected_at)
    )
    select * from keyed where row_state <> settled
    union all
    select * from unkeyed where row_state <> settled
"""


def settle(
    connection: duckdb.DuckDBPyConnection, file_id: str, rows: pl.Series | None = None, *, among_others: bool
) -> None:
    """Settle the state of every result that meets one of this file's.

    rows: the only rows of the file that can meet another row of the file, if that is known. among_others: whether there
    are other files of its feed, in which a key can be, or of its subjects.
    """
    if among_others or rows is None:
        _settle_by_query(connection, file_id, has_others=among_others)
    elif len(rows):
        _touch_rows(connection, file_id, rows.alias("row_number").to_frame())
        _settle_touched(connection)


def has_others(connection: duckdb.DuckDBPyConnection, first_subject: int) -> bool:
    """Tell whether other files may have subjects of the file whose subjects are numbered from first_subject on."""
    found = connection.execute(
        """
        select 1 from core.lab_subject as mine semi join (
            select subject_id from core.lab_subject where subject_no < $first
        ) as other using (subject_id)
        where mine.subject_no >= $first limit 1
        """,
        {"first": first_subject},
    )
    return bool(found.fetchall())


def _touch_rows(connection: duckdb.DuckDBPyConnection, file_id: str, rows: pl.DataFrame) -> None:  # noqa: ARG001
    connection.execute(  # the query reads `rows` from this frame by name
        f"""
        create or replace temp table touched as
        select distinct {_MEETING} as meeting from core.lab_result
        where file_id = ? and row_number in (select row_number from rows)
        """,
        [file_id],
    )


def _settle_by_query(connection: duckdb.DuckDBPyConnection, file_id: str, *, has_others: bool) -> None:
    mine = connection.execute("select count(*) from core.lab_row where file_id = ?", [file_id]).fetchall()[0][
        0
    ]
    parts = 1 + mine // PART
    for part in range(parts if mine else 0):
        slice_ = f"and meeting % {parts} = {part}" if parts > 1 else ""
        mine_only = f"select meeting from placed where file_id = $file and meeting is not null {slice_}"
        # Alone in the warehouse, a file's results can only meet each other.
        candidates = "placed semi join mine using (meeting)" if has_others else "mine"
        connection.execute(
            f"""
            create or replace temp table touched as
            with placed as (select {_MEETING} as meeting, file_id from core.lab_result),
            mine as materialized ({mine_only})
            select meeting from {candidates} group by meeting having count(*) > 1
            """,
            {"file": file_id},
        )
        _settle_touched(connection)


def touch(connection: duckdb.DuckDBPyConnection, file_id: str) -> None:
    """Remember the meetings of a file that is about to leave, for settle_remembered()."""
    connection.execute(
        f"""
        create or replace temp table left_behind as
        with placed as (select {_MEETING} as meeting, file_id from core.lab_result),
        mine as (select meeting from placed where file_id = ? and meeting is not null)
        select distinct meeting from placed semi join mine using (meeting) where file_id <> ?
        """,
        [file_id, file_id],
    )


def settle_remembered(connection: duckdb.DuckDBPyConnection) -> None:
    """Settle what a file that left had touched."""
    connection.execute("create or replace temp table touched as select meeting from left_behind")
    _settle_touched(connection)


def _settle_touched(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute("select count(*) from touched").fetchone()
    if not found or not found[0]:
        return
    connection.execute(
        f"""
        create or replace temp table meeting as
        select *, {_MEETING} as meeting from core.lab_result
        where {_MEETING} in (select meeting from touched)
        """
    )
    connection.execute(f"create or replace temp table settled as {_SETTLED}")
    connection.execute(
        """
        update core.lab_row set row_state = settled.settled from settled
        where core.lab_row.result_id = settled.result_id and core.lab_row.file_id = settled.file_id
            and core.lab_row.row_number = settled.row_number
        """
    )
