"""etl units: the registry, the decision table, declarations, and what the values themselves say of their unit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from etl.commands.options import DEFAULT, Json, Sites, Warehouse, Who, Why, group, reading, show

app = group("Show how units are settled, and declare those that no evidence settles.")

Analyte = Annotated[str, typer.Argument(help="The analyte's id, or a name that laboratories print.")]
Day = Annotated[str | None, typer.Option(help="A day of collection, YYYY-MM-DD; included.")]


@app.command("list")
def list_(json: Json = False) -> None:
    """List the analytes with their units and bounds."""
    from etl.terminal import table
    from etl.units import list_units

    found = list_units()
    rows = found.select("analyte", "unit", "stated_in", "ranges").rows()
    show(found.to_dicts(), table(("analyte", "unit", "may be stated in", "known ranges"), rows), json=json)


@app.command()
def unknown(
    site: Annotated[str | None, typer.Option(help="Only what this site sent.")] = None,
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """List the units of held records that settled nothing, each with a suggestion."""
    from etl.terminal import table
    from etl.unknown_units import unknown_units

    found = unknown_units(reading(warehouse), site)
    names = ("site", "feed", "analyte", "unit", "records", "nearest", "what settles it")
    rows = [
        (each.site, each.feed, each.analyte, each.spelling, each.records, each.suggestion or "", each.advice)
        for each in found
    ]
    text = f"{table(names, rows)}\n\n`spellings:` stands under the feed in sites/<site>.yaml; then: etl quarantine replay"
    show([each.document() for each in found], text if rows else "No held unit is unknown.", json=json)


@app.command("show")
def show_(analyte: Analyte, json: Json = False) -> None:
    """Show what the registry says of an analyte, each number with its source."""
    from etl.units import show_analyte

    found = show_analyte(analyte)
    show(found, _analyte_text(found), json=json)


@app.command()
def explain(
    analyte: Analyte,
    unit: Annotated[str | None, typer.Option(help="The unit as printed.")] = None,
    low: Annotated[float | None, typer.Option(help="Lower limit of the printed reference range.")] = None,
    high: Annotated[float | None, typer.Option(help="Upper limit of the printed reference range.")] = None,
    loinc: Annotated[str | None, typer.Option(help="The LOINC code.")] = None,
    declared: Annotated[str | None, typer.Option(help="A unit that was declared.")] = None,
    override: Annotated[bool, typer.Option("--override", help="The declaration overrides.")] = False,
    json: Json = False,
) -> None:
    """Tell which rule settles the unit of a result, and why."""
    from etl.units import Printed
    from etl.units import explain as run

    found = run(analyte, Printed(unit, low, high, loinc, declared, override))
    lines = [f"{name:<12} {text}" for name, text in found.witnesses.items()]
    lines += ["", f"Rule: {found.rule}."]
    if found.factor is not None:
        shift = f" + {found.offset:g}" if found.offset else ""
        lines.append(f"Value in {found.unit} = value x {found.factor:.6g}{shift} ({found.factor_id}).")
    if found.flag:
        lines.append(f"Flag: {found.flag}.")
    if found.advice:
        lines.append(f"Try: {found.advice}")
    show(found.document(), "\n".join(lines), json=json)


@app.command()
def declare(
    site: Annotated[str, typer.Option(help="The site whose unit is declared.")],
    analyte: Annotated[str, typer.Option(help="The analyte's id or name.")],
    unit: Annotated[str, typer.Option(help="The unit, in any usual spelling.")],
    who: Who,
    why: Why,
    feed: Annotated[str | None, typer.Option(help="One feed of the site; otherwise every feed.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First day of collection, YYYY-MM-DD.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Last day of collection, YYYY-MM-DD.")] = None,
    override: Annotated[
        bool, typer.Option("--override", help="Let it win over a stated unit or a printed range.")
    ] = False,
    sites: Sites = Path("sites"),
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Declare the unit of an analyte, record the decision, and read the files concerned again."""
    from etl.declarations import Signature, UnitDeclared
    from etl.declarations import declare as run
    from etl.sites.mapping import load_sites

    declared = UnitDeclared(site, feed, analyte, unit, _day(from_), _day(to), override)
    _report(run(warehouse, declared, Signature(who, why), load_sites(sites)), json=json)


@app.command()
def declarations(warehouse: Warehouse = DEFAULT, json: Json = False) -> None:
    """List the unit declarations, the revoked ones too."""
    from etl.declarations import declarations as stored
    from etl.terminal import table

    found = stored(reading(warehouse))
    names = (
        "decision_id",
        "site",
        "feed",
        "analyte",
        "unit",
        "valid_from",
        "valid_to",
        "override",
        "who",
        "why",
    )
    rows = [(*("" if row[name] is None else str(row[name]) for name in names), _state(row)) for row in found]
    show(found, table((*names, "state"), rows) if rows else "No unit is declared.", json=json)


