"""Hide small counts in the answer of a named query, and the statistics of groups that are too small.

A query says in its header which columns count subjects: `-- subjects: a b | c d by profile`. Columns behind a bar are
another row of the same table; with `by`, the rows that agree in those columns are one table, else each row is one.
"""

from __future__ import annotations

import polars as pl

from etl.disclosure import Row, is_small, suppress, suppress_table


def disclosed(rows: pl.DataFrame, subjects: str) -> pl.DataFrame:
    """Return the rows as they may be shared: None for hidden counts and for what was computed from them."""
    listed, _, by = subjects.partition(" by ")
    parts = [part.split() for part in listed.split("|")]
    counts = [name for part in parts for name in part]
    cells = rows.to_dicts()
    tables: dict[object, list[int]] = {}
    for at, row in enumerate(cells):
        tables.setdefault(tuple(row[name] for name in by.split()) if by else at, []).append(at)
    for members in tables.values():
        places = [(at, part) for at in members for part in parts]
        table = [[cells[at][name] or 0 for name in part] for at, part in places]
        for (at, part), shown in zip(places, _suppressed(table), strict=True):
            cells[at] |= dict(zip(part, shown, strict=True))
    return pl.DataFrame([_without_statistics(row, counts) for row in cells], schema=rows.schema, orient="row")


def _suppressed(table: list[list[int]]) -> list[Row]:
    """Hide the small counts of a table; one column is a list, of which fewer others have to be hidden."""
    if len(table[0]) == 1:
        return [[count] for count in suppress([count for (count,) in table])]
    return suppress_table(table).cells


def _without_statistics(row: dict[str, object], counts: list[str]) -> dict[str, object]:
    """Empty what a group that is hidden was described by; a group of nobody has nothing to hide."""
    is_hidden = any(row[name] is None for name in counts)
    return {
        name: None
        if (is_hidden and isinstance(value, float))
        or (isinstance(value, int) and not isinstance(value, bool) and is_small(value))
        else value
        for name, value in row.items()
    }
