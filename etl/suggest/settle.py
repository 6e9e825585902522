"""Settle the open fields of a draft by the answers of a person."""

from __future__ import annotations

from dataclasses import replace

from etl.suggest.model import Choice, Open, TableDraft
from schemas.columns import COLUMNS


def questions(table: TableDraft) -> list[Open]:
    """Return the open fields of a table that have columns to choose from, if the table can be mapped at all."""
    fields = {*COLUMNS.roles, *COLUMNS.attributes}
    return [each for each in table.open if each.about in fields and each.columns and table.is_usable]


def settled(table: TableDraft, asked: Open, column: str) -> TableDraft:
    """Return the table with the column that a person chose for an open field."""
    choice = Choice(asked.about, column, "high", "chosen by the person who made this draft")
    return replace(
        table,
        choices=(*table.choices, choice),
        open=tuple(each for each in table.open if each is not asked),
        unused=tuple(each for each in table.unused if each != column),
    )
