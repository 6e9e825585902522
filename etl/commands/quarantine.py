"""The quarantine: what is held and why, and the way back for each record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from etl.commands.options import DEFAULT, Json, Quiet, Sites, Warehouse, Who, Why, group, reading, show

if TYPE_CHECKING:
    from etl.quarantine import Shown
    from etl.replay import Replay

app = group("Look at held records, have them corrected, decide on them, and load them again.")

Reason = Annotated[str | None, typer.Option(help="Only records held for this reason.")]
Site = Annotated[str | None, typer.Option(help="Only records that this site sent.")]
Feed = Annotated[str | None, typer.Option(help="Only records of this feed.")]
Records = Annotated[list[str], typer.Argument(help="record_id, or the first digits of it.")]
Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show what the source says; the ledger keeps that you did.")
]


@app.command("list")
def list_(
    reason: Reason = None,
    site: Site = None,
    feed: Feed = None,
    status: Annotated[str, typer.Option(help="open, corrected, waived, withdrawn or all.")] = "open",
    records: Annotated[bool, typer.Option("--records", help="List the records, not their counts.")] = False,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Count held records by reason, site and feed."""
    from etl.quarantine import check_chosen, list_held, list_records
    from etl.terminal import table
    from warehouse.quarantine import Chosen

    chosen = Chosen(reason, site, feed, None if status == "all" else status)
    check_chosen(chosen)
    warehouse = reading(warehouse)
    if records:
        found = list_records(warehouse, chosen)
        header = ("record_id", "site", "feed", "place", "measure", "reasons", "status", "assigned to")
        rows = [
            (each["record_id"], each["site"], each["feed"], each["locator"], each["measure"], ", ".join(each["reasons"]),
             each["status"], each["assigned_to"])
            for each in found
        ]  # fmt: skip
        show(found, table(header, rows), json=json)
        return
    listing = list_held(warehouse, chosen)
    counted = [
        (each.reason, each.site, each.feed, each.records, each.files, each.assigned)
        for each in listing.groups
    ]
    text = table(("reason", "site", "feed", "records", "files", "assigned"), counted)
    are = {"open": "are held", "all": "were held, some still are"}.get(status, f"are {status}")
    text += f"\n\n{listing.records:,} records {are}. What a reason means: etl quarantine explain REASON"
    nothing = "Nothing is held." if status == "open" else f"No record is {status}."
    show(listing.document(), text if counted else nothing, json=json)


