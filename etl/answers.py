"""Which instruments a file holds, in which version: settled from all its items and answers before a row is read."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from etl.scoring.versions import VersionChoice, resolve_versions
from etl.sites.model import FeedMapping
from etl.sites.resolution import Resolution
from schemas.instruments.matching import ItemRef, match_item_codes, match_items

_SEEN = {"instrument": pl.String, "item": pl.String, "value_source": pl.String, "answers": pl.UInt32}
_NAMES = ("instrument", "item", "value_source")


@dataclass
class Answers:
    """The distinct answers of a file with their numbers, by the names that it gives to instrument and item."""

    resolution: Resolution
    columns: tuple[str, ...]
    _seen: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SEEN))

    @classmethod
    def of(cls, resolution: Resolution) -> Answers | None:
        """Return the collector for a file with answers; None for any other."""
        if resolution.shape == "item_long":
            columns = [
                resolution.roles[role] for role in ("instrument", "item", "value") if role in resolution.roles
            ]
            return cls(resolution, tuple(columns))
        items = tuple(measure.column for measure in resolution.measures if measure.kind == "item")
        return cls(resolution, items) if items else None

    def see(self, frame: pl.DataFrame) -> None:
        """Take up the answers of some records; there are few distinct ones, whatever the file's size."""
        if self.resolution.shape == "item_long":
            roles, constant = self.resolution.roles, self.resolution.constants.get("instrument")
            named = pl.col(roles["instrument"]) if "instrument" in roles else pl.lit(constant, pl.String)
            parts = [
                frame.select(
                    named.alias("instrument"),
                    pl.col(roles["item"]).alias("item"),
                    pl.col(roles["value"]).alias("value_source"),
                )
            ]
        else:
            parts = [
                frame.select(
                    pl.lit(measure.instrument, pl.String).alias("instrument"),
                    pl.lit(measure.item, pl.String).alias("item"),
                    pl.col(measure.column).alias("value_source"),
                )
                for measure in self.resolution.measures
                if measure.kind == "item"
            ]
        counted = [part.group_by(_NAMES).agg(pl.len().alias("answers")) for part in parts]
        self._seen = pl.concat([self._seen, *counted]).group_by(_NAMES).agg(pl.col("answers").sum())

    def versions(self, feed: FeedMapping | None) -> dict[str, VersionChoice]:
        """Settle the version of every instrument. Raises DefinitionError for a declared one that does not exist."""
        declared = {name: each.version for name, each in feed.instruments.items()} if feed else {}
        known = self._refs()
        rows = [
            (ref.instrument, ref.item, value, number)
            for (name, item, value, number) in self._seen.iter_rows()
            if (ref := known.get((name, item)))
        ]
        answers = pl.DataFrame(rows, schema=_SEEN, orient="row")
        return resolve_versions(list(known.values()), declared, answers)

    def _refs(self) -> dict[tuple[str | None, str], ItemRef]:
        """Return what each pair of names stands for; a column's own name can tell its version and label."""
        if self.resolution.shape == "item_long":
            pairs = self._seen.select("instrument", "item").unique(maintain_order=True)
            return match_item_codes(pair for pair in pairs.iter_rows() if pair[1])
        by_column = match_items([measure.column for measure in self.resolution.measures])
        named = {
            (each.instrument, each.item): by_column.get(each.column)
            for each in self.resolution.measures
            if each.item
        }
        plain = match_item_codes(pair for pair in named if pair[1])
        return {pair: ref or plain[pair] for pair, ref in named.items() if (ref or pair in plain)}
