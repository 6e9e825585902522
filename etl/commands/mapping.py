"""etl map: draft a mapping, check it, and see what it leaves unused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.commands.options import Json, PasswordFile, Sites, group, show, unlock

if TYPE_CHECKING:
    from etl.suggest.model import Draft

app = group("Draft the mapping of a site, check it, and see which columns and names it leaves unused.")

Paths = Annotated[list[str], typer.Argument(help="Files, folders or patterns; archives unfold.")]
_NOTHING = "No file is mapped in it; its comments say why."


@app.command()
def suggest(
    paths: Paths,
    site: Annotated[str, typer.Option(help="The site's name in the draft.")] = "site",
    out: Annotated[
        Path | None, typer.Option(help="Write the draft there; a file that exists is kept.")
    ] = None,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing, even on a terminal.")] = False,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Draft a mapping: each choice with how sure it is and why; what is not sure is left open and explained."""
    from dataclasses import asdict

    from etl.suggest.draft import yaml_of
    from etl.suggest.suggest import suggest as run
    from schemas.errors import UsageError

    if out is not None and out.exists():
        raise UsageError(
            f"{out} exists.", "A mapping that someone wrote is not overwritten.", "another --out"
        )
    unlock(password_file)
    draft = run(paths, site)
    if not draft.tables and draft.unread:
        typer.echo("\n\n".join(each.message for each in draft.unread), err=True)
        raise typer.Exit(3)
    if not (no_input or json) and sys.stdin.isatty() and sys.stderr.isatty():
        draft = _asked(draft)
    text = yaml_of(draft)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    is_mapped = any(table.is_usable for table in draft.tables)
    then = f"Next: settle the OPEN lines, then etl map check {out}" if is_mapped else _NOTHING
    show(asdict(draft) | {"yaml": text}, f"wrote  {out}\n{then}" if out else text.rstrip("\n"), json=json)
    raise typer.Exit(0 if is_mapped else 1)


def _asked(draft: Draft) -> Draft:
    """Ask for the open fields that have candidates; an empty answer leaves a field open."""
    from dataclasses import replace

    from etl.suggest.settle import questions, settled

    tables = []
    for table in draft.tables:
        done = table
        for question in questions(table):
            typer.echo(f"\n{table.name}: which column is {question.about}? {question.why}.", err=True)
            for number, column in enumerate(question.columns, start=1):
                typer.echo(f"  {number}  {column}", err=True)
            answer = typer.prompt(
                "Number, or Enter to leave it open", default="", show_default=False, err=True
            )
            if answer.isdigit() and 0 < int(answer) <= len(question.columns):
                done = settled(done, question, question.columns[int(answer) - 1])
        tables.append(done)
    return replace(draft, tables=tuple(tables))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Mappings, one YAML each.")],
    data: Annotated[
        list[str] | None,
        typer.Option(help="Exports whose headers are compared with the mappings; repeatable."),
    ] = None,
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Check mappings: every key, word and unit, and with --data that the mapped columns are there."""
    from etl.mapping_check import check as run

    unlock(password_file)
    found = run(files, data or [])
    lines = [f"{each.path}: {each.says}" if each.error is None else each.error for each in found]
    show([vars(each) for each in found], "\n\n".join(lines), json=json)
    raise typer.Exit(2 if any(each.error for each in found) else 0)


@app.command()
def coverage(
    paths: Paths,
    site: Annotated[str | None, typer.Option(help="Who sent the files, where no mapping tells it.")] = None,
    sites: Sites = Path("sites"),
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """List the columns and the names of analytes that are not used, and those nearly named like a study analyte."""
    from etl.coverage import coverage as run
    from etl.sites.mapping import load_sites

    unlock(password_file)
    found = run(paths, load_sites(sites), site)
    text = "\n\n".join(_coverage_text(each) for each in found)
    show([each.document() for each in found], text, json=json)
    raise typer.Exit(3 if found and all(each.error for each in found) else 0)


def _coverage_text(found: Any) -> str:  # noqa: ANN401 - Covered; its module is imported by the command
    from etl.terminal import table

    if found.error:
        return f"{found.label}\n{found.error}"
    parts = [f"{found.label}: {found.shape.replace('_', ' ')}, {found.records:,} records, feed {found.feed}"]
    if found.explanation:
        parts.append(f"Not mapped: {found.explanation}")
    parts.append(f"{len(found.used)} of {len(found.used) + len(found.unused)} columns are used.")
    if found.used:
        parts.append(table(("column", "read as", "because of"), found.used))
    if found.unused:
        parts.append(table(("column not used", "filled", "nearly"), found.unused))
    if found.names:
        parts.append(table(("name", "records", "is"), found.names))
    parts += found.notes
    return "\n".join(parts)
