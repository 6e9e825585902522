"""Which columns may have cells that stand for several records: all but those that hold results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from etl.readers.base import MERGED, Decision, Table
from etl.sites.headers import find_column
from etl.sites.model import FeedMapping
from etl.sites.resolution import Resolution
from schemas.errors import DefinitionError

_RESULTS = ("value", "value_number", "standard_value")


def filled_columns(columns: Sequence[str], feed: FeedMapping | None) -> tuple[str, ...]:
    """Return the columns that a feed declares to be filled down."""
    found = [find_column(header, columns) for header in feed.fill_down] if feed else []
    return tuple(dict.fromkeys(column for column in found if column))


def shared_cells(table: Table, resolution: Resolution, feed: FeedMapping | None) -> Table:
    """Return a table with the columns whose cells may stand for several records; a result is one record's.

    Raises DefinitionError for a result that is declared to be filled down.
    """
    results = {measure.column for measure in resolution.measures}
    results |= {resolution.roles[role] for role in _RESULTS if role in resolution.roles}
    filled = filled_columns(table.columns, feed)
    if wrong := results.intersection(filled):
        raise DefinitionError(
            f"The column '{min(wrong)}' cannot be filled down.",
            "It holds results, and one result would be counted for several records.",
            "leave the column out of fill_down: in the mapping",
        )
    own = {f"{MERGED}{column}" for column in results}
    decisions = [
        replace(each, value="first record") if each.about in own else each for each in table.decisions
    ]
    decisions += [Decision(f"fill_down:{column}", "cell above", "declared") for column in filled]
    merged = tuple(column for column in table.merged if column not in results)
    return replace(table, merged=merged, filled=filled, decisions=tuple(decisions))