@app.command()
def revoke(
    decision_id: Annotated[str, typer.Argument(help="The id shown by `etl units declarations`.")],
    who: Who,
    why: Why,
    sites: Sites = Path("sites"),
    warehouse: Warehouse = DEFAULT,
    json: Json = False,
) -> None:
    """Revoke a declaration and read the files concerned again."""
    from etl.declarations import Signature
    from etl.declarations import revoke as run
    from etl.sites.mapping import load_sites

    _report(run(warehouse, decision_id, Signature(who, why), load_sites(sites)), json=json)


@app.command()
def suspicions(warehouse: Warehouse = DEFAULT, json: Json = False) -> None:
    """Show where the values look like another unit than the one they were read in, with the evidence."""
    from etl.suspicion import look
    from etl.terminal import table

    found = look(reading(warehouse))
    names = (
        "site",
        "analyte",
        "unit",
        "month",
        "results",
        "verdict",
        "looks_like",
        "witness",
        "times",
        "expected",
    )
    rows = found.filter(found["verdict"] == "suspected").select(names).rows()
    counts = ", ".join(f"{number} {verdict}" for verdict, number in _verdicts(found))
    text = table(names, rows) if rows else "No month looks like another unit."
    show(found.to_dicts(), f"{text}\n\nMonths: {counts or 'none to look at'}.", json=json)


def _verdicts(found: Any) -> list[tuple[str, int]]:  # noqa: ANN401 - a polars frame; polars is not imported here
    return sorted(found["verdict"].value_counts().rows())


def _day(text: str | None) -> Any:  # noqa: ANN401 - a date or None
    from datetime import date

    from schemas.errors import UsageError

    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(
            "A day is not written as YYYY-MM-DD.", "Other orders could be read two ways.", "--from 2021-01-01"
        ) from None


def _state(row: dict[str, Any]) -> str:
    return f"revoked by {row['revoked_by']}" if row["revoked_by"] else "in force"


def _report(settled: Any, *, json: bool) -> None:  # noqa: ANN401 - Settled; its module is imported by the command
    from etl.terminal import ingest_summary

    parts = [f"Recorded as {settled.decision_id}."]
    parts += [ingest_summary(settled.report)] if settled.report else ["No file had to be read again."]
    parts += [
        f"Not read again: {each.sha256} of {each.site}/{each.feed}, {each.why}.\n  Try: {each.advice}"
        for each in settled.unread
    ]
    show(settled.document(), "\n\n".join(parts), json=json)
    raise typer.Exit(settled.exit_code())


def _analyte_text(found: dict[str, Any]) -> str:
    from etl.terminal import table

    mark = {True: "yes", False: "no"}
    units = [(u["unit"], u["of"] or "", f"{u['factor']:.6g}", f"{u['offset']:g}") for u in found["units"]]
    ranges = [
        (f"{r['low']:g}-{r['high']:g}", r["unit"], mark[r["verified"]], r["source"]) for r in found["ranges"]
    ]
    masses = [(m["of"], f"{m['value']:g}", mark[m["verified"]], m["source"]) for m in found["molar_masses"]]
    assays = [
        (a["platform"], f"{a['low']:g}-{a['high']:g}", a["unit"], mark[a["verified"]], a["source"])
        for a in found["assays"]
    ]
    bounds, codes = found["bounds"], found["loinc_origin"]
    parts = [
        f"{found['analyte']}: {found['title']}",
        (
            f"Canonical unit {found['unit']}. Held outside {_pair(bounds['hard'])}, reviewed outside {_pair(bounds['soft'])} "
            f"(source read: {mark[bounds['verified']]}; {bounds['source']})."
        ),
        "Specimens: " + (", ".join(found["specimens"]) or "none"),
        table(("unit", "of", "factor", "offset"), units),
        "LOINC: "
        + (", ".join(f"{code} ({kind})" for code, kind in found["loinc"].items()) or "none known")
        + f" (source read: {mark[codes['verified']]}; {codes['source']})",
    ]
    parts += [table(("molar mass of", "g/mol", "source read", "source"), masses)] if masses else []
    parts += [table(("range", "proves", "source read", "source"), ranges)] if ranges else []
    parts += [table(("assay", "measures", "unit", "source read", "source"), assays)] if assays else []
    parts += ["\n".join(f"{language:<7} {', '.join(names)}" for language, names in found["names"].items())]
    return "\n\n".join(parts)


def _pair(limits: tuple[float, float]) -> str:
    return f"{limits[0]:g}-{limits[1]:g}"
