"""From files to the draft of a mapping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from etl.sites.model import FeedMapping, MeasureMapping
from etl.sites.resolve import default_feed, resolve
from etl.sources import expand
from etl.suggest.choose import GROUPS, Chosen, choose, graded, level_of, shape_of
from etl.suggest.claims import SURE, View
from etl.suggest.details import details, versions
from etl.suggest.measures import measures_of, without_repeats
from etl.suggest.model import Draft, MeasureChoice, Open, TableDraft, Unread
from etl.suggest.tables import Looked, look
from schemas.columns import COLUMNS
from schemas.errors import UserError

NO_HEADER = (
    "no line looks like a header, so its columns have no names; add a header line, or declare header_row"
)
NEEDED = {
    "lab_long": ("subject", "value"),
    "item_long": ("subject", "item", "value"),
    "wide": ("subject",),
    "condition": ("subject",),
    "medication": ("subject",),
}


def suggest(paths: Iterable[str], site: str) -> Draft:
    """Return the draft of a site's mapping for some files. Raises UsageError for a path that matches nothing."""
    tables: list[TableDraft] = []
    unread: list[Unread] = []
    for named in expand(paths):
        try:
            found = look(named.source)
            drafted = [draft_table(looked) for looked in found]
            # A sheet is named only where a file has several.
            tables += (
                [
                    replace(each, sheet=looked.plan.table.title.partition("#")[0])
                    for each, looked in zip(drafted, found, strict=True)
                ]
                if len(found) > 1
                else drafted
            )
        except UserError as error:
            unread.append(Unread(named.source.name, error.message()))
    return Draft(site, tuple(tables), tuple(unread))


def draft_table(looked: Looked) -> TableDraft:
    """Return the draft of one table."""
    plan = looked.plan
    if looked.has_fixed_meaning:
        return _fixed(looked)
    if looked.has_no_header:
        return replace(
            _fixed(looked), has_fixed_meaning=False, shape="unmapped", columns=(), explanation=NO_HEADER
        )
    view = view_of(looked)
    chosen, measures, left = _chosen(view, looked)
    _leave_twins_open(chosen, looked)
    left += details(looked, chosen.choices, measures)
    return _drafted(looked, chosen, measures, [*chosen.open, *left], plan.resolution.explanation)


def view_of(looked: Looked) -> View:
    """Return what is known of a table before anything is chosen."""
    return View(looked.columns, looked.contents, looked.labels, looked.frame, _stem(looked))


def _stem(looked: Looked) -> str:
    name = looked.plan.source.name.replace("\\", "/").rpartition("/")[2]
    return f"{name.partition('.')[0]} {looked.plan.table.title}"


def _fixed(looked: Looked) -> TableDraft:
    plan = looked.plan
    return TableDraft(
        plan.source.name, looked.title, plan.table.format, plan.table.records, plan.resolution.shape, plan.feed,
        columns=looked.columns, has_fixed_meaning=True, source=plan.source.label,
    )  # fmt: skip


def _chosen(view: View, looked: Looked) -> tuple[Chosen, list[MeasureChoice], list[Open]]:
    names = graded(view)
    shape = shape_of(names, has_measures=False)
    if shape != "wide":
        return choose(view, shape, ()), [], []
    claimed = {
        each.column
        for claims in names.values()
        for each in claims
        if each.strength >= SURE and level_of(each)
    }
    free = [column for column in view.columns if column not in claimed and not view.is_identifying(column)]
    measures, left = measures_of(view, free)
    measures, repeated = without_repeats(measures, looked.frame)
    taken = {each.measure.column for each in measures}
    return choose(view, "wide", taken), measures, [*left, *repeated]


