"""etl profile: what is in a file before anything is mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands.options import Json, PasswordFile, Sites, show, unlock


def profile(
    paths: Annotated[list[str], typer.Argument(help="Files, folders or patterns; archives unfold.")],
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page there as well.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="The header that tells subjects apart, where no known one does.")
    ] = None,
    sites: Sites = Path("sites"),
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Show what is in files before anything is mapped; no value that fewer than five subjects share."""
    from etl.profile.build import profile as run
    from etl.profile.text import profile_text
    from etl.sites.mapping import load_sites

    unlock(password_file)
    found = run(paths, load_sites(sites), subject)
    if html is not None:
        from etl.profile.page import page

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_bytes(page(found))
        typer.echo(f"wrote  {html}", err=json)
    text = "" if html is not None else profile_text(found)
    show([each.document() for each in found], text, json=json, quiet=html is not None and not json)
    raise typer.Exit(3 if found and all(each.error for each in found) else 0)
