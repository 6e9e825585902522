"""Commands of the study: named queries, the association, data cuts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from etl.commands.options import DEFAULT, Json, Quiet, Warehouse, Who, reading, show

Study = Annotated[
    Path | None, typer.Option("--study", help="A study protocol of your own (YAML); else the default one.")
]

Despite = Annotated[
    str | None, typer.Option(help="Why to analyse although findings are open; printed and recorded.")
]
By = Annotated[str, typer.Option(envvar=["ETL_WHO", "USER", "USERNAME"], help="Who overrides; recorded.")]


def query(
    name: Annotated[str | None, typer.Argument(help="A named query; without one they are listed.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="NAME=VALUE, once a parameter.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write to a file; its ending chooses the format.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="table, csv, json, parquet or markdown.")
    ] = None,
    despite: Despite = None,
    who: By = "",
    study: Study = None,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Run one of the study's named queries, or list them; associations only once the validation is clean."""
    from etl.override import Override
    from etl.query import Answer, QueryOptions, list_queries, run_named
    from etl.sql import chosen_format, render

    options = QueryOptions(study, Override(despite, who))
    # An override is recorded, which a published copy cannot do.
    source = warehouse if despite is not None or not name else reading(warehouse)
    answer = run_named(source, name, parameter or (), options) if name else Answer(list_queries())
    chosen = "json" if json else chosen_format(form, output)
    is_read = chosen in {"table", "markdown"}
    shown = render(answer.rows if is_read else answer.marked(), chosen)
    if is_read and answer.notes():
        shown += ("\n" + "\n".join(answer.notes()) + "\n").encode()
    if output:
        output.write_bytes(shown)
    else:
        sys.stdout.buffer.write(shown)


def associate(
    out: Annotated[Path, typer.Option(help="Folder for association.json, .csv and .html.")],
    despite: Despite = None,
    who: By = "",
    points: Annotated[
        bool, typer.Option("--points", help="Draw single subjects; such a page must not be shared.")
    ] = False,
    study: Study = None,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Estimate the study's associations once the validation is clean; small cells are hidden."""
    from etl.association import AssociateOptions
    from etl.association import associate as run
    from etl.association_summary import summarise

    found = run(warehouse, out, AssociateOptions(despite, who, points, study))
    show(found.document(), summarise(found), json=json, quiet=quiet)


def freeze(
    label: Annotated[str, typer.Argument(help="A name for this state of the data.")],
    who: Who,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Make a data cut: outputs of the same data print its label and digest."""
    from etl.freeze import freeze as run

    cut = run(warehouse, label, who)
    text = f"{cut.sentence()}{'' if cut.is_new else ' (unchanged)'}\nContent digest: {cut.digest}"
    show(cut.document(), text[0].upper() + text[1:], json=json)


def publish(
    shift_dates: Annotated[
        bool,
        typer.Option(
            "--shift-dates", help="A copy to hand on: each subject's dates shifted, without originals."
        ),
    ] = False,
    study: Study = None,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Copy the warehouse beside itself, for commands that read while another process writes."""
    from etl.publish import publish as run

    made = run(warehouse, study, is_shifted=shift_dates)
    show(made.document(), made.sentence(), json=json)
