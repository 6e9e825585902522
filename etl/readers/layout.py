"""How a delimited file is laid out: its dialect and where its header and its records are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from etl.readers.base import LOCATOR, ROW, Table

NO_DELIMITER = "\x1f"  # one column: a character that no text holds stands in
QUOTE = '"'


@dataclass(frozen=True)
class Layout:
    """The dialect and the rows of a file.

    quote is empty if fields are not quoted, None as long as no quote was seen that tells. fields is what every record
    has; with has_trailing it is one more than there are columns, the last one empty. Rows are physical lines from 1;
    header_row is 0 without a header; body_row is the first behind the header; footer_row 0 without a footer.
    """

    delimiter: str
    quote: str | None
    columns: tuple[str, ...]
    fields: int
    has_trailing: bool = False
    header_row: int = 0
    body_row: int = 1
    header_text: str = ""
    footer_row: int = 0

    def options(self) -> dict[str, str | int | bool | None]:
        """Return all but the columns, as a table keeps it."""
        kept = asdict(self)
        del kept["columns"]
        return kept


def layout_of(table: Table) -> Layout:
    """Return the layout that inspection stored in a table."""
    names = {each.name for each in fields(Layout)}
    kept = {key: value for key, value in table.options.items() if key in names}
    return Layout(columns=table.columns, **kept)  # type: ignore[arg-type]  # what options() wrote


def unique_names(cells: Iterable[str]) -> tuple[str, ...]:
    """Return column names: white space joined, blanks named by place, doubles numbered (`x`, `x_2`).

    The names of a batch's own columns count as taken.
    """
    names: dict[str, None] = {}
    for place, cell in enumerate(cells, start=1):
        stem = " ".join(cell.split()) or f"column_{place}"
        name, count = stem, 1
        while name in names or name in {ROW, LOCATOR}:
            count += 1
            name = f"{stem}_{count}"
        names[name] = None
    return tuple(names)
