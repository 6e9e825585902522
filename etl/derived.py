"""Compare computed values with the reported ones: eGFR, BMI, transferrin saturation."""

from __future__ import annotations

from typing import Final

import duckdb
import polars as pl

SCHEMA: Final = {"result_id": pl.String, "difference": pl.Float64}

# A day with several computed values offers the nearest of them; what was rounded in print is no difference.
_DIFFERENCES: Final = """
    select
        result.result_id::varchar as result_id,
        min(100 * abs(result.value / computed.value - 1)) as difference
    from staging.lab_result as result
    inner join intermediate.derived_result as computed
        on result.subject_id = computed.subject_id
        and result.analyte = computed.analyte
        and result.collected_date = computed.collected_date
    where result.value is not null and result.comparator is null and computed.comparator is null
    group by result.result_id
    having difference > $rounding
    order by all
"""
ROUNDING_PERCENT: Final = 1.0


def differences(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return by how much (per cent) reported values differ from computed ones; no rows before there are views."""
    has_views = connection.execute(
        "select count(*) from information_schema.tables where table_schema = 'intermediate' and table_name = 'derived_result'"
    ).fetchall()[0][0]
    if not has_views:
        return pl.DataFrame(schema=SCHEMA)
    rows = connection.execute(_DIFFERENCES, {"rounding": ROUNDING_PERCENT}).fetchall()
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
