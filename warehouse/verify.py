"""Verify: what a load counted is still accounted for, and the ledger holds."""

from __future__ import annotations

import duckdb

from warehouse.ledger import broken_links

# What is in the warehouse for an active load must be what it counted, and what took the place of others since.
_UNBALANCED = """
    with present as (
        select file_id, count(*) as number from (
            select file_id from core.lab_row
            union all
            select file_id from core.response
            union all
            select file_id from core.condition
            union all
            select file_id from core.medication
        ) group by file_id
    ),
    waiting as (
        select file_id, count(*) as number from quarantine.record where stage <> 'attribute' group by file_id
    ),
    spare as (
        select
            file_id,
            count(*) filter (where promoted and kept_in <> 'quarantine.record') as promoted,
            count(*) filter (where promoted and kept_in = 'quarantine.record') as promoted_held
        from meta.duplicate group by file_id
    ),
    erased as (
        select target ->> 'load_id' as load_id, sum(new::bigint) as number
        from meta.decision where kind = 'withdraw' group by all
    )
    select load_id
    from meta.load
    left join present using (file_id)
    left join waiting using (file_id)
    left join spare using (file_id)
    left join erased using (load_id)
    where status = 'active' and (
        accepted + superseded + coalesce(promoted, 0) <> coalesce(present.number, 0) + coalesce(erased.number, 0)
        or held + coalesce(promoted_held, 0) <> coalesce(waiting.number, 0)
        or read <> accepted + held + duplicate + superseded + out_of_scope + withdrawn
        or lines <> records + continuation + structural
    )
"""


def unbalanced_loads(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the loads whose rows no longer add up to what they counted."""
    return [load for (load,) in connection.execute(_UNBALANCED).fetchall()]


def broken_ledger(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the hashes at which the chain of runs and decisions breaks."""
    return broken_links(connection)
