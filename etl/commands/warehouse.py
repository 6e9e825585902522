"""Commands about the warehouse as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.options import DEFAULT, Json, Quiet, Sites, Warehouse, reading, show

if TYPE_CHECKING:
    from etl.rebuild import Rebuilt


def rebuild(
    sources: Annotated[
        list[Path] | None, typer.Option("--from", help="Where to look for files that were moved.")
    ] = None,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="Under a new key: every subject and record gets another id.")
    ] = False,
    sites: Sites = Path("sites"),
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the warehouse anew from its source files; decisions survive, and the content has to be the same."""
    from etl.progress import progress
    from etl.rebuild import rebuild as run
    from etl.sites.mapping import load_sites

    with progress(is_shown=not (quiet or json)) as shown:
        done = run(warehouse, load_sites(sites), sources or (), shown, is_rekeyed=new_key)
    show(done.document(), _rebuilt(done), json=json, quiet=quiet)


def shell(warehouse: Warehouse = DEFAULT) -> None:
    """Ask one query after another, read-only; what is typed is kept nowhere."""
    import sys

    from etl.shell import HELP
    from etl.shell import shell as run

    is_person = sys.stdin.isatty()
    if is_person:
        import readline  # noqa: F401 - importing it gives input() its line editing; its history stays in memory

        typer.echo(f"{reading(warehouse).name}: {HELP}", err=True)
    else:
        reading(warehouse)  # a missing warehouse is an error at once

    def fail(message: str) -> None:
        typer.echo(message, err=True)

    run(lambda: reading(warehouse), input if is_person else lambda _: input(), typer.echo, fail)


def _rebuilt(done: Rebuilt) -> str:
    lines = [f"Rebuilt from {done.files:,} files.", f"Content digest: {done.digest}"]
    if done.is_rekeyed:
        lines += [
            f"The new key is in place; the old one is {done.old_key}. Delete it with the last copy that it opens.",
            f"Decisions said again under the new key: {done.translated:,}; on what no file holds any more: {done.untranslated:,}.",
            "A copy published before has the old ids, and was removed.",
        ]
    return "\n".join([*lines, "Next: etl validate"])
