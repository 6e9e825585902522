"""Options and printing that every command shares."""

from __future__ import annotations

import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import typer

DEFAULT = Path("warehouse.duckdb")
Warehouse = Annotated[
    Path, typer.Option("-w", "--warehouse", envvar="ETL_WAREHOUSE", help="The warehouse, one DuckDB file.")
]
Sites = Annotated[Path, typer.Option(help="Folder of the sites' mappings, one YAML each.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, all else on stderr.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print errors only.")]
Who = Annotated[str, typer.Option(help="Who decides; recorded in the ledger.")]
Why = Annotated[str, typer.Option(help="Why; recorded in the ledger.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        envvar="ETL_PASSWORD_FILE", help="A file with the passwords of protected workbooks, one a line."
    ),
]


def unlock(password_file: Path | None) -> None:
    """Let protected workbooks be opened with the passwords in a file."""
    if password_file is not None:
        from etl.readers.protection import use

        use(password_file)


def group(help_text: str) -> typer.Typer:
    """Return an empty group of commands, plain as the others."""
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


def reading(warehouse: Path) -> Path:
    """Return the file to read: the warehouse, or its published copy while another process writes, which is said."""
    from warehouse.published import readable

    path, notice = readable(warehouse)
    if notice:
        typer.echo(notice, err=True)
    return path


def show(document: Any, text: str, *, json: bool, quiet: bool = False) -> None:  # noqa: ANN401 - any JSON document
    """Print a result: the document for programs, the text for people."""
    if json:
        typer.echo(jsonlib.dumps(document, ensure_ascii=False, indent=2, default=str))
    elif not quiet:
        typer.echo(text)
