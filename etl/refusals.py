"""Why a file is not loaded, and what to type: the three-part messages of ingest."""

from __future__ import annotations

from etl.plan import ResolvedPlan
from schemas.columns import COLUMNS, header_key
from schemas.errors import DeclarationNeeded, SourceUnreadable, UsageError, UserError


def no_site(name: str, claiming: int, mappings: int) -> UserError:
    """Say that nothing tells which site sent a file."""
    return UsageError(
        f"{name}: which site sent it is not known.",
        f"{claiming} of {mappings} mappings claim a file of this name.",
        "--site NAME, or list the file under `files:` in one mapping",
    )


def unmapped(plan: ResolvedPlan) -> UserError:
    """Say why a table cannot be used as it is."""
    resolution = plan.resolution
    if plan.has_no_header:
        return UsageError(
            f"{plan.source.name} is not mapped: no line looks like a header.",
            f"Its {len(plan.table.columns)} columns have no names, and its first line may be a patient's.",
            "ask the site for an export with a header line, or name that line by header_row in the mapping",
        )
    shown = list(plan.shown_headers().values())
    columns = ", ".join(shown[:12]) + (" ..." if len(shown) > 12 else "")
    return UsageError(
        f"{plan.source.name} is not mapped: {resolution.explanation}",
        f"Its columns are: {columns}.{_resembling(plan)}",
        _fix(plan),
    )


def unmapped_note(plan: ResolvedPlan) -> str:
    """Say the same of a table that was found among others."""
    explanation = plan.resolution.explanation
    return explanation if plan.has_no_header else f"{explanation}{_resembling(plan)} Try: {_fix(plan)}"


def unread_note(plan: ResolvedPlan) -> str:
    """Name the columns of a table with a measure a column that are not read: what is in them is not counted."""
    if plan.resolution.shape not in ("wide", "subjects"):
        return ""
    headers = plan.shown_headers()
    unread = [
        headers[each] for each in plan.resolution.unmapped if header_key(each) not in COLUMNS.known_unread
    ]
    if not unread:
        return ""
    listed = ", ".join(unread[:12]) + (" ..." if len(unread) > 12 else "")
    said = f"{len(unread)} columns are" if len(unread) > 1 else "1 column is"
    near = _resembling(plan)
    fix = f" Try: measures: {{HEADER: {{analyte: ANALYTE, unit: UNIT}}}} in the mapping of '{plan.site}'"
    return f"{said} not read: {listed}.{near}{fix if near else ''}"


def _resembling(plan: ResolvedPlan) -> str:
    headers = plan.shown_headers()
    found = [f"{headers[column]} ({analyte})" for column, analyte in plan.resolution.resembling.items()]
    return f" Nearly named like a study analyte: {', '.join(found[:12])}." if found else ""


def _fix(plan: ResolvedPlan) -> str:
    findings = plan.resolution.findings
    line = findings[0].fix if findings else "columns: {ROLE: HEADER} in the mapping"
    return (
        f"{line} of '{plan.site}'; header_row: N if line N holds the names, [N, M] if lines N to M do"
        if line.startswith("columns:")
        else line
    )


def undecided(plan: ResolvedPlan, about: str) -> UserError:
    """Say which declaration settles a column that the evidence does not."""
    kind, _, role = about.partition(":")
    if kind == "subject":
        return _side_by_side(plan)
    if kind == "table":
        return _several_tables(plan)
    if kind == "unit":
        return _units_not_read(plan)
    if kind == "offsets":
        return _several_clocks(plan, role)
    if kind == "dates":
        column = plan.resolution.roles.get(role) or plan.resolution.attributes.get(role, role)
        why = f"Column '{column}': no date shows whether the day or the month comes first, or they contradict each other."
        line = f"dates: {{{role}: dmy}}   (or mdy)"
    else:
        why = "No number shows whether '.' or ',' is the decimal mark, or they contradict each other."
        line = 'decimal: ","   (or ".")'
    return DeclarationNeeded(
        f"{plan.source.name} waits for a declaration of its {'dates' if kind == 'dates' else 'decimal mark'}.",
        why,
        f"{line} in sites/{plan.site}.yaml under feeds: {plan.feed}:",
    )


