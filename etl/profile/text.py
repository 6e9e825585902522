"""A profile as plain text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from etl.profile.model import ColumnProfile, FileProfile, Plot, TableProfile, Text
from etl.terminal import WIDTH, table

_BARS = " ▁▂▃▄▅▆▇█"
_KEPT = 8  # texts of a list on one line


def profile_text(files: Sequence[FileProfile]) -> str:
    """Return the profiles of files, one block each."""
    return "\n\n".join("\n".join(_file(each)) for each in files)


def _file(file: FileProfile) -> Iterator[str]:
    yield file.name
    if file.error:
        yield file.error
        return
    encoding = f", {file.encoding}" if file.encoding else ""
    yield f"  {file.format}{encoding}, {file.size:,} bytes, sha256 {file.sha256[:12] or 'not computed'}"
    if not file.tables:
        yield "  It holds no table."
    for each in file.tables:
        yield from _table(each)


def _table(found: TableProfile) -> Iterator[str]:
    yield ""
    title = f"[{found.title}] " if found.title else ""
    lines = f" in {found.lines:,} lines" if found.lines is not None else ""
    yield f"{title}{found.shape.replace('_', ' ')}: {found.records:,} records{lines}, {len(found.columns)} columns; header: {found.header}"
    if found.looked_at < found.records - sum(found.damaged.values()):
        yield f"Looked at {found.looked_at:,} records, spread over the file."
    yield f"Subjects: {'fewer than five, or unknown' if found.subjects is None else f'{found.subjects:,}'} ({found.subject})"
    for each in found.decisions:
        yield f"{each.about}: {each.value or 'not settled'} ({each.basis}{'; ' + each.evidence if each.evidence else ''})"
    counted = {**({"continuation": found.continuation} if found.continuation else {}), **found.structural}
    if counted:
        yield "Other lines: " + ", ".join(
            f"{kind.replace('_', ' ')} {number:,}" for kind, number in counted.items()
        )
    if found.damaged:
        yield "Damaged: " + ", ".join(f"{reason} {number:,}" for reason, number in found.damaged.items())
    yield from found.notes
    if found.columns:
        yield ""
        rows = [
            (each.place, each.name, each.kind, f"{_share(each)} %", each.distinct, each.read_as)
            for each in found.columns
        ]
        yield table(("no", "column", "cells", "filled", "distinct", "read as"), rows)
    for column in found.columns:
        yield from _column(column)
    if found.analytes:
        yield ""
        known = [
            (each.name, each.says, each.unit or "none stated", each.reads, each.records, _drawn(each.plot))
            for each in found.analytes
        ]
        yield table(("name", "known as", "unit", "read as", "records", "subjects by value"), known)


def _share(column: ColumnProfile) -> int:
    return round(100 * column.filled / column.records) if column.records else 0


def _column(column: ColumnProfile) -> Iterator[str]:
    said = [*_said(column)]
    if said:
        yield ""
        yield f"{column.name}{': ' + column.label if column.label else ''}"
        for line in said:
            yield textwrap.fill(
                line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False
            )


def _said(column: ColumnProfile) -> Iterator[str]:
    if column.note:
        yield column.note
    if column.read_as:
        yield f"read as {column.read_as}: {column.why}"
    if column.date_order:
        yield f"date order: {column.date_order} ({_evidence(column)})"
    if column.decimal:
        yield f"decimal mark: {column.decimal} ({_evidence(column)})"
    if column.missing:
        yield "no result: " + ", ".join(
            f"{each.text} {each.records:,} ({each.says})" for each in column.missing
        )
    if column.texts:
        yield (
            "texts: "
            + "; ".join(map(_text, column.texts[:_KEPT]))
            + (f"; {len(column.texts) - _KEPT} more" if len(column.texts) > _KEPT else "")
        )
    if column.hidden:
        yield f"not shown: {column.hidden:,} texts that fewer than five subjects share"
    if column.plot:
        yield _bars(column.plot)


def _evidence(column: ColumnProfile) -> str:
    return (
        ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in column.evidence.items())
        or "nothing seen"
    )


def _text(each: Text) -> str:
    subjects = f", {each.subjects:,} subjects" if each.subjects is not None else ""
    return f"{each.text} ({each.records:,} records{subjects}{', ' + each.says if each.says else ''})"


def _drawn(plot: Plot | None) -> str:
    return _bars(plot).partition(", ")[2] if plot else ""


def _bars(plot: Plot) -> str:
    highest = max(count for count in plot.counts if count)
    drawn = "".join("·" if count is None else _BARS[-(-8 * count // highest)] for count in plot.counts)
    return f"{plot.title}, {plot.edges[0]} to {plot.edges[-1]}: {drawn}"
