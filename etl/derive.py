"""derive: scores of the administrations that a load touched, and what cannot be right with them.

It runs in the load's own transaction. The result depends on the rows present only, so the order in which files
arrived does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from etl.scoring.file_records import settle_file_findings
from etl.scoring.findings import score_findings
from etl.scoring.records import form_findings, forms_to_score, store_findings
from etl.scoring.score import score
from warehouse.administrations import forget_touched, settle_administrations


def derive(connection: duckdb.DuckDBPyConnection, loads: Sequence[str]) -> None:
    """Settle and score again what the loads touched, and forget what lost its last response."""
    for _ in settle_administrations(connection, loads):
        forget_touched(connection, "core.score")
        connection.execute(
            "delete from core.score_finding where level = 'administration' "
            "and (subject_id, instrument) in (select (subject_id, instrument) from touched_form)"
        )
        _score_touched(connection)
    settle_file_findings(connection, loads)


def _score_touched(connection: duckdb.DuckDBPyConnection) -> None:
    responses, strangers = forms_to_score(connection)
    scored = score(responses)
    _store_scores(connection, scored)
    found = score_findings(scored, responses)
    store_findings(connection, pl.concat([found, form_findings(connection, strangers)], how="diagonal"))


def _store_scores(connection: duckdb.DuckDBPyConnection, scored: pl.DataFrame) -> None:
    if scored.is_empty():
        return
    # The query reads `scored` from this frame by name.
    connection.execute(
        """
        insert into core.score by name
        select administration_id::uuid as administration_id, * exclude (administration_id) from scored
        """
    )