def _several_clocks(plan: ResolvedPlan, role: str) -> UserError:
    """Say that the times of a column are of several clocks."""
    column = plan.resolution.roles.get(role) or plan.resolution.attributes.get(role, role)
    decision = plan.decision(f"offsets:{role}")
    stated = ", ".join(sorted(decision.evidence)) if decision else ""
    return DeclarationNeeded(
        f"{plan.source.name} waits for a declaration of its time zone.",
        f"Column '{column}' states its times by several clocks ({stated}); as printed they cannot be compared.",
        f"timezone: Europe/Berlin   (or the site's own) in sites/{plan.site}.yaml under feeds: {plan.feed}:",
    )


def _side_by_side(plan: ResolvedPlan) -> UserError:
    """Say that columns of one header name different subjects in one record."""
    subject = plan.resolution.roles["subject"]
    decision = plan.decision("subject")
    others = decision.evidence["others"] if decision else ""
    return DeclarationNeeded(
        f"{plan.source.name} waits: two columns are headed '{subject}', and they name different subjects in one record.",
        f"The other one is '{others}'; tables that stand side by side look like this, and each row would join two people.",
        f"put each table into a file of its own; if it is one table, say whose record it is:\n"
        f'       columns: {{subject: "{subject}"}} in sites/{plan.site}.yaml under feeds: {plan.feed}:',
    )


def _several_tables(plan: ResolvedPlan) -> UserError:
    """Say that a line among the records names other columns than the header."""
    decision = plan.decision("table")
    row = decision.evidence["row"] if decision else ""
    return DeclarationNeeded(
        f"{plan.source.name} waits: its line {row} names other columns, or other units, than its header.",
        "The records below it would be read as results of the columns above.",
        f"put what begins at line {row} into a file of its own, or leave the line out of a copy if it is none",
    )


def _units_not_read(plan: ResolvedPlan) -> UserError:
    """Say that a column which is not read holds units."""
    decision = plan.decision("unit")
    column = plan.shown_headers()[str(decision.evidence["column"])] if decision else ""
    return DeclarationNeeded(
        f"{plan.source.name} waits: column '{column}' holds nothing but units, and is not read.",
        "Its header is no known name of a unit; without it the printed ranges alone would tell, also against it.",
        f'columns: {{unit: "{column}"}} in sites/{plan.site}.yaml under feeds: {plan.feed}:\n'
        "       or, if they are the units of something else,  units: {ANALYTE: UNIT}",
    )


def foreign(plan: ResolvedPlan, other: str) -> UserError:
    """Say that another site has sent the same bytes."""
    return UsageError(
        f"{plan.source.name} has the same bytes as a file that site '{other}' sent.",
        "One export cannot come from two hospitals; every row of it would be counted twice.",
        f"check which site it belongs to; it is not loaded for '{plan.site}'",
    )


def incomplete_snapshot(feed: str) -> UserError:
    """Say that a delivery replaces nothing while one of its files cannot be loaded."""
    return SourceUnreadable(
        f"The snapshot of feed '{feed}' is not whole: one of its files cannot be loaded.",
        "A snapshot replaces the feed's last delivery, so the rows of that file would be lost.",
        "mend or leave out the file that is named here, and deliver all files of the feed again",
    )


def manifest_mismatch(name: str, what: str, stated: str, found: str) -> UserError:
    """Say that a file is not what its sender's manifest lists."""
    return SourceUnreadable(
        f"{name}: the manifest lists {stated} {what}, the file has {found}.",
        "The file was changed or cut after the manifest was written.",
        "ask the site to send the file again",
    )