def _leave_twins_open(chosen: Chosen, looked: Looked) -> None:
    """Leave the subject to a person where columns of its header name different subjects in one record."""
    decision = looked.plan.decision("subject")
    subject = looked.plan.resolution.roles.get("subject")
    if decision is None or decision.value is not None or chosen.column("subject") != subject or not subject:
        return
    why = "columns of this header name different subjects in one record, as tables side by side do; put each into a file of its own"
    columns = (subject, *str(decision.evidence["others"]).split(", "))
    chosen.choices = [each for each in chosen.choices if each.field != "subject"]
    chosen.open.append(Open("subject", columns, why, f'subject: "{subject}"'))


def _drafted(
    looked: Looked, chosen: Chosen, measures: list[MeasureChoice], left: list[Open], explanation: str
) -> TableDraft:
    plan = looked.plan
    feed = FeedMapping(
        files=(plan.source.name,),
        columns={each.field: (each.column,) for each in chosen.choices},
        measures={each.measure.column: _written(each) for each in measures},
    )
    resolution = resolve(looked.columns, feed)
    drafted = shape_of({each.field for each in chosen.choices}, has_measures=bool(measures))
    # Without its results a long table has at most attributes; what it is was told by the rest.
    shape = resolution.shape if drafted == "wide" and resolution.shape != "unmapped" else drafted
    shape = "subjects" if shape == "wide" and not measures else shape
    groups = {"any", *GROUPS.get(shape, ())}
    choices = [each for each in chosen.choices if groups & set(COLUMNS.field(each.field).group)]
    used = {*(each.column for each in choices), *(each.measure.column for each in measures)}
    used |= {column for measure in resolution.measures for column in measure.beside}
    is_of_use = resolution.shape != "unmapped"
    return TableDraft(
        name=plan.source.name,
        title=looked.title,
        format=plan.table.format,
        records=plan.table.records,
        shape=shape,
        feed=default_feed(
            resolution
            if is_of_use
            else replace(resolution, shape=shape, measures=tuple(each.measure for each in measures))
        ),
        choices=tuple(sorted(choices, key=lambda each: _place(each.field))),
        measures=tuple(measures),
        open=(*_missing_fields(looked, chosen, shape, measures), *left, *versions(looked, resolution)),
        unused=tuple(looked.shown[column] for column in looked.columns if column not in used),
        explanation="" if is_of_use else resolution.explanation or explanation,
        columns=looked.columns,
        source=plan.source.label,
    )


def _written(each: MeasureChoice) -> MeasureMapping:
    found = each.measure
    known = {"analyte": found.analyte, "unit": found.unit, "specimen": found.specimen,
             "instrument": found.instrument, "item": found.item}  # fmt: skip
    return MeasureMapping(**known)


def _place(name: str) -> int:
    return [*COLUMNS.roles, *COLUMNS.attributes].index(name)


def _missing_fields(looked: Looked, chosen: Chosen, shape: str, measures: list[MeasureChoice]) -> list[Open]:
    """Ask for the fields that a table of this shape cannot do without, and for the day of results."""
    told = {each.about for each in chosen.open}
    wanted = [*NEEDED.get(shape, ("subject",))]
    is_lab = shape == "lab_long" or any(each.measure.kind == "lab" for each in measures)
    has_day = any(chosen.column(name) for name in ("collected_at", "collected_date", "collected_time"))
    wanted += ["collected_at"] if is_lab and not has_day else []
    return [
        Open(
            name,
            _possible(looked, chosen, name),
            f"no header says by itself: {COLUMNS.field(name).sentence}",
            f"{name}: HEADER",
        )
        for name in wanted
        if chosen.column(name) is None and name not in told
    ]


def _possible(looked: Looked, chosen: Chosen, name: str) -> tuple[str, ...]:
    """Return the columns whose cells may be what is asked for."""
    from etl.suggest.fits import Fit, fit

    need = {"collected_at": "dates", "value": "results", "item": "items"}.get(name, "identifier")
    used = {each.column for each in chosen.choices}
    found = [
        c for c in looked.columns if c not in used and fit(need, looked.contents[c], c) in (Fit.YES, Fit.PASS)
    ]
    return tuple(column for column in found if looked.shown[column] == column)[:8]
