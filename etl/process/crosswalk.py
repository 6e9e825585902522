"""A crosswalk states that two identifiers, each in its own number space, are one subject."""

from __future__ import annotations

import polars as pl

from etl.harmonize.identifiers import subject_ids
from etl.plan import ResolvedPlan
from etl.process.candidates import HELD_SCHEMA, Processed
from etl.readers.base import ROW
from warehouse.keys import Keys


class CrosswalkReader:
    """Turn the records of a crosswalk into links between subjects."""

    def __init__(self, plan: ResolvedPlan, keys: Keys) -> None:
        self._plan = plan
        self._keys = keys

    def read(self, records: pl.DataFrame, done: Processed) -> None:
        """Add the links that the records state; a record that lacks a side is held."""
        sides = [self._side(records, end) for end in ("from", "to")]
        links = pl.DataFrame({"subject_id": sides[0], "linked_subject_id": sides[1], ROW: records[ROW]})
        is_whole = pl.col("subject_id").is_not_null() & pl.col("linked_subject_id").is_not_null()
        whole, broken = links.filter(is_whole), links.filter(~is_whole)
        done.attributes += records.height
        done.rows["core.subject_link"] = whole.select(
            "subject_id", "linked_subject_id", pl.lit("crosswalk").alias("basis")
        )
        if broken.height:
            done.attributes_held += broken.height
            done.held.append(self._hold(broken))

    def _side(self, records: pl.DataFrame, end: str) -> pl.Series:
        declared = self._plan.links.get(end, {})
        column = declared.get("column") or self._plan.resolution.roles[f"link_{end}"]
        texts = records[column].str.strip_chars()
        issuer = declared.get("issuer") or self._plan.site
        known = texts.drop_nulls().unique()
        issuers = pl.Series([issuer] * len(known), dtype=pl.String)
        ids = subject_ids(known, self._keys.pseudonym, issuers, declared.get("id_type", "local"))
        return pl.DataFrame({"source": texts}).join(ids, on="source", how="left", maintain_order="left")[
            "subject_id"
        ]

    def _hold(self, broken: pl.DataFrame) -> pl.DataFrame:
        place = (self._plan.site.encode(), self._plan.feed.encode())
        ids = [
            self._keys.record_id(*place, self._plan.table.sha256.encode(), str(row).encode())
            for row in broken[ROW]
        ]
        return broken.select(
            pl.Series("record_id", ids, dtype=pl.String),
            ROW,
            pl.format("L{}", ROW).alias("locator"),
            pl.lit("attribute").alias("stage"),
            pl.lit(["no_subject"], pl.List(pl.String)).alias("reasons"),
            pl.lit("crosswalk").alias("measure"),
            pl.lit(value=False).alias("comparable"),
            pl.lit(b"").alias("raw"),
        ).cast(HELD_SCHEMA)  # type: ignore[arg-type]
