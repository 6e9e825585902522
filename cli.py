"""The command line: parse, call one use case, print, exit. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import gc
import json as jsonlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from etl.commands import instruments, mapping, profile, quarantine, report, study, subject, units
from etl.commands import warehouse as keeping
from etl.commands.options import DEFAULT, Json, PasswordFile, Quiet, Sites, Warehouse, reading, show, unlock
from schemas.errors import UsageError, UserError

INTERRUPTED = "Interrupted: what was committed is kept, the file being loaded is not."

app = typer.Typer(
    name="etl",
    help="Hospital exports in; validated, traceable data for the study of vitamin B12 and restless legs out.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def ingest(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns; archives unfold.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Who sent the files, where no mapping tells it.")] = None,
    sites: Sites = Path("sites"),
    warehouse: Warehouse = DEFAULT,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Reload the files whose mapping or registry changed.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, keep nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when any row is held.")] = False,
    password_file: PasswordFile = None,
    json: Json = False,
    quiet: Quiet = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="No progress on stderr.")] = False,
) -> None:
    """Load exports: every row is accepted, held with its reasons, or listed as out of scope."""
    from etl.ingest import IngestOptions
    from etl.ingest import ingest as run
    from etl.progress import progress
    from etl.sites.mapping import load_sites
    from etl.terminal import ingest_summary

    if not paths and not refresh:
        raise UsageError(
            "No files were named.",
            "Only --refresh knows by itself what to read.",
            "etl ingest PATH..., or etl ingest --refresh",
        )
    unlock(password_file)
    options = IngestOptions(site, load_sites(sites), is_dry_run=dry_run, is_refresh=refresh)
    with progress(is_shown=not (quiet or json or no_progress)) as shown:
        report = run(paths or [], warehouse, options, shown)
    show(report.document(), ingest_summary(report), json=json, quiet=quiet)
    if quiet:
        for each in report.files:
            if each.error:
                typer.echo(each.error.message(), err=True)
    raise typer.Exit(report.exit_code(is_strict=strict))


@app.command()
def validate(
    warehouse: Warehouse = DEFAULT,
    fail_on: Annotated[
        str, typer.Option(help="fatal, convention or any: what makes the exit code 1.")
    ] = "fatal",
    thresholds: Annotated[
        Path | None, typer.Option(help="CSV that overrides thresholds, with notes.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the expectations (Great Expectations, in SQL) and store what they find."""
    from etl.terminal import validation_summary
    from etl.validation import run_validation

    report = run_validation(warehouse, fail_on, thresholds)
    show(report.document(), validation_summary(report), json=json, quiet=quiet)
    raise typer.Exit(report.exit_code())


@app.command()
def sql(
    query: Annotated[str | None, typer.Argument(help="One query; it can only read.")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Read the query from a file.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write to a file; its ending chooses the format.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="table, csv, json, parquet or markdown.")
    ] = None,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Query the warehouse, read-only."""
    from etl.sql import chosen_format, render, run_sql

    text = file.read_text("utf-8") if file else query
    if not text:
        raise UsageError(
            "No query was given.",
            "Neither as an argument nor as a file.",
            "etl sql 'from mart.b12_status limit 5'",
        )
    shown = render(run_sql(reading(warehouse), text), "json" if json else chosen_format(form, output))
    if output:
        output.write_bytes(shown)
    else:
        sys.stdout.buffer.write(shown)


@app.command()
def status(warehouse: Warehouse = DEFAULT, sites: Sites = Path("sites"), json: Json = False) -> None:
    """Show what is loaded, what is stale and what is open."""
    from etl.sites.mapping import load_sites
    from etl.status import status as look
    from etl.terminal import status_summary

    found = look(reading(warehouse), load_sites(sites))
    show(found.document(), status_summary(found), json=json)
    raise typer.Exit(5 if found.unbalanced or found.broken_ledger else 0)


@app.command()
def init(warehouse: Warehouse = DEFAULT, sites: Sites = Path("sites")) -> None:
    """Make a warehouse, its key, and a folder for mappings with an annotated example."""
    from etl.init import init as make

    done = make(warehouse, sites)
    for path in done.made:
        typer.echo(f"made  {path}")
    for path in done.kept:
        typer.echo(f"kept  {path}")
    typer.echo(
        "Next: etl ingest YOUR_EXPORT --site NAME. Keep the .key file: without it no subject can be found again."
    )


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the exports, the mappings and the warehouse.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(help="The same seed makes the same bytes.")] = 20221,
    json: Json = False,
) -> None:
    """Make three synthetic hospitals' exports, ingest them, validate, query, and show what was held and why."""
    from etl.demo_run import demo as run

    report = run(out, seed, (lambda _: None) if json else typer.echo)
    if json:
        typer.echo(jsonlib.dumps(report, ensure_ascii=False, indent=2, default=str))