@app.command()
def explain(
    reason: Annotated[str, typer.Argument(help="A reason as `list` shows it.")],
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Say what a reason means, what settles it, and where it is open."""
    from etl.quarantine import explain as run
    from etl.terminal import table

    found = run(reading(warehouse), reason)
    rows = [(each.site, each.feed, each.records, each.files) for each in found.groups]
    listed = table(("site", "feed", "records", "files"), rows) if rows else "No open record has it."
    text = (
        f"{found.reason} ({found.stage})\n  {found.sentence}\n  What settles it: {found.advice}\n\n{listed}"
    )
    show(found.document(), text, json=json)


@app.command("show")
def show_(
    record: Annotated[str, typer.Argument(help="record_id, or the first digits of it.")],
    reveal: Reveal = False,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Show one held record."""
    from etl.quarantine import show as run

    found = run(warehouse if reveal else reading(warehouse), record, reveal=reveal)
    show([each.document() for each in found], "\n\n".join(map(_shown, found)), json=json)


def _shown(shown: Shown) -> str:
    lines = _lines(shown.record)
    if shown.original:
        lines += [
            "",
            f"source         {shown.original['path']}",
            f"place          {shown.original['locator']}",
        ]
        lines += [
            f"  {name:<14} {'' if value is None else value}"
            for name, value in shown.original["fields"].items()
        ]
    return "\n".join(lines)


def _lines(record: dict[str, Any]) -> list[str]:
    shown = {name: value for name, value in record.items() if value not in (None, [])}
    return [
        f"{name:<14} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in shown.items()
    ]


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="NAME.xlsx or NAME.csv; a new file that only you can read.")],
    reveal: Reveal = False,
    reason: Reason = None,
    site: Site = None,
    feed: Feed = None,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Write a spreadsheet of open records for the site to correct; it holds what the source says."""
    from etl.correction_sheet import export as run
    from schemas.errors import UsageError
    from warehouse.quarantine import Chosen

    if not reveal:
        raise UsageError(
            "The spreadsheet holds subjects' values.",
            "Only a command with --reveal may show them.",
            "the same with --reveal",
        )
    done = run(warehouse, Chosen(reason, site, feed), out)
    text = (
        f"{done.records:,} records of {', '.join(done.feeds)} are in {done.path}; only you can read it.\n"
        "The site corrects the cells, leaves the column `corrects` as it is, and sends it back as "
        f"{done.feeds[0]}.corrected{out.suffix}. Then: etl ingest {done.feeds[0]}.corrected{out.suffix} --site "
        + " or ".join(done.sites)
    )
    if done.at_risk:
        text += (
            f"\nThe subjects' numbers of {done.at_risk:,} records have leading zeros or many digits, which a spreadsheet program takes "
            f"from a CSV, so that the results would be another subject's. --out {out.stem}.xlsx keeps them."
        )
    show(done.document(), text, json=json)


@app.command()
def names(
    reveal: Reveal = False,
    site: Annotated[str | None, typer.Option(help="Only names that this site sent.")] = None,
    feed: Annotated[str | None, typer.Option(help="Only names of this feed.")] = None,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """List the names out of scope that few subjects share; in a shifted column they may be those of people."""
    from dataclasses import asdict

    from etl.quarantine import rare_names
    from etl.terminal import table
    from schemas.errors import UsageError

    if not reveal:
        raise UsageError(
            "These names may be those of people.",
            "Fewer than five subjects share each, so only a command with --reveal may show them.",
            "the same with --reveal",
        )
    found = rare_names(warehouse, site, feed)
    rows = [(each.site, each.feed, each.sha256[:12], each.name, each.rows) for each in found]
    text = table(("site", "feed", "sha256", "name", "rows"), rows) if rows else "There is no such name."
    show([asdict(each) for each in found], text, json=json)


@app.command()
def waive(records: Records, who: Who, why: Why, warehouse: Warehouse = DEFAULT, json: Json = False) -> None:
    """Decide that records stay out for good, also when their file is loaded again."""
    from etl.quarantine import waive as run

    done = run(warehouse, records, who, why)
    show(done.document(), f"Waived: {len(done.record_ids):,}.", json=json)


@app.command()
def assign(
    records: Records,
    to: Annotated[str, typer.Option(help="Who looks after the records.")],
    who: Who,
    why: Why,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Decide who looks after records."""
    from etl.quarantine import assign as run

    done = run(warehouse, records, to, who, why)
    show(done.document(), f"Assigned to {to}: {len(done.record_ids):,}.", json=json)


@app.command()
def replay(
    reason: Reason = None,
    site: Site = None,
    feed: Feed = None,
    sources: Annotated[
        list[Path] | None, typer.Option("--from", help="Where to look for files that were moved.")
    ] = None,
    sites: Sites = Path("sites"),
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Load the files again that hold open records, under today's mappings, registry and decisions."""
    from etl.progress import progress
    from etl.replay import replay as run
    from etl.sites.mapping import load_sites
    from warehouse.quarantine import Chosen

    with progress(is_shown=not (quiet or json)) as shown:
        done = run(warehouse, load_sites(sites), Chosen(reason, site, feed), sources or (), shown)
    show(done.document(), _replayed(done), json=json, quiet=quiet)
    raise typer.Exit(done.exit_code())


def _replayed(done: Replay) -> str:
    from etl.terminal import table

    rows = [
        (each.site, each.feed, each.sha256[:12], each.status, each.counts.accepted, each.counts.held)
        for each in done.files
    ]
    parts = [table(("site", "feed", "sha256", "status", "accepted", "held"), rows)] if rows else []
    parts += [error.message() for error in done.errors()]
    parts.append(f"{done.before:,} records were open, {done.after:,} are.")
    return "\n\n".join(parts)
