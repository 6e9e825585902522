"""From files to their profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from etl.disclosure import is_small
from etl.profile.analytes import analyte_profiles
from etl.profile.columns import Reading, column_profile
from etl.profile.model import ColumnProfile, Decided, FileProfile, TableProfile
from etl.readers.base import Decision, Source
from etl.sites.headers import find_column
from etl.sites.mapping import SiteMapping
from etl.sources import expand
from etl.suggest.claims import View
from etl.suggest.headers import words_of
from etl.suggest.model import TableDraft
from etl.suggest.suggest import draft_table, view_of
from etl.suggest.tables import Looked, look
from schemas.errors import UsageError, UserError

_DIALECT = (
    "encoding",
    "delimiter",
    "quote",
    "header",
    "trailing_delimiter",
    "layout",
    "resources",
    "message_type",
    "types",
)
_NAMES = {"name", "surname", "contact", "national"}


def profile(
    paths: Iterable[str], sites: Mapping[str, SiteMapping] | None = None, subject: str | None = None
) -> list[FileProfile]:
    """Profile every file behind some paths. subject: the header that tells subjects apart, where no known one does.

    Raises UsageError for a path that matches nothing, and for a subject that no table has.
    """
    found, has_subject = [], subject is None
    for named in expand(paths):
        source = named.source
        claiming = [each for each in (sites or {}).values() if each.claims(source.name)]
        try:
            tables = look(source, claiming[0] if len(claiming) == 1 else None)
        except UserError as error:
            found.append(FileProfile(source.name, error=error.message()))
            continue
        has_subject |= any(find_column(subject or "", table.columns) for table in tables)
        found.append(_file(source, tables, subject))
    if not has_subject:
        raise UsageError(
            f"No table has the column '{subject}'.",
            "Its header is another one.",
            "--subject HEADER, as the profile prints it",
        )
    return found


def _file(source: Source, tables: Sequence[Looked], subject: str | None) -> FileProfile:
    first = tables[0].plan.table if tables else None
    return FileProfile(
        name=source.name,
        format=first.format if first else "",
        size=first.size if first else 0,
        sha256=first.sha256 if first else "",
        encoding=first.encoding if first else None,
        tables=tuple(_table(looked, subject) for looked in tables),
    )


def _table(looked: Looked, subject: str | None) -> TableProfile:
    table, draft = looked.plan.table, draft_table(looked)
    names = looked.shown
    subjects, told = _subjects(looked, draft, subject)
    readings = _readings(looked, draft, names)
    columns = tuple(column_profile(looked, column, readings[column], subjects) for column in looked.columns)
    count = looked.frame[subjects[0]].drop_nulls().n_unique() if subjects else 0
    masked = sum(name != column for column, name in names.items())
    notes = (
        [f"{masked} headers look like cells and are not shown: the file may have no header."]
        if masked
        else []
    )
    return TableProfile(
        title=looked.title,
        shape=draft.shape if draft.is_usable else "unmapped",
        header=next(
            (f"line {each.value}, {each.basis}" for each in table.decisions if each.about == "header"),
            "named by the format",
        ),
        lines=table.lines,
        records=table.records,
        continuation=table.continuation,
        structural={kind: number for kind, number in table.structural.items() if number},
        damaged=dict(looked.damaged),
        looked_at=looked.frame.height,
        subjects=None if not subjects or is_small(count) else count,
        subject=told if not subjects else f"{names[subjects[0]]}: {told}",
        decisions=tuple(_decided(each) for each in table.decisions if each.about in _DIALECT),
        columns=columns,
        analytes=analyte_profiles(looked, _fields(looked, draft), subjects),
        notes=(*notes, *_notes(columns)),
    )


def _fields(looked: Looked, draft: TableDraft) -> dict[str, str]:
    """Return the columns by role: as ingest reads them, else as the draft suggests."""
    known = looked.plan.resolution.roles
    return known if "value" in known else {each.field: each.column for each in draft.choices}


def _decided(decision: Decision) -> Decided:
    names = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}
    evidence = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in decision.evidence.items())
    return Decided(decision.about, names.get(decision.value or "", decision.value), decision.basis, evidence)


def _notes(columns: Sequence[ColumnProfile]) -> list[str]:
    open_dates = [column.name for column in columns if column.date_order == "not settled"]
    notes = [f"No date of {name} shows whether the day or the month comes first." for name in open_dates]
    return notes + [f"{each.name} is empty." for each in columns if each.kind == "empty" and each.records]


def _subjects(looked: Looked, draft: TableDraft, given: str | None) -> tuple[list[str], str]:
    """Return the columns that tell subjects apart, and how that is known; none where it is not sure."""
    column = find_column(given, looked.columns) if given else None
    if column is not None:
        return [column], "as you say"
    resolved = looked.plan.resolution.roles.get("subject")
    if resolved is not None:
        return [resolved], "known by its header"
    choice = next((each for each in draft.choices if each.field == "subject"), None)
    if choice is not None and choice.level == "high":
        return [choice.column], choice.why
    return (
        [],
        "no column tells subjects apart for certain, so no value is shown; name it with --subject HEADER",
    )


def _readings(looked: Looked, draft: TableDraft, names: Mapping[str, str]) -> dict[str, Reading]:
    """Return what each column is taken for: as ingest would read it, else as the draft suggests."""
    resolution = looked.plan.resolution
    known = {column: name for name, column in {**resolution.roles, **resolution.attributes}.items()}
    known |= {each.column: each.analyte or f"{each.instrument} {each.item}" for each in resolution.measures}
    told: dict[str, tuple[str, str]] = {
        each.column: (each.field, f"suggested: {each.why}") for each in draft.choices
    }
    for each in draft.measures:
        measure = each.measure
        told[measure.column] = (
            measure.analyte or f"{measure.instrument} {measure.item}",
            f"suggested: {each.why}",
        )
    told |= {column: (name, resolution.basis.get(column, "format")) for column, name in known.items()}
    view = view_of(looked)
    return {
        column: Reading(
            names[column], *told.get(column, ("", "")), is_private=_is_private(view, column, told)
        )
        for column in looked.columns
    }


def _is_private(view: View, column: str, told: Mapping[str, tuple[str, str]]) -> bool:
    """Tell whether a column may hold names, addresses or numbers of persons, as comments do; in doubt it does."""
    field = told.get(column, ("", ""))[0]
    if field in {"name", "national_id", "comment"} or view.is_identifying(column):
        return True
    texts = [text for text in (column, view.labels.get(column, "")) if text]
    return not field and any(_NAMES & word.ideas for text in texts for word in words_of(text))