@app.command()
def doctor(warehouse: Warehouse = DEFAULT, json: Json = False) -> None:
    """Look at the installation and the warehouse; prints no data."""
    from etl.doctor import doctor as look
    from etl.terminal import doctor_summary

    findings = look(warehouse)
    show([vars(each) for each in findings], doctor_summary(findings), json=json)
    raise typer.Exit(0 if all(each.is_sound for each in findings) else 1)


for command in (
    profile.profile,
    study.query,
    study.associate,
    study.freeze,
    study.publish,
    report.report,
    report.trace,
    report.verify,
    keeping.rebuild,
    keeping.shell,
):
    app.command()(command)
for name, commands in (
    ("units", units.app),
    ("instruments", instruments.app),
    ("quarantine", quarantine.app),
    ("map", mapping.app),
    ("subject", subject.app),
):
    app.add_typer(commands, name=name)


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn what went wrong into a message and a documented exit code; a bug shows where it is, never a cell."""
    try:
        yield
    except TyperException as error:
        typer.echo(_usage_error(error), err=True)
        raise SystemExit(2) from None
    except UserError as error:
        typer.echo(error.message(), err=True)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, typer.Abort):
        typer.echo(INTERRUPTED, err=True)
        raise SystemExit(130) from None
    except (OSError, MemoryError) as error:
        typer.echo(_system_error(error), err=True)
        raise SystemExit(4 if getattr(error, "errno", None) == 28 else 3) from None
    except Exception as error:  # noqa: BLE001 - the last boundary: a traceback's message could quote a cell
        typer.echo(_bug(error), err=True)
        raise SystemExit(70) from None


def _usage_error(error: TyperException) -> str:
    """Return what is wrong with a command line, and whose help tells how it is written."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "etl"
    return f"Error: {error.format_message()}\n  `{command}` cannot be run as it was typed.\n  Try: {command} --help"


def _system_error(error: BaseException) -> str:
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return (
            f"Error: {error.strerror or 'The system refused'}{place}.\n"
            "  The system would not read or write there; nothing of what was being done was kept.\n"
            "  Try: check the path, whether you may write to its folder, and the space on its disk"
        )
    return (
        "Error: There is not enough memory.\n  The system, or what the warehouse may have of it, gave no more; nothing of the file being loaded was kept.\n"
        "  Try: the same with other programs closed"
    )


def _bug(error: BaseException) -> str:
    """Return the kind and place of an error, without its text."""
    places = []
    trace = error.__traceback__
    while trace:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return (
        f"Error: internal error ({type(error).__name__}) at {' > '.join(places[-4:])}.\n"
        "  This is a bug of the tool. Nothing of the file being loaded was kept.\n"
        "  Try: report this line; it holds no data"
    )


def main() -> None:
    """Run the command line."""
    # The libraries make a million objects that last; to look for garbage among them takes a tenth of a second.
    gc.set_threshold(100_000)
    with _exit_codes():
        code = app(standalone_mode=False)
        if code == 130:  # typer turns an interrupt into a code and says nothing
            typer.echo(INTERRUPTED, err=True)
        _leave(code or 0)


def _leave(code: int) -> NoReturn:
    """End at once: all is saved, and to let go of every object of the libraries takes a quarter of a second."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
