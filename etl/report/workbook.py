"""The report as an Excel workbook: one sheet a panel, every result of every check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import xlsxwriter

from etl.report.model import Report
from etl.report.words import words

HIDDEN = "–"

# The columns of each sheet, as keys of the report's words.
_FILES = (
    "site feed file format load_status lines records read accepted held duplicate superseded out_of_scope withdrawn "
    "attributes balanced resembling"
)
_RESULTS = "check category severity scope status failing looked_at percentage threshold reason"
_RULES = "check category severity threshold why advice"
_KAHN = "category subcategory context error failed not_applicable passed"
_ANALYTES = "site analyte results values unit units_sent unit_bases subjects mean reasons"
_SCALES = "instrument version scale scores statuses reported_only disagreeing"
_HELD = "site feed reason records advice"
_FIXES = "reason site feed file place original advice"


class _Book:
    """A workbook whose sheets are tables with a frozen, filterable header; notice: said at the top of each."""

    def __init__(self, language: str, notice: str = "") -> None:
        self.words = words(language)
        self._notice = notice
        self._buffer = BytesIO()
        # Text from a source that starts with "=" must stay text.
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(self._buffer, options)
        self._bold = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self._warning = self._book.add_format({"bold": True, "font_color": "#a4262c"})
        self._wrapped = self._book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, name: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
        """Add a sheet. columns: keys of the report's words, with spaces between."""
        title = self.words[name].replace("/", "-")[:31]
        sheet = self._book.add_worksheet(title)
        top = 1 if self._notice else 0
        sheet.write_row(top, 0, [self.words.get(column, column) for column in columns.split()], self._bold)
        last = top
        for last, row in enumerate(rows, start=top + 1):
            sheet.write_row(last, 0, [self._cell(value) for value in row], self._wrapped)
        sheet.freeze_panes(top + 1, 0)
        sheet.autofilter(top, 0, max(last, top + 1), columns.count(" "))
        sheet.autofit(max_width=420)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0, top)
        if self._notice:
            sheet.write_string(0, 0, self._notice, self._warning)
            sheet.set_header(f"&C{self._notice}")

    def close(self) -> bytes:
        """Return the workbook's bytes."""
        self._book.close()
        return self._buffer.getvalue()

    def _cell(self, value: object) -> object:
        if value is None:
            return HIDDEN
        if isinstance(value, bool):
            return self.words["balances" if value else "does_not_balance"]
        if isinstance(value, dict):
            named = ((self.words["data"].get(name, name), number) for name, number in value.items())
            return "; ".join(f"{name or self.words['no_unit']}: {number}" for name, number in named)
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return value if isinstance(value, (int, float)) else str(value)


def render(report: Report, language: str = "en") -> bytes:
    """Return the workbook."""
    said = words(language)
    book = _Book(language, said["revealed"] if report.is_revealing else "")
    book.add("summary", "summary value", _summary(report, said))
    book.add("findings", _RESULTS, _results(report, said, {"failed", "error"}))
    if report.is_revealing:
        book.add("fixes", _FIXES, _fixes(report, said, language))
    book.add("changes", "changes check scope severity", _changes(report, said))
    book.add("kahn", _KAHN, _kahn(report, said))
    book.add("results", _RESULTS, _results(report, said, set(report.counts)))
    book.add("rules", _RULES, _rules(report, language))
    book.add("files", _FILES, _files(report))
    groups = " ".join(report.subjects["groups"])
    rows = ([row["site"], *row["subjects"], row["total"]] for row in report.subjects["rows"])
    book.add("subjects", f"site {groups} total", rows)
    _measures(book, report, language)
    book.add("provenance", "definition digest", [*report.versions.items(), *report.digests.items()])
    return book.close()


def _fixes(report: Report, said: dict[str, Any], language: str) -> Iterable[Sequence[Any]]:
    for row in report.fixes:
        where = (row["site"], row["feed"], row["path"], row["place"])
        yield ", ".join(row["about"]), *where, row["original"], row["text"][language]
    if report.fixes_left_out:
        yield (f"+ {report.fixes_left_out} {said['fixes_left_out']}",)


def _measures(book: _Book, report: Report, language: str) -> None:
    sources = {"mean": "geometric_mean", "reasons": "absent_reasons"}
    rows = ([row[sources.get(name, name)] for name in _ANALYTES.split()] for row in report.analytes)
    book.add("analytes", _ANALYTES, rows)
    book.add("scales", _SCALES, ([row[name] for name in _SCALES.split()] for row in report.scales))
    held = (
        (row["site"], row["feed"], f"{row['reason']}: {text['sentence']}", row["records"], text["advice"])
        for row in report.held
        for text in (row["text"][language],)
    )
    book.add("quarantine", _HELD, held)


def _summary(report: Report, said: dict[str, Any]) -> list[tuple[str, Any]]:
    counts = [(said[status], number) for status, number in report.counts.items()]
    return [
        (said["verdict"], said[f"verdict_{report.verdict}"]),
        (said["blocking"], report.blocking),
        (said["blocks_from"], said[report.fail_on]),
        *counts,
        (said["run"], report.run_id),
        (said["checked_at"], report.checked_at),
    ]


def _changes(report: Report, said: dict[str, Any]) -> Iterable[Sequence[Any]]:
    for kind, group in report.changes.items():
        for each in group:
            yield said[kind], each["check_id"], each["scope"], said[each["severity"]]


def _kahn(report: Report, said: dict[str, Any]) -> Iterable[Sequence[Any]]:
    for row in report.kahn:
        words_of = (said[row[name]] for name in ("category", "subcategory", "context"))
        yield *words_of, row["error"], row["failed"], row["not_applicable"], row["passed"]


def _results(report: Report, said: dict[str, Any], statuses: set[str]) -> Iterable[Sequence[Any]]:
    for check in report.checks:
        for each in check["results"]:
            if each["status"] in statuses:
                counts = (
                    each[name] for name in ("numerator", "denominator", "percentage", "threshold", "note")
                )
                head = (check["id"], said[check["category"]], said[check["severity"]], each["scope"])
                yield *head, said[each["status"]], *counts


def _rules(report: Report, language: str) -> Iterable[Sequence[Any]]:
    said = words(language)
    for check in report.checks:
        text = check["text"].get(language, check["text"]["en"])
        sentence = f"{check['id']}: {text['sentence']}"
        yield (
            sentence,
            said[check["category"]],
            said[check["severity"]],
            check["threshold"],
            text["reason"],
            text["advice"],
        )


def _files(report: Report) -> Iterable[Sequence[Any]]:
    sources = {"file": "file_id", "load_status": "status", "balanced": "is_balanced"}
    return ([row[sources.get(name, name)] for name in _FILES.split()] for row in report.files)
