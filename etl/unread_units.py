"""A column of units under a header that nobody knows: results would be read without it, by their printed ranges alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from etl.harmonize.spelling import unit_readings
from etl.readers.base import Decision
from etl.sites.mapping import FeedMapping
from etl.sites.resolution import Resolution
from schemas.columns import COLUMNS, header_key

MOST = 200  # distinct texts; no export has as many units


@dataclass
class UnreadUnits:
    """The columns that are not read and hold nothing but units so far; texts: what each holds."""

    columns: tuple[str, ...]
    texts: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, resolution: Resolution, feed: FeedMapping | None) -> UnreadUnits | None:
        """Return the columns to look at; None where the unit is read, or the mapping says what it is."""
        is_said = "unit" in {*resolution.roles, *resolution.constants} or (feed is not None and feed.units)
        if resolution.shape != "lab_long" or is_said:
            return None
        unread = [each for each in resolution.unmapped if header_key(each) not in COLUMNS.known_unread]
        return cls(tuple(unread), {column: set() for column in unread}) if unread else None

    def see(self, frame: pl.DataFrame, _distinct: Mapping[str, pl.Series]) -> None:
        """Forget the columns that hold anything else."""
        for column, known in list(self.texts.items()):
            distinct = frame[column].drop_nulls().unique().str.strip_chars()
            fresh = {text for text in distinct.head(MOST + 1) if text} - known
            if len(known) + len(fresh) > MOST or not all(map(unit_readings, fresh)):
                del self.texts[column]
            else:
                known.update(fresh)

    def decision(self) -> Decision | None:
        """Name a column of units; L and s are flags as often, so that one has to be a fraction or a share."""
        for column, texts in self.texts.items():
            if any("/" in text or "%" in text for text in texts):
                return Decision("unit", None, "content", {"column": column})
        return None
