"""Ids of laboratory results: of the content, of what versions of one result share, and of the source's own number."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from etl.plan import ResolvedPlan
from etl.process.identity import content, with_hmac
from etl.process.roles import text

# Roles that belong to a row but not to its context; with the context they are the mapped content of a candidate.
ROW_ROLES = (
    "subject",
    "source_site",
    "value",
    "comparator",
    "flag",
    "collected_at",
    "resulted_at",
    "source_id",
    "status",
    "fasting",
    "lab_id",
    "platform",
    "method",
)


def with_result_ids(frame: pl.DataFrame, plan: ResolvedPlan, secret: str) -> pl.DataFrame:
    """Add result_id from the mapped content, and, where the source numbers its results, result_key and source_token.

    `said` stands for the texts of the row's context.
    """
    site, feed = plan.site, plan.feed
    mapped = content(["said", *role_texts(frame, ROW_ROLES)], site, feed)
    frame = with_hmac(frame, "result_id", mapped, secret)
    if text("source_id") not in frame.columns:
        return frame
    is_numbered = pl.col(text("source_id")).is_not_null()
    drawn = ["subject_id", text("source_id"), "analyte", "specimen", "drawn_at"]
    frame = frame.with_columns(pl.col("collected_at").cast(pl.String).alias("drawn_at"))
    key = pl.when(is_numbered).then(content(drawn, site, feed))
    token = pl.when(is_numbered).then(content([text("source_id")], site, feed, "source"))
    return with_hmac(with_hmac(frame, "result_key", key, secret), "source_token", token, secret)


def role_texts(frame: pl.DataFrame, roles: Iterable[str]) -> list[str | pl.Expr]:
    """Return the texts of roles; a role without a column reads as an empty one, so that its id is the same."""
    return [text(role) if text(role) in frame.columns else pl.lit("") for role in roles]


def with_meeting(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `meeting`, a number shared by results that may repeat, supersede or contradict each other, and `is_first`.

    is_first: the first of the frame with its number. Equal results agree in all that the number is made of.
    """
    drawn = pl.struct("subject_hash", "analyte", "specimen", "collected_at").hash()
    minutes = pl.when(pl.col("collected_precision").is_in(["minute", "second"])).then(drawn)
    key = pl.col("result_key").hash() if "result_key" in frame.columns else None
    keyed = [] if key is None else [pl.when(pl.col("result_key").is_not_null()).then(key)]
    number = pl.coalesce(*keyed, minutes, pl.col("result_id").hash()).alias("meeting")
    return frame.with_columns(number).with_columns(pl.col("meeting").is_first_distinct().alias("is_first"))
