"""What the terminal shows: plain text made from reports. No cell value ever comes here."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from etl.disclosure import SMALLEST
from etl.doctor import Finding
from etl.outcome import FileOutcome, IngestReport
from etl.status import Status
from etl.validate import ValidationReport
from expectations.result import STATUSES
from schemas.reasons import REASONS

WIDTH = 110
_BUCKETS = ("read", "accepted", "held", "duplicate", "superseded", "out_of_scope", "withdrawn")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return an aligned table: numbers to the right, text to the left."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = (
        [
            all(isinstance(value, (int, float)) or value is None for value in column)
            for column in zip(*rows, strict=True)
        ]
        if cells
        else []
    )
    widths = [max([_width(name), *(_width(row[at]) for row in cells)]) for at, name in enumerate(header)]
    lines = [_line(header, widths, numeric or [False] * len(header))]
    lines.append("  ".join("-" * width for width in widths))
    lines.extend(_line(row, widths, numeric) for row in cells)
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _width(text: str) -> int:
    """Return how many columns a text takes: ideographs take two."""
    return sum(2 if "\u2e80" <= letter <= "\uffef" else 1 for letter in text)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = [
        " " * (width - _width(cell)) + cell if to_right else cell + " " * (width - _width(cell))
        for cell, width, to_right in zip(cells, widths, numeric, strict=True)
    ]
    return "  ".join(padded).rstrip()


def ingest_summary(report: IngestReport) -> str:
    """Return the summary of an ingest: files, buckets, reasons, names out of scope, what to do next."""
    rows = [
        (_label(each), each.status, each.feed, *(getattr(each.counts, bucket) for bucket in _BUCKETS))
        for each in report.files
    ]
    parts = [table(("file", "status", "feed", *_BUCKETS), rows)]
    parts += [
        text
        for text in (_subjects(report), _reasons(report), _out_of_scope(report), _deliveries(report))
        if text
    ]
    parts += [each.error.message() for each in report.files if each.error]
    parts += [f"{_label(each)}: {each.note}" for each in report.files if each.note and not each.error]
    parts.append(_verdict(report))
    return "\n\n".join(parts)


def _label(outcome: FileOutcome) -> str:
    path = outcome.path if len(outcome.path) <= 48 else "..." + outcome.path[-45:]
    return f"{path} [{outcome.part}]" if outcome.part else path


def _subjects(report: IngestReport) -> str:
    rows = [
        (_label(each), each.detail.subjects, each.counts.attributes, each.counts.attributes_stored,
         each.counts.attributes_repeated, each.counts.attributes_held)
        for each in report.files
        if each.counts.attributes
    ]  # fmt: skip
    if not rows:
        return ""
    return "Statements about subjects\n" + table(
        ("file", "subjects", "read", "stored", "repeated", "held"), rows
    )


def _reasons(report: IngestReport) -> str:
    rows = [
        (_label(each), reason, number)
        for each in report.files
        for reason, number in each.detail.reasons.most_common()
    ]
    if not rows:
        return ""
    named = sorted({reason for _, reason, _ in rows})
    return "Held, by reason\n" + table(("file", "reason", "rows"), rows) + "\n\n" + _advice(named)


def _advice(reasons: Sequence[str]) -> str:
    """Return why each reason holds a row, and what settles it."""
    width = max(map(len, reasons))
    lines = []
    for reason in reasons:
        if reason in REASONS:
            lines += [
                f"{reason:<{width}}  {REASONS[reason].sentence}",
                f"{'':<{width}}  -> {REASONS[reason].advice}",
            ]
    return "\n".join(lines)


def _out_of_scope(report: IngestReport) -> str:
    names = sum((each.detail.out_of_scope_names for each in report.files), start=Counter[str]())
    rare = sum(each.rare_names for each in report.files)
    rows = sum(each.counts.out_of_scope for each in report.files)
    if not rows:
        return ""
    listed = ", ".join(
        f"{name} {number:,}" for name, number in sorted(names.items(), key=lambda item: (-item[1], item[0]))
    )
    wrapped = textwrap.fill(
        listed, WIDTH, initial_indent="  ", subsequent_indent="  ", break_long_words=False
    )
    lines = [f"Out of scope: {rows:,} rows under {len(names) + rare:,} names", *([wrapped] if names else [])]
    if rare:
        number = "1 name" if rare == 1 else f"{rare:,} names"
        lines.append(
            f"  {number} that fewer than {SMALLEST} subjects share, {rows - names.total():,} rows: "
            "etl quarantine names --reveal"
        )
    return "\n".join(lines)


def _deliveries(report: IngestReport) -> str:
    return "\n".join(
        f"Snapshot {feed}: {change.unchanged:,} unchanged, {change.changed:,} changed, "
        f"{change.vanished:,} vanished, {change.new:,} new.{_several_deliveries(report, feed)}"
        for feed, change in report.changes.items()
    )


def _several_deliveries(report: IngestReport, feed: str) -> str:
    """Warn where the files of one snapshot may be several: they repeat each other, or some were there and others are new."""
    files = [each for each in report.files if f"{each.site}/{each.feed}" == feed and not each.error]
    is_mixed = len({each.status == "unchanged" for each in files}) == 2
    if len(files) < 2 or not (is_mixed or any(each.counts.duplicate for each in files)):
        return ""
    return (
        f" Its {len(files)} files were taken for one delivery, so none of them replaces another; if one is a later delivery, "
        "ingest that one by itself."
    )


def _verdict(report: IngestReport) -> str:
    sums = report.totals()
    unchanged = sum(each.status == "unchanged" for each in report.files)
    kept = (
        "Nothing was kept: this was a dry run."
        if report.is_dry_run
        else f"Run {report.run_id}, {report.seconds:.1f} s."
    )
    if unchanged and unchanged == len(report.files):
        return f"Nothing changed: every file was loaded before under the same plan. {kept}"
    parts = " + ".join(
        f"{sums[bucket]:,} {bucket.replace('_', ' ')}" for bucket in _BUCKETS[1:] if sums[bucket]
    )
    return f"Every row is accounted for: {sums['read']:,} read = {parts or '0'}. {kept}"


def status_summary(found: Status) -> str:
    """Return the state of a warehouse as text."""
    parts = [
        _titled("Loaded", found.feeds),
        _titled("Held and open", found.held),
        _titled("Last validation", found.checks),
        _titled("Open findings", found.findings),
    ]
    if found.is_validation_old:
        parts.append("The last validation is older than the last load.\n  Try: etl validate")
    if found.stale:
        feeds = Counter(f"{each['site']}/{each['feed']}" for each in found.stale)
        listed = ", ".join(f"{feed} {number}" for feed, number in feeds.items())
        parts.append(
            f"Stale (the mapping or the registry changed since): {listed}\n  Try: etl ingest --refresh"
        )
    if found.unbalanced:
        parts.append(f"Loads that do not add up: {', '.join(found.unbalanced)}")
    if found.broken_ledger:
        parts.append("The ledger of runs and decisions is broken: an entry was changed or removed.")
    return "\n\n".join(part for part in parts if part) or "Nothing is loaded yet."


def _titled(title: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    return f"{title}\n" + table(
        [name.replace("_", " ") for name in rows[0]], [list(row.values()) for row in rows]
    )


def doctor_summary(findings: Sequence[Finding]) -> str:
    """Return what the doctor saw, one line each."""
    return table(
        ("", "what", "found"), [("ok" if each.is_sound else "!!", each.about, each.said) for each in findings]
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.3g}"


def validation_summary(report: ValidationReport) -> str:
    """Return the verdict, every finding with its numbers, and what changed since the last run."""
    counts = Counter(result.status for result in report.results)
    listed = ", ".join(
        f"{counts[status]} {status.replace('_', ' ')}" for status in STATUSES if counts[status]
    )
    parts = [f"{len(report.results)} checks: {listed}."]
    found = [result for result in report.results if result.is_finding]
    if found:
        rows = [
            (each.severity, each.check_id, each.scope, each.numerator, each.denominator,
             _percent(each.percentage), f"{each.threshold:g}", each.sentence)
            for each in found
        ]  # fmt: skip
        parts.append(table(("severity", "check", "where", "rows", "of", "%", "limit %", "what"), rows))
    if report.previous_run_id:
        changes = ", ".join(f"{len(group)} {name}" for name, group in vars(report.changes).items())
        parts.append(f"Since the last run: {changes}.")
    blocking = len(report.blocking)
    noun = "finding has" if blocking == 1 else "findings have"
    parts.append(
        f"{blocking} {noun} to be settled before an analysis (severity '{report.fail_on}' or graver)."
        if blocking
        else f"Nothing at or above '{report.fail_on}' stands in the way of an analysis."
        if counts.keys() - {"not_applicable"}
        else "Nothing is loaded that a check applies to. Next: etl ingest YOUR_EXPORT --site NAME"
    )
    return "\n\n".join(parts)
