"""What an export is: a header, records and a way to write them down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Record = Sequence[str]


@dataclass(frozen=True)
class Dialect:
    """How a hospital writes its text files; no cell holds a delimiter, a quote or a line end."""

    encoding: str
    delimiter: str = ","
    line_end: str = "\r\n"
    quote: str = ""
    byte_order_mark: bytes = b""

    def render(self, record: Record) -> bytes:
        """Return one line without its line end."""
        between = f"{self.quote}{self.delimiter}{self.quote}"
        return f"{self.quote}{between.join(record)}{self.quote}".encode(self.encoding)


@dataclass(frozen=True)
class Export:
    """One file. Defects are planted among `records`; `history` follows and may be long, so it is never held."""

    path: str
    dialect: Dialect
    header: Record
    records: Sequence[Record]
    history: Iterable[Record] = ()
    preamble: Sequence[str] = ()
    total: str = ""  # a last line with the number of records in place of {}
    measures: frozenset[str] | None = None  # columns the study measures; None: a long file, one result a row


def in_order(header: Record, cells: Mapping[str, str]) -> list[str]:
    """Return the cells in the header's order; what is not given is empty."""
    return [cells.get(name, "") for name in header]
