"""etl subject: find a person's pseudonym, count what is loaded of it, erase it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands.options import DEFAULT, Json, Warehouse, Who, Why, group, reading, show

if TYPE_CHECKING:
    from etl.subject import Subject

app = group("Answer a person who asks what is loaded of them, or who withdraws their consent.")

Id = Annotated[str, typer.Argument(help="A subject_id, as the warehouse has it.")]


@app.command()
def find(
    site: Annotated[str, typer.Option(help="The site, or the issuer of the mapping, whose number it is.")],
    id_type: Annotated[str, typer.Option(help="The number space that the mapping names.")] = "local",
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Return the subject_id of a hospital's own number, which is read from stdin, not from the command line."""
    from etl.subject import find as run

    if sys.stdin.isatty():
        number = typer.prompt("The hospital's number of the subject", err=True)
    else:
        number = sys.stdin.readline()
    found = run(warehouse, number.strip(), site, id_type)
    show(found.document(), _shown(found), json=json)


@app.command("show")
def show_(subject: Id, warehouse: Warehouse = DEFAULT, json: Json = False) -> None:
    """Count what is loaded of a subject; its rows and cells are shown by `etl trace SUBJECT_ID --reveal`."""
    from etl.subject import show as run

    found = run(reading(warehouse), subject)
    show(found.document(), _shown(found), json=json)


@app.command()
def erase(subject: Id, who: Who, why: Why, warehouse: Warehouse = DEFAULT, json: Json = False) -> None:
    """Delete everything of a subject, for good: no later load, refresh or rebuild brings it back."""
    from etl.declarations import Signature
    from etl.subject import erase as run

    done = run(warehouse, subject, Signature(who, why))
    text = (
        f"Erased: {done.rows:,} rows and the originals of {done.held:,} held records.\n"
        "Copies published before were removed. Lines so damaged that they name nobody stay sealed.\n"
        "Next: etl rebuild, which also leaves nothing in unused parts of the file"
    )
    show(done.document(), text, json=json)


def _shown(found: Subject) -> str:
    from etl.terminal import table

    lines = [f"subject {found.subject_id}"]
    if linked := [each for each in found.ids if each != found.subject_id]:
        lines.append(f"linked to {', '.join(linked)}")
    if found.is_erased:
        lines.append("erased: no load brings it back")
    if found.rows:
        lines.append(table(("site", "feed", "kind", "rows"), [tuple(row.values()) for row in found.rows]))
    elif not found.is_erased:
        lines.append("Nothing is loaded of it.")
    return "\n".join(lines)
