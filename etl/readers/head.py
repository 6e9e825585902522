"""Finding the dialect and the header from the first lines of a file, with the evidence."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from etl.readers.base import LEVELS, Decision, Hints
from etl.readers.layout import NO_DELIMITER, QUOTE, Layout, unique_names
from schemas.errors import DefinitionError, SourceUnreadable

DELIMITERS = (",", ";", "\t", "|")
DELIMITER_NAMES = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "pipe": "|",
    "none": NO_DELIMITER,
}
HEADER_WITHIN = 50  # records among which a header is looked for
# A cell that is a value, not a name: a number with comparator and percent sign, a date, a time.
VALUE = re.compile(
    r"\s*(?:[<>≤≥~]?=?\s*[-+]?\d[\d.,' ]*(?:[eE][-+]?\d+)?\s*%?"
    r"|\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?(?:[ T].*)?|\d{1,2}:\d{2}.*)\s*"
)


@dataclass(frozen=True)
class HeadRecord:
    """One record of the head: its physical line, the line behind it, and its cells."""

    row: int
    next_row: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        """No cell says anything."""
        return not any(cell.strip() for cell in self.cells)

    def is_names(self, *, strictly: bool = False) -> bool:
        """Tell whether the cells look like column names: mostly filled, none a value; strictly: all filled, no doubles."""
        filled = [cell for cell in self.cells if cell.strip()]
        if any(VALUE.fullmatch(cell) for cell in filled) or 2 * len(filled) < len(self.cells):
            return False
        return bool(filled) and (not strictly or len(set(filled)) == len(self.cells))


@dataclass(frozen=True)
class Reading:
    """The head as one dialect reads it."""

    delimiter: str
    quote: str | None
    records: tuple[HeadRecord, ...]  # blank ones left out
    width: int

    @property
    def matching(self) -> list[HeadRecord]:
        """The records that have the usual number of fields."""
        return [record for record in self.records if len(record.cells) == self.width]

    def merit(self) -> tuple[bool, bool, int, int]:
        """Order dialects: consistent behind the first match, with names on top, covering most lines, widest."""
        matching = self.matching
        if not matching or (self.width == 1 and self.delimiter != NO_DELIMITER):
            return (False, False, 0, 0)
        behind = len(self.records) - self.records.index(matching[0])
        has_names = matching[0].is_names()
        share = (
            3 if has_names and behind == len(self.records) else 2
        )  # names on the first line need less support
        return (share * len(matching) >= behind, has_names, len(matching), self.width)


def read_head(head: str, name: str, hints: Hints) -> tuple[Layout, list[Decision]]:
    """Return the layout of a file that begins with these whole lines, and the decisions that led there."""
    reading, decisions = _choose_dialect(head, hints)
    if not hints.has_header:
        columns = tuple(f"column_{place}" for place in range(1, reading.width + 1))
        trailing = _is_trailing(reading.matching, reading.width) and reading.width > 1
        columns = columns[:-1] if trailing else columns
        return Layout(reading.delimiter, reading.quote, columns, reading.width, trailing), decisions
    if not reading.records:
        return Layout(reading.delimiter, reading.quote, (), 1), decisions
    header, basis = _find_header(reading, hints, name)
    header, heading = _extended(reading, header, hints)
    basis = "content" if heading and basis == "default" else basis
    layout = _with_header(reading, header, head)
    skipped = sum(record.row < header.row for record in reading.records)
    evidence: dict[str, int | str] = {"columns": len(layout.columns), "records_before": skipped}
    decisions += [Decision("header", str(header.row), basis, evidence), *heading]
    if layout.has_trailing:
        on_header = len(header.cells) == layout.fields
        seen = {"records_seen": len(reading.matching), "header": "too" if on_header else "not"}
        decisions.append(Decision("trailing_delimiter", "all", "content", seen))
    return layout, decisions


def quote_of(text: str, delimiter: str) -> tuple[str | None, dict[str, int | str]]:
    """Tell whether quotes delimit fields ('"') or are text (''), None if there are none; with the counts.

    Quotes that open a field speak for quoting; those inside a field, and closing ones that none opened, against.
    """
    if QUOTE not in text:
        return None, {}
    edge = re.escape(delimiter) + r"\r\n"
    opening = len(re.findall(rf'(?:^|[{edge}])"', text))
    closing = len(re.findall(rf'"(?=[{edge}]|\Z)', text))
    inside = len(re.findall(rf'(?<=[^{edge}"])"(?=[^{edge}"])', text))
    against = inside + max(0, closing - opening)
    quote = "" if against > opening else QUOTE
    return quote, {"opening": opening, "closing": closing, "inside": inside}


def declared_delimiter(hint: str) -> str:
    """Return the character that a mapping declares, by itself or by name. Raises DefinitionError."""
    delimiter = DELIMITER_NAMES.get(hint.lower(), hint)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '\r\n"\0' or delimiter.isalnum():
        why = "A delimiter is one ASCII character that is no letter, digit or quote."
        raise DefinitionError(
            f"The delimiter '{hint}' cannot be used.", why, "delimiter: comma, semicolon, tab, pipe"
        )
    return delimiter


def declared_quote(hint: str) -> str:
    """Return the character that a mapping declares, empty for none. Raises DefinitionError."""
    if hint.lower() in {"", "none"}:
        return ""
    if len(hint) != 1 or not hint.isascii() or hint.isalnum() or hint.isspace():
        raise DefinitionError(
            f"The quote '{hint}' cannot be used.", "It is one ASCII character.", "quote: none"
        )
    return hint


def _choose_dialect(head: str, hints: Hints) -> tuple[Reading, list[Decision]]:
    declared = declared_delimiter(hints.delimiter) if hints.delimiter else None
    readings = [_read(head, each, hints) for each in ([declared] if declared else DELIMITERS)]
    best = max(readings, key=Reading.merit)
    if not declared and not best.merit()[0]:
        best = _read(head, NO_DELIMITER, hints)
    seen: dict[str, int | str] = {"records_seen": len(best.records), "records_matching": len(best.matching)}
    basis = "declared" if declared else "content"
    decisions = [
        Decision("delimiter", best.delimiter if best.delimiter != NO_DELIMITER else "none", basis, seen)
    ]
    if best.quote is not None:
        counts = quote_of(head, best.delimiter)[1]
        decisions.append(
            Decision("quote", best.quote or "none", "declared" if hints.quote else "content", counts)
        )
    return best, decisions


def _read(head: str, delimiter: str, hints: Hints) -> Reading:
    quote = declared_quote(hints.quote) if hints.quote is not None else quote_of(head, delimiter)[0]
    whole = _records(io.StringIO(head, newline=""), delimiter, quote)
    readings = [Reading(delimiter, quote, whole, _usual_width(whole, delimiter))]
    if quote:  # an open quote swallows what follows: line by line may read more
        lines = _records_by_line(head, delimiter, quote)
        readings.append(Reading(delimiter, quote, lines, _usual_width(lines, delimiter)))
    return max(readings, key=lambda reading: sum(record.next_row - record.row for record in reading.matching))


def _records(
    lines: io.StringIO | list[str], delimiter: str, quote: str | None, row: int = 1
) -> tuple[HeadRecord, ...]:
    plain = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote) if quote else plain
    records = []
    done = 0
    try:
        for cells in reader:
            records.append(HeadRecord(row + done, row + reader.line_num, tuple(cells)))
            done = reader.line_num
    except csv.Error:  # a field beyond the module's limit: what came before is enough
        pass
    return tuple(record for record in records if not record.is_blank)


def _records_by_line(head: str, delimiter: str, quote: str) -> tuple[HeadRecord, ...]:
    lines = io.StringIO(head, newline="")
    return tuple(
        record
        for row, line in enumerate(lines, start=1)
        for record in _records([line], delimiter, quote, row)
    )


def _usual_width(records: Sequence[HeadRecord], delimiter: str) -> int:
    """Return the most common number of fields from two up; the first one seen wins a tie."""
    if delimiter == NO_DELIMITER:
        return 1
    widths = Counter(len(record.cells) for record in records if len(record.cells) > 1)
    return widths.most_common(1)[0][0] if widths else 1


def _find_header(reading: Reading, hints: Hints, name: str) -> tuple[HeadRecord, str]:
    if hints.header_row is not None:
        for record in reading.records:
            if record.row <= hints.header_row < record.next_row:
                return record, "declared"
        raise SourceUnreadable(
            f"{name} has no header in line {hints.header_row}.",
            "The mapping declares that line, but it is empty or far behind the first lines.",
            "correct header_row in the mapping",
        )
    records, matching = reading.records[:HEADER_WITHIN], reading.matching
    first = matching[0]
    before = [
        record for record in records if record.row < first.row and record.is_names() and len(record.cells) > 1
    ]
    short = [record for record in before if len(record.cells) == reading.width - 1]
    if short and _is_trailing(matching, reading.width):
        return short[-1], "content"
    if first.is_names():
        return first, "content"
    for place, record in enumerate(matching[:HEADER_WITHIN]):
        if record.is_names(strictly=True) and not all(
            later.is_names() for later in matching[place + 1 :][:HEADER_WITHIN]
        ):
            return record, "content"
    return (before[0], "content") if before else (first, "default")


def _extended(reading: Reading, header: HeadRecord, hints: Hints) -> tuple[HeadRecord, tuple[Decision, ...]]:
    """Return the header with the lines below that belong to it, and why they do."""
    below = [record for record in reading.records if record.row > header.row][:LEVELS]
    below = list(takewhile(lambda record: len(record.cells) == len(header.cells), below))
    if hints.extend is None:
        return header, ()
    heading = hints.extend(header.cells, [record.cells for record in below], hints.is_first_row)
    if not heading.lines:
        return header, ()
    return HeadRecord(header.row, below[heading.lines - 1].next_row, heading.names), heading.decisions


def _is_trailing(records: Sequence[HeadRecord], width: int) -> bool:
    """Tell whether at least two records, and all, end in an empty field."""
    return len(records) > 1 and width > 1 and all(not record.cells[-1] for record in records)


def _with_header(reading: Reading, header: HeadRecord, head: str) -> Layout:
    behind = [record for record in reading.matching if record.row >= header.next_row]
    names, fields = header.cells, len(header.cells)
    if reading.width == fields and not names[-1].strip() and fields > 1 and behind:
        trailing = all(not record.cells[-1] for record in behind)
        names = names[:-1] if trailing else names
    else:
        trailing = reading.width == fields + 1 and _is_trailing(behind, reading.width)
        fields += trailing
    lines = list(io.StringIO(head, newline=""))[header.row - 1 : header.next_row - 1]
    return Layout(
        delimiter=reading.delimiter,
        quote=reading.quote,
        columns=unique_names(names),
        fields=fields,
        has_trailing=trailing,
        header_row=header.row,
        body_row=header.next_row,
        header_text="".join(lines).rstrip("\r\n"),
    )
