"""Commands that show what was found and where it comes from: report, trace, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.commands.options import DEFAULT, Json, Warehouse, reading, show
from etl.commands.study import Study

if TYPE_CHECKING:
    from etl.mart_lineage import Cell
    from etl.trace import Step, Trace
    from etl.verify import Verification

# One column that came from so few cells shows each in full.
SHORT = 3


def report(
    out: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("report"),
    form: Annotated[
        str, typer.Option("--format", help="html, xlsx, json, pdf, or several with commas.")
    ] = "html,xlsx,json",
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    fail_on: Annotated[
        str, typer.Option(help="fatal, convention or any: what the verdict counts.")
    ] = "fatal",
    shareable: Annotated[
        bool,
        typer.Option(
            "--shareable/--reveal",
            help="No subject's value, or the rows to fix as well, in files of your own; the ledger keeps that you did.",
        ),
    ] = True,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Write the newest validation as files that may be shared: no subject's value, small counts hidden."""
    from etl.reporting import write_reports

    source = (
        reading(warehouse) if shareable else warehouse
    )  # what reveals is recorded in the warehouse itself
    paths = write_reports(source, out, form.split(","), language, fail_on, reveal=not shareable)
    show({"files": [str(path) for path in paths]}, "\n".join(f"wrote  {path}" for path in paths), json=json)


def trace(
    targets: Annotated[
        list[str],
        typer.Argument(
            help="Ids of results, answers, administrations, held records or subjects, names of checks, or one mart."
        ),
    ],
    subject: Annotated[str | None, typer.Option(help="Of a mart: whose row.")] = None,
    column: Annotated[str | None, typer.Option(help="Of a mart: which column; else all.")] = None,
    row: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of a mart: which of the subject's rows; else all."),
    ] = None,
    study: Study = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show what the source says; the ledger keeps that you did.")
    ] = False,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Follow rows, or a column of a mart, back to the cells of their source: file, place, unit, factor, rules, run.

    etl trace mart.subject_baseline --subject SUBJECT_ID --column b12
    """
    from etl.trace import trace as run
    from etl.trace import trace_cell

    path = warehouse if reveal else reading(warehouse)
    if any((subject, column, row)) or targets[0].startswith("mart."):
        found = trace_cell(path, _cell(targets, subject, column, row or []), study, reveal=reveal)
    else:
        found = run(path, targets, reveal=reveal)
    short = SHORT if len(found) == 1 and found[0].kind == "column" else 1
    text = "\n\n".join(_traced(each, short) for each in found)
    show([each.document() for each in found], text, json=json)


def verify(warehouse: Warehouse = DEFAULT, json: Json = False) -> None:
    """Check that every load still adds up and that the ledger was not changed; exit 5 where it does not hold."""
    from etl.verify import verify as run

    found = run(warehouse)
    show(found.document(), _verified(found), json=json)
    raise typer.Exit(found.exit_code())


def _cell(targets: list[str], subject: str | None, column: str | None, rows: list[str]) -> Cell:
    from etl.mart_lineage import Cell
    from schemas.errors import UsageError

    if len(targets) > 1:
        raise UsageError(
            "A mart is traced by itself.", "Its row and column are options.", f"etl trace {targets[0]}"
        )
    named = {name: value for name, _, value in (each.partition("=") for each in rows)}
    return Cell(targets[0], subject, column, named)


def _traced(found: Trace, short: int) -> str:
    head = f"{found.kind} {found.target}" + (f"\n{found.note}" if found.note else "")
    if len(found.steps) > short:
        from etl.terminal import table

        rows = [
            (step.kind, step.id, step.what, step.state, str(step.source["sha256"])[:12], step.source["locator"],
             *((step.cells.get("value_source"),) if step.cells else ()))
            for step in found.steps
        ]  # fmt: skip
        header = ("kind", "id", "what", "state", "file", "place")
        revealed = any(step.cells for step in found.steps)
        return f"{head}\n\n{table((*header, 'original') if revealed else header, _even(rows))}"
    return "\n".join([head, *(line for step in found.steps for line in _lines(step))])


def _even(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Give every row as many cells as the longest has."""
    longest = max(map(len, rows))
    return [(*row, *[None] * (longest - len(row))) for row in rows]


def _lines(step: Step) -> list[str]:
    """Return one row's way from the source, part by part."""
    whose = f" of subject {step.subject_id}" if step.subject_id else ""
    lines = [f"{step.kind} {step.id}{whose}", f"  {step.what} ({step.state}), {step.site}/{step.feed}"]
    parts = {
        "source": step.source,
        "load": step.load,
        "unit": step.unit,
        "row": step.facts,
        "original": step.cells,
    }
    for name, part in parts.items():
        known = {key: value for key, value in part.items() if value is not None}
        if known:
            lines += [f"  {name}", *(f"    {key:<16} {value}" for key, value in known.items())]
    for name, listed in (
        ("decisions", step.decisions), ("rules", _telling(step.rules)), ("repeated in", step.repeated), ("versions", step.versions),
    ):  # fmt: skip
        if listed:
            lines += [f"  {name}", *(f"    {_joined(each)}" for each in listed)]
    return lines


def _telling(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rules of the row itself and the checks that did not pass; the others as one number."""
    quiet = [each for each in rules if "scope" in each and each["status"] in {"passed", "not_applicable"}]
    told = [each for each in rules if each not in quiet]
    return told + (
        [{"others": f"{len(quiet)} checks of its site, feed or analyte found nothing"}] if quiet else []
    )


def _joined(part: dict[str, Any]) -> str:
    return "  ".join(str(value) for value in part.values() if value not in (None, {}, ""))


def _verified(found: Verification) -> str:
    lines = [f"{found.loads:,} loads, {found.entries:,} entries of the ledger."]
    if found.unbalanced:
        lines.append(f"Loads that do not add up: {', '.join(found.unbalanced)}")
    if found.broken_ledger:
        lines.append(f"The ledger breaks at: {', '.join(found.broken_ledger)}")
    if found.uncopied:
        lines.append(f"{found.uncopied:,} entries are missing in the copy beside the warehouse.")
    lines.append(
        "Everything holds."
        if found.is_sound
        else "Restore a copy, or ingest the exports into a new warehouse."
    )
    return "\n".join(lines)
