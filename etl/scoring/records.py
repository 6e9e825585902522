"""Between the warehouse and scoring: the answers of the forms touched, and what is found about an administration."""

from __future__ import annotations

import tomllib
from pathlib import Path

import duckdb
import polars as pl

from schemas.instruments import INSTRUMENTS

# Conflicting answers are scored too: two answers to one item make a score invalid, not merely incomplete.
_RESPONSES = """
    select
        response.administration_id::varchar as administration_id, response.subject_id, response.instrument,
        settled.version, response.item, response.value, response.absent_reason,
        claim.version as stated_version, response.file_id, response.locator
    from core.response
    inner join form_settled as settled on settled.administration_id = response.administration_id
    left join (select distinct administration_id, file_id, version from form_claim) as claim
        on claim.administration_id = response.stated_administration_id and claim.file_id = response.file_id
    where response.row_state in ('current', 'conflicting')
"""

# A totals file that can belong to several administrations, or files that name different versions.
_FORMS = """
    select 'join_ambiguous' as check_id, place.administration_id::varchar as administration_id, place.subject_id,
        place.instrument, place.version
    from form_settled as place
    where place.administration_id in (select stated_id from form_join where not is_single)
    union all
    select 'version_conflict', administration_id::varchar, subject_id, instrument, version
    from form_settled where has_version_conflict
    union all
    select distinct 'two_answers', response.administration_id::varchar, response.subject_id, response.instrument,
        settled.version
    from core.response
    inner join form_settled as settled on settled.administration_id = response.administration_id
    where response.row_state = 'conflicting'
    order by all
"""

_STORE = """
    insert into core.score_finding by name
    select
        'administration' as level, found.* replace (found.administration_id::uuid as administration_id),
        settled.site, settled.feed
    from found
    left join form_settled as settled on settled.administration_id = found.administration_id::uuid
"""
_TEXTS = Path(__file__).with_name("form_findings.toml")


def forms_to_score(connection: duckdb.DuckDBPyConnection) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the responses of the forms touched, and apart from them the totals of another version.

    The total that a file calls HAMD-17, beside the items of HAMD-24, is that version's scale hamd_17.
    """
    rows = connection.sql(_RESPONSES).pl()
    is_other = (
        (pl.col("item") == "total")
        & pl.col("stated_version").is_not_null()
        & pl.col("version").is_not_null()
        & (pl.col("stated_version") != pl.col("version"))
    )
    others = rows.filter(is_other)
    is_scale = pl.Series(
        [
            stated in INSTRUMENTS[instrument].versions[version].scales
            for instrument, version, stated in others.select(
                "instrument", "version", "stated_version"
            ).iter_rows()
        ],
        dtype=pl.Boolean,
    )
    known = others.filter(is_scale).with_columns(pl.col("stated_version").alias("item"))
    return pl.concat([rows.filter(~is_other.fill_null(value=False)), known]).drop(
        "stated_version"
    ), others.filter(~is_scale)


def form_findings(connection: duckdb.DuckDBPyConnection, strangers: pl.DataFrame) -> pl.DataFrame:
    """Return what is found when the files of an administration are put together."""
    totals = strangers.select(
        pl.lit("total_of_another_version").alias("check_id"),
        "administration_id",
        "subject_id",
        "instrument",
        "version",
        pl.lit("total").alias("scale"),
        pl.col("value").alias("value_reported"),
        pl.concat_list(pl.concat_str("file_id", "locator", separator=":")).alias("origin"),
    )
    texts = tomllib.loads(_TEXTS.read_text("utf-8"))
    said = pl.DataFrame(
        [(name, each["sentence"], each["advice"]) for name, each in texts.items()],
        schema=["check_id", "sentence", "advice"],
        orient="row",
    )
    found: pl.DataFrame = pl.concat([connection.sql(_FORMS).pl(), totals], how="diagonal")
    return found.join(said, on="check_id", how="left", maintain_order="left")


def store_findings(connection: duckdb.DuckDBPyConnection, findings: pl.DataFrame) -> None:
    """Store the findings of administrations."""
    found = findings.drop("items", strict=False)
    if found.height:
        # The query reads `found` from this frame by name.
        connection.execute(_STORE)
