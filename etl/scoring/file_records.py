"""Between the warehouse and scoring: what is found about the answers of a whole file, once, when it is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import duckdb
import polars as pl

from etl.scoring.validity import FILE_FINDING_SCHEMA, file_findings, finding_texts

# Loads of the run that is under way (it is recorded when it ends). A file found unchanged keeps what was found.
_LOADS = """
    select distinct load.file_id, load.run_id, load.site, load.feed, (load.plan -> 'versions')::varchar as versions
    from meta.load
    where load_id in (select unnest($loads)) and run_id not in (select run_id from meta.run)
        and not exists (
            select 1 from core.score_finding as found
            where found.level = 'file' and found.file_id = load.file_id and found.run_id = load.run_id
        )
    order by all
"""

_INSTRUMENTS = """
    select instrument from core.administration_claim where file_id = $file
    union
    select instrument from core.held_answer where file_id = $file
    order by instrument
"""

# As the file has them: with what it repeats of other files, and with what was held. Millions of ids are told apart by
# their hashes, in a fifth of the memory; nothing of what is found names one.
_ANSWERS = """
    with claim as (
        select distinct administration_id, version from core.administration_claim
        where file_id = $file and instrument = $instrument
    )
    select distinct
        hash(response.stated_administration_id) as administration_id, null::varchar as subject_id, response.instrument,
        claim.version, response.item, response.value,
        if(response.absent_reason = 'declared_missing', null, response.value_source) as value_source
    from core.response
    inner join claim on claim.administration_id = response.stated_administration_id
    where response.file_id = $file or response.record_id in (
        select record_id from meta.duplicate where file_id = $file and kept_in = 'core.response'
    )
    union all
    select distinct hash(administration_id), null, instrument, version, item, value, null
    from core.held_answer where file_id = $file and instrument = $instrument
"""


def settle_file_findings(connection: duckdb.DuckDBPyConnection, loads: Sequence[str]) -> None:
    """Store what is suspicious about the files of some loads; forget the findings of files that left."""
    connection.execute(
        """
        delete from core.score_finding where level = 'file'
            and (file_id, run_id) not in (select (file_id, run_id) from meta.load where status = 'active')
        """
    )
    for file_id, run_id, site, feed, versions in connection.execute(
        _LOADS, {"loads": list(loads)}
    ).fetchall():
        if versions not in (None, "{}"):
            found = _findings_of(connection, file_id, versions)
            _store(connection, found, (file_id, run_id, site, feed))
    connection.execute("delete from core.held_answer")


def _findings_of(connection: duckdb.DuckDBPyConnection, file_id: str, versions: str) -> pl.DataFrame:
    instruments = connection.execute(_INSTRUMENTS, {"file": file_id}).fetchall()
    found = [
        file_findings(connection.sql(_ANSWERS, params={"file": file_id, "instrument": instrument}).pl())
        for (instrument,) in instruments
    ]
    return pl.concat([*found, pl.DataFrame(list(_refusals(versions)), schema=FILE_FINDING_SCHEMA)])


def _refusals(versions: str) -> Iterator[dict[str, str]]:
    """Yield a finding for each reason against a declared or named version."""
    said = finding_texts()["version_refused"]
    for instrument, choice in json.loads(versions).items():
        for problem in choice["problems"]:
            yield {
                "check_id": "version_refused",
                "instrument": instrument,
                "sentence": f"{said['sentence']}: {problem}.",
                "advice": said["advice"],
            }


def _store(
    connection: duckdb.DuckDBPyConnection, found: pl.DataFrame, load: tuple[str, str, str, str]
) -> None:
    if found.height:
        # The query reads `found` from this frame by name.
        connection.execute(
            """
            insert into core.score_finding by name
            select 'file' as level, ? as file_id, ? as run_id, ? as site, ? as feed,
                found.* exclude (item), item as scale
            from found
            """,
            list(load),
        )
