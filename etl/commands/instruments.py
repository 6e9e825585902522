"""etl instruments: what the tool knows of the clinical scales, and what a file of answers scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.commands.options import Json, Quiet, group, show
from schemas.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from etl.instrument_file import FileScores

app = group("The clinical scales: list them, show one, or score a file of answers without a warehouse.")

_SCORES = ("administration_id", "instrument", "version", "scale", "value", "value_reported", "score_status")
_ROWS = 60  # so many scores are printed; a file takes them all


@app.command("list")
def list_(json: Json = False) -> None:
    """List every scale with its versions, ranges and direction."""
    from etl.instruments import list_instruments
    from etl.terminal import table

    found = list_instruments()
    listed = ("version", "title", "items", "scales", "direction", "unverified")
    show(found.to_dicts(), table(listed, found.select(listed).rows()), json=json)


@app.command("show")
def show_(
    instrument: Annotated[str, typer.Argument(help="Its id, as `etl instruments list` names it.")],
    version: Annotated[str | None, typer.Option(help="One of its versions only.")] = None,
    json: Json = False,
) -> None:
    """Show a scale: items with their ranges, scales with their rules, bands, conflicts, sources."""
    from etl.instrument_text import definition_text
    from etl.instruments import show_instrument

    show(show_instrument(instrument, version), definition_text(instrument, version), json=json)


@app.command()
def score(
    file: Annotated[
        Path, typer.Argument(help="A file in any format that is read: one row a form, or one row an answer.")
    ],
    version: Annotated[
        list[str] | None,
        typer.Option(help="Declare a version, as INSTRUMENT=VERSION (psqi=order_a); may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the scores to a CSV file.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when anything is held or found.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a file without a warehouse: totals and subscales, what was held, and what cannot be right."""
    from etl.instrument_file import examine_file

    examined = examine_file(file, _declared(version or []))
    if output:
        _flat(examined.scores).write_csv(output)
    show(_document(examined), _text(examined, is_written=output is not None), json=json, quiet=quiet)
    found = (examined.held, examined.findings, examined.file_findings)
    raise typer.Exit(1 if strict and any(each.height for each in found) else 0)


def _declared(given: list[str]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if wrong := next((name for name, _, version in pairs if not (name and version)), None):
        raise UsageError(
            f"--version {wrong} names no instrument and version.",
            "It is not of the form INSTRUMENT=VERSION.",
            "--version INSTRUMENT=VERSION",
        )
    return {name: version for name, _, version in pairs}


def _document(examined: FileScores) -> dict[str, Any]:
    return {
        "versions": {
            name: {"version": choice.version, "basis": choice.basis, "problems": choice.problems}
            for name, choice in examined.versions.items()
        },
        "scores": examined.scores.drop("subject_id").to_dicts(),
        "findings": examined.findings.drop("subject_id").to_dicts(),
        "file_findings": examined.file_findings.to_dicts(),
        "held": examined.held.to_dicts(),
        "unclaimed": examined.unclaimed,
    }


def _text(examined: FileScores, *, is_written: bool) -> str:
    from etl.terminal import table

    findings = examined.findings.select("check_id", "administration_id", "scale", "sentence")
    about = examined.file_findings.select(
        "check_id", "instrument", "item", "numerator", "denominator", "sentence"
    )
    scores = examined.scores.select(_SCORES) if not is_written else examined.scores.clear()
    more = f"{scores.height - _ROWS} more: write them all with -o" if scores.height > _ROWS else ""
    tables = [
        ("", scores.head(_ROWS)),
        ("Cannot be right within an administration", findings),
        ("Cannot be right with the file", about),
        ("Held", examined.held.rename({"len": "answers"})),
    ]
    parts = [_versions(examined)]
    for title, rows in tables:
        if rows.height:
            header = [name.replace("_", " ") for name in rows.columns]
            parts.append("\n".join(filter(None, (title, table(header, rows.rows()), more))))
        more = ""
    if examined.unclaimed:
        parts.append(f"Not read: {', '.join(examined.unclaimed)}")
    return "\n\n".join(parts)


def _versions(examined: FileScores) -> str:
    from schemas.instruments import INSTRUMENTS

    lines = []
    for name, choice in examined.versions.items():
        if choice.version:
            lines.append(f"{name}: {choice.version} (by {choice.basis})")
        else:
            why = "; ".join(choice.problems) or _unsettled(choice.basis)
            known = ", ".join(INSTRUMENTS[name].versions)
            lines.append(
                f"{name}: version not settled: {why}\n  Try: --version {name}=VERSION, one of {known}"
            )
    return "\n".join(lines)


def _unsettled(basis: str | None) -> str:
    return "its rows name several" if basis else "nothing in the file tells it"


def _flat(scores: pl.DataFrame) -> pl.DataFrame:
    return scores.select(_SCORES[0], "subject_id", *_SCORES[1:], "basis")
