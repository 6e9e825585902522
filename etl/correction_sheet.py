"""The spreadsheet that a site corrects: held records under the site's own headers, ready to be ingested again.

The column `corrects` holds the id of the held record. A sheet that comes back with it is a corrected copy.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etl import quarantine as use
from etl.run import Run
from schemas.errors import UsageError
from warehouse import quarantine
from warehouse.connection import open_warehouse
from warehouse.errors import guarded
from warehouse.keys import load_keys
from warehouse.quarantine import Chosen, HeldRecord

LEADING = ("corrects", "reasons", "advice", "sha256 of the source", "place in the source")
LINE = "damaged line"
# What a spreadsheet program takes for the beginning of a formula; a number with its sign is none.
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
# What it changes when it opens a CSV: leading zeros go, and of a long number the last digits do.
_CHANGED = re.compile(r"0\d+|\d{12,}")
_NUMBER = re.compile(r"\s*[+-]?[\d.,\s]+(?:[eE][+-]?\d+)?\s*")

Table = tuple[list[str], list[list[str]]]  # header, rows


@dataclass(frozen=True)
class Exported:
    """What was written for the site. at_risk: records whose subject's number a spreadsheet program changes in a CSV."""

    path: str
    records: int
    feeds: list[str]
    sites: list[str]
    at_risk: int = 0

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


def export(warehouse: Path, chosen: Chosen, out: Path) -> Exported:
    """Write held records to a private spreadsheet (.xlsx, one sheet a feed, or .csv) and record that it was done.

    Raises UsageError for another ending, for several feeds in one CSV, for no record, and for a file that is there.
    """
    if out.suffix.lower() not in {".xlsx", ".csv"}:
        raise UsageError(
            f"Held records cannot be written as '{out.suffix}'.",
            "The ending chooses the format.",
            "--out NAME.xlsx or NAME.csv",
        )
    if out.exists():
        raise UsageError(f"{out} is there already.", "It may hold what the site corrected.", "another --out")
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        keys = load_keys(warehouse, connection)
        found = quarantine.records(connection, chosen)
        plans = quarantine.plans(connection)
        with Run(connection, warehouse, "quarantine export") as run:
            run.detail = use.revealed_to(records=len(found), site=chosen.site, feed=chosen.feed)
            feeds = sorted({record.feed for record in found})
            texts = {id(record): use.fields(record, keys) for record in found}
            tables = {
                feed: _table([record for record in found if record.feed == feed], plans, texts)
                for feed in feeds
            }
            _write_private(out, _rendered(tables, out))
    at_risk = sum(_is_at_risk(stated) for stated in texts.values()) if out.suffix.lower() == ".csv" else 0
    return Exported(str(out), len(found), feeds, sorted({record.site for record in found}), at_risk)


def _is_at_risk(stated: dict[str, str | None]) -> bool:
    return _CHANGED.fullmatch((stated.get("subject") or "").strip()) is not None


def _rendered(tables: dict[str, Table], out: Path) -> bytes:
    if not tables:
        raise UsageError(
            "No open record is meant.", "None is held under what was chosen.", "etl quarantine list"
        )
    if out.suffix.lower() == ".xlsx":
        return _workbook(tables)
    if len(tables) > 1:
        raise UsageError(
            f"The records are of {len(tables)} feeds, which have different columns.",
            "One CSV has one header.",
            "--feed NAME, or --out NAME.xlsx",
        )
    return _csv(next(iter(tables.values())))


def _table(
    records: Sequence[HeldRecord], plans: dict[str, dict[str, Any]], texts: dict[int, dict[str, str | None]]
) -> Table:
    """Return one feed's records under the headers of their own files."""
    rows = []
    headers: dict[str, None] = {}
    for record in records:
        resolution = plans.get(record.file_id, {}).get("resolution", {})
        headers |= dict.fromkeys(_headers(resolution))
        stated = _under_headers(record, texts[id(record)], resolution)
        headers |= dict.fromkeys(stated)
        place = (record.record_id, "; ".join(record.reasons), " ".join(map(use.advice, record.reasons)))
        rows.append((*place, record.sha256 or "", record.locator, stated))
    names = [name for name in headers if name != LINE] + ([LINE] if LINE in headers else [])
    return [*LEADING, *names], [[*row[:-1], *(row[-1].get(name) or "" for name in names)] for row in rows]


def _headers(resolution: dict[str, Any]) -> list[str]:
    """Return the headers that the file's mapped columns have, in the order of their meaning."""
    roles = [header for role, header in resolution.get("roles", {}).items() if role != "corrects"]
    return [
        *roles,
        *resolution.get("attributes", {}).values(),
        *(each["column"] for each in resolution.get("measures", ())),
    ]


def _under_headers(
    record: HeldRecord, stated: dict[str, str | None], resolution: dict[str, Any]
) -> dict[str, str | None]:
    """Return the texts of a record under the headers of its file."""
    if "line" in stated:
        return {LINE: stated["line"]}
    roles, shown = dict(resolution.get("roles", {})), dict(stated)
    if "collected_at" not in roles and "collected_date" in roles and shown.get("collected_at"):
        day, _, clock = str(shown["collected_at"]).partition(" ")
        shown |= {"collected_date": day, "collected_time": clock}
    if "comparator" in roles and shown.get("comparator") and shown.get("value"):
        shown["value"] = str(shown["value"]).removeprefix(str(shown["comparator"]))
    placed = {header: shown[role] for role, header in roles.items() if role in shown}
    measured = _measured(record, stated, resolution)
    if measured:
        placed[measured] = stated.get("value", stated.get("value_source"))
    return placed


def _measured(record: HeldRecord, stated: dict[str, str | None], resolution: dict[str, Any]) -> str | None:
    """Return the header of the measure or attribute that a record is of; None in a long file."""
    if record.stage == "attribute":
        header: str | None = resolution.get("attributes", {}).get(record.measure)
        return header
    for measure in resolution.get("measures", ()):
        is_lab = measure["kind"] == "lab" and stated.get("analyte") == measure["column"]
        is_item = measure["kind"] == "item" and record.measure == f"{measure['instrument']}/{measure['item']}"
        if is_lab or is_item:
            return str(measure["column"])
    return None


def _workbook(tables: dict[str, Table]) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    bold = book.add_format({"bold": True, "bottom": 1})
    as_typed = book.add_format({"num_format": "@"})
    for number, (feed, (header, rows)) in enumerate(tables.items(), start=1):
        name = re.sub(r"[\[\]:*?/\\']", "-", feed)[:31]
        sheet = book.add_worksheet(name if len(tables) == 1 else f"{name[:28]} {number}")
        for column, title in enumerate(header):
            sheet.write_string(0, column, title, bold)
        # Every cell is text, also what is typed into it: a number of a subject keeps its zeros, a result its decimal
        # mark, and nothing is a date or a formula.
        sheet.set_column(0, len(header) - 1, None, as_typed)
        for at, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if value:
                    sheet.write_string(at, column, value, as_typed)
                else:
                    sheet.write_blank(at, column, None, as_typed)
        sheet.freeze_panes(1, 1)
        sheet.autofit(max_width=300)
    book.close()
    return buffer.getvalue()


def _csv(table: Table) -> bytes:
    header, rows = table
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


def _plain(value: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula."""
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def _write_private(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
