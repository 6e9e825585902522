"""Held records of erased subjects: their sealed originals are deleted, also when a later load holds one anew.

Process leaves out what it knows to be an erased subject's; a record whose analyte nobody recognises is held before that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import duckdb
import polars as pl

from etl import quarantine
from etl.harmonize.identifiers import subject_ids
from warehouse.erase import withdraw_held
from warehouse.keys import Keys
from warehouse.ledger import now
from warehouse.quarantine import Chosen, plans, records


def ids_of(texts: Sequence[str], issuers: Sequence[str], id_type: str, keys: Keys) -> list[str | None]:
    """Return the subject ids of identifiers; None for one that names nobody."""
    named, spaces = pl.Series(texts, dtype=pl.String), pl.Series(issuers, dtype=pl.String)
    found: list[str | None] = subject_ids(named, keys.pseudonym, spaces, id_type)["subject_id"].to_list()
    return found


def withdraw_originals(
    connection: duckdb.DuckDBPyConnection,
    erased: Collection[str],
    keys: Keys,
    who: str,
    file_id: str | None = None,
) -> int:
    """Delete the originals of held records that name an erased subject, of one file or all; return their number."""
    by_file = plans(connection)
    found = []
    for record in records(connection, Chosen(status=None)):
        plan = by_file.get(record.file_id)
        if plan is None or file_id not in {None, record.file_id}:
            continue
        said = quarantine.fields(record, keys)
        space = plan["issuer"] or said.get("source_site") or record.site
        (subject_id,) = ids_of([said.get("subject") or ""], [space], plan["id_type"], keys)
        if subject_id in erased:
            found.append(record.record_id)
    withdraw_held(connection, found, who, now())
    return len(found)
