"""The clocks of a site's files: one file cannot show that the next one states another offset from UTC."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import duckdb
import polars as pl

from etl.harmonize.dates import has_clock
from etl.harmonize.offsets import clocks_of, is_one_clock

_SCHEMA = {"load_id": pl.String, "clock": pl.String, "is_one_of_several": pl.Boolean}
# Birth dates are days.
_EVIDENCE = """
    select load.site, load.load_id, decision.evidence from meta.column_decision as decision
    inner join meta.load as load on load.load_id = decision.load_id
    where load.status = 'active' and load.plan ->> 'timezone' is null
        and decision.about like 'dates:%' and decision.about <> 'dates:birth_date'
    order by all
"""


def clocks(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return one row a load without a declared zone and clock of its times, and whether its site has several clocks."""
    columns: dict[str, list[tuple[str, Mapping[str, int]]]] = {}
    for site, load_id, evidence in connection.execute(_EVIDENCE).fetchall():
        counts = {name: count for name, count in json.loads(evidence).items() if isinstance(count, int)}
        if has_clock(counts):
            columns.setdefault(site, []).append((load_id, counts))
    return pl.DataFrame(sorted(_rows(columns)), schema=_SCHEMA, orient="row")


def _rows(columns: Mapping[str, list[tuple[str, Mapping[str, int]]]]) -> Iterator[tuple[str, str, bool]]:
    for of_site in columns.values():
        is_several = not is_one_clock([counts for _, counts in of_site])
        for load_id, clock in {
            (load_id, clock) for load_id, counts in of_site for clock in clocks_of(counts)
        }:
            yield load_id, clock, is_several
