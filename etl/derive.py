"""derive: scores of the administrations that a load touched, in the load's own transaction.

The result depends on the rows present only, so the order in which files arrived does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from etl.scoring.score import score

_TOUCHED = """
    create or replace temp table touched_administration as
    select distinct administration_id from core.response
    where file_id in (select file_id from meta.load where load_id in (select unnest($loads)))
    union
    select administration_id from core.score
    where administration_id not in (select administration_id from core.response)
"""

_RESPONSES = """
    select
        administration.administration_id::varchar as administration_id,
        administration.subject_id,
        administration.instrument,
        administration.version,
        response.item,
        response.value,
        response.absent_reason
    from core.response
    inner join core.administration using (administration_id)
    where response.row_state = 'current'
        and administration_id in (select administration_id from touched_administration)
    order by all
"""


def derive(connection: duckdb.DuckDBPyConnection, loads: Sequence[str]) -> None:
    """Score again what the loads touched, and forget administrations that lost their last response."""
    connection.execute(
        "delete from core.administration where administration_id not in (select administration_id from core.response)"
    )
    connection.execute(_TOUCHED, {"loads": list(loads)})
    connection.execute(
        "delete from core.score where administration_id in (select administration_id from touched_administration)"
    )
    responses = connection.sql(_RESPONSES).pl()
    scored = score(responses)
    if scored.is_empty():
        return
    # The query reads `scored` from this frame by name.
    connection.execute(
        """
        insert into core.score by name
        select administration_id::uuid as administration_id, * exclude (administration_id) from scored
        """
    )
