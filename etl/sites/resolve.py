"""Decide what a file is and what each of its columns means: mapping first, then built-in synonyms.

A long file has one result a row (value beside analyte, code or item); a wide file has one column a measure. The
columns of a long file are never taken for measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from etl.readers.base import Question
from etl.sites.beside import with_columns_beside
from etl.sites.headers import (
    Roles,
    declared_measure,
    declared_roles,
    find_column,
    implied_constants,
    missing_column,
    recognised_roles,
    settle_collection_time,
    settle_concepts,
    settle_site,
    settle_value,
)
from etl.sites.model import FeedMapping, SiteMapping
from etl.sites.questions import dated_by_form, items_by_question, labs_by_question, measures_of_boxes
from etl.sites.recognisers import Recognisers, registered
from etl.sites.resolution import Finding, Measure, Resolution, Shape
from schemas.columns import COLUMNS, header_key

__all__ = ["Finding", "Measure", "Resolution", "choose_feed", "default_feed", "resolve"]

# The groups of roles that mean something in each shape; a wide file has those of the kinds it measures.
_GROUPS: dict[Shape, tuple[str, ...]] = {
    "lab_long": ("any", "lab", "lab_long"),
    "item_long": ("any", "item", "item_long"),
    "condition": ("any", "condition"),
    "medication": ("any", "medication"),
    "subjects": ("any",),
    "crosswalk": ("crosswalk",),
    "manifest": ("manifest",),
    "dictionary": (),
    "unmapped": ("any",),
}
_NAMED = {"lab_long": "labs", "item_long": "scales", "condition": "conditions", "medication": "medications"}
_FEEDS = {"lab": "labs", "item": "scales", "condition": "conditions", "medication": "medications"}
_EVERY_GROUP = ("any", "lab", "lab_long", "item", "item_long", "crosswalk", "manifest")
_CODED = ("concept",)
_WIDE_GROUPS = ("any", "lab", "item")
_HAVE_NO_SUBJECT = ("crosswalk", "manifest", "dictionary")
_HISTORIES: tuple[Shape, ...] = ("condition", "medication")
_OF_A_HISTORY = ("started_at", "ended_at", "recorded_at", "status")


def choose_feed(name: str, columns: Sequence[str], mapping: SiteMapping | None) -> FeedMapping | None:
    """Return the feed that claims a file of this name; of several, the first whose mapped columns are all there."""
    claiming = [feed for feed in mapping.feeds.values() if feed.claims(name)] if mapping else []
    whole = [feed for feed in claiming if columns and not _declared(columns, feed)[0].findings]
    return next(iter(whole or claiming), None)


def default_feed(resolution: Resolution) -> str:
    """Name the feed of a file that no mapping claims after its kind of content."""
    if resolution.shape == "wide":
        kinds = {measure.kind for measure in resolution.measures}
        return next((feed for kind, feed in _FEEDS.items() if kind in kinds), "scales")
    return _NAMED.get(resolution.shape, resolution.shape)


def resolve(
    columns: Sequence[str],
    feed: FeedMapping | None = None,
    recognisers: Recognisers | None = None,
    questions: Mapping[str, Question] | None = None,
    *,
    has_concepts: bool = False,
) -> Resolution:
    """Decide what a file with these columns is; one that cannot be used is `unmapped`, with an explanation.

    questions: what its dictionary says of its columns. has_concepts: a vocabulary tells what its ids of concepts mean.
    """
    known = recognisers or registered()
    header = Header(tuple(columns), questions or {}, has_concepts)
    declared, measures = _declared(columns, feed)
    if declared.findings:
        return _unmapped(columns, declared)
    shape = _shape(header, feed, declared, measures)
    if shape in (None, "wide"):
        measures += _recognised_measures(header, feed, measures, known)
        measures = dated_by_form(measures, header.questions, header.columns)
        roles = _roles(header, feed, _WIDE_GROUPS, measures)
        measures = with_columns_beside(measures, header.columns, roles.columns)
    shape = shape or _shape_without_rows(header, feed, measures)
    roles = _roles(header, feed, _groups(shape, measures), measures)
    resolution = _resolution(shape, columns, roles, measures, feed)
    open_roles = _roles(header, feed, _EVERY_GROUP, measures).findings if shape == "unmapped" else []
    found = _without_subject(resolution, open_roles) or resolution
    return replace(found, resembling=_resembling(found, known, header.questions))


class Header(NamedTuple):
    """The columns of a file, what its dictionary says of them, and whether ids of concepts mean something."""

    columns: tuple[str, ...]
    questions: Mapping[str, Question]
    has_concepts: bool


def _declared(columns: Sequence[str], feed: FeedMapping | None) -> tuple[Roles, tuple[Measure, ...]]:
    """Return what the mapping names, with a finding for each column that is not there."""
    roles = Roles()
    if feed is None:
        return roles, ()
    declared_roles(columns, feed, roles)
    if feed.links:
        for role, side in (("link_from", feed.links.from_), ("link_to", feed.links.to)):
            _declare(role, side.column, columns, feed, roles)
    measures = []
    for header, measure in feed.measures.items():
        found = declared_measure(header, measure, columns)
        if isinstance(found, Measure):
            measures.append(found)
        else:
            roles.findings.append(missing_column("a measure", found, columns, feed))
    return roles, tuple(measures)


def _declare(role: str, header: str, columns: Sequence[str], feed: FeedMapping, roles: Roles) -> None:
    column = find_column(header, columns)
    if column is None:
        roles.findings.append(missing_column(role, header, columns, feed))
    else:
        roles.take(role, column, "mapping")


def _roles(
    header: Header, feed: FeedMapping | None, groups: Iterable[str], measures: tuple[Measure, ...]
) -> Roles:
    """Return the roles and attributes of some groups: those of the mapping, then those that headers tell."""
    roles, _ = _declared(header.columns, feed)
    measured = {measure.column for measure in measures}
    free = [column for column in header.columns if column not in measured]
    recognised_roles(free, (*groups, *_CODED) if header.has_concepts else groups, roles, header.questions)
    settle_concepts(roles)
    settle_collection_time(roles)
    settle_value(roles)
    settle_site(roles)
    implied_constants(roles)
    return roles


def _shape(
    header: Header, feed: FeedMapping | None, declared: Roles, measures: tuple[Measure, ...]
) -> Shape | None:
    """Return the shape that the mapping or the roles of a row give; None if only measures or attributes can."""
    if feed and feed.kind != "data":
        return feed.kind
    if measures and "value" not in declared.columns:
        return "wide"
    found = {*_roles(header, feed, _EVERY_GROUP, measures).columns, *(feed.constants if feed else ())}
    has_analyte = bool({"analyte", "code", "analyte_concept"} & found)
    if {"value", "item"} <= found and ("instrument" in found or not has_analyte):
        return "item_long"
    if "value" in found and has_analyte:
        return "lab_long"
    if {"link_from", "link_to"} <= found:
        return "crosswalk"
    return "manifest" if "file" in found and {"sha256", "rows"} & found and "subject" not in found else None


def _recognised_measures(
    header: Header, feed: FeedMapping | None, declared: tuple[Measure, ...], known: Recognisers
) -> tuple[Measure, ...]:
    """Let the registries claim the columns that are neither role nor attribute; a column claimed twice is nobody's."""
    roles = _roles(header, feed, _WIDE_GROUPS, declared)
    taken = {*roles.columns.values(), *(measure.column for measure in declared)}
    free = [
        column
        for column in header.columns
        if column not in taken and header_key(column) not in COLUMNS.known_unread
    ]
    labs, items = known.match_headers(free), known.match_items(free)
    told = {column: header.questions[column] for column in free if column in header.questions}
    if told:
        labs, items = labs_by_question(labs, told, known), items_by_question(items, told, known)
    found = tuple(
        Measure(column, "lab", labs[column].analyte, labs[column].unit, labs[column].specimen)
        if column in labs
        else Measure(column, "item", instrument=items[column].instrument, item=items[column].item)
        for column in free
        if (column in labs) != (column in items)
    )
    return found + measures_of_boxes(told, feed.checkboxes if feed else {})


def _shape_without_rows(header: Header, feed: FeedMapping | None, measures: tuple[Measure, ...]) -> Shape:
    if measures:
        return "wide"
    for shape in _HISTORIES:
        if _is_history(shape, {*_roles(header, feed, _GROUPS[shape], ()).columns}):
            return shape
    found = _roles(header, feed, _GROUPS["subjects"], ()).columns
    return "subjects" if any(name in COLUMNS.attributes for name in found) else "unmapped"


def _is_history(shape: Shape, found: set[str]) -> bool:
    """Tell whether rows are diagnoses or drugs: a code, or a text and a day or status; a lone text says too little.

    A concept says as much with the day of a record; OMOP's eras, which are computed from records, have other days.
    """
    is_coded = f"{shape}_code" in found or {f"{shape}_concept", "started_at"} <= found
    is_told = bool({f"{shape}_text", f"{shape}_term"} & found)
    return is_coded or (is_told and bool(found.intersection(_OF_A_HISTORY)))


def _groups(shape: Shape, measures: tuple[Measure, ...]) -> tuple[str, ...]:
    if shape != "wide":
        return _GROUPS[shape]
    kinds = {"lab" if measure.kind == "lab" else "item" for measure in measures}
    return ("any", *sorted(kinds, reverse=True))


def _resolution(
    shape: Shape,
    columns: Sequence[str],
    roles: Roles,
    measures: tuple[Measure, ...],
    feed: FeedMapping | None,
) -> Resolution:
    declared = {measure.column for measure in _declared(columns, feed)[1]}
    basis = {measure.column: "mapping" if measure.column in declared else "name" for measure in measures}
    measures = measures if shape == "wide" else ()
    used = {*roles.columns.values(), *(measure.column for measure in measures)}
    used |= {column for measure in measures for column in measure.beside}
    constants = dict(feed.constants) if feed else {}
    implied = {role: value for role, value in roles.implied.items() if role not in roles.columns}
    return Resolution(
        shape=shape,
        roles={name: roles.columns[name] for name in COLUMNS.roles if name in roles.columns},
        attributes={name: roles.columns[name] for name in COLUMNS.attributes if name in roles.columns},
        measures=measures,
        constants=implied | constants,
        unmapped=tuple(column for column in columns if column not in used),
        basis=roles.basis | {column: how for column, how in basis.items() if column in used},
        findings=tuple(roles.findings),
    )


def _unmapped(columns: Sequence[str], declared: Roles) -> Resolution:
    found = tuple(declared.findings)
    return Resolution(
        "unmapped", unmapped=tuple(columns), findings=found, explanation=f"{found[0].what} {found[0].why}"
    )


def _without_subject(resolution: Resolution, open_roles: Sequence[Finding]) -> Resolution | None:
    """Return the file as unmapped if no row of it can be anybody's, or nothing of it is of use.

    open_roles: what no header settles of the roles that a result or an item has.
    """
    if resolution.shape in _HAVE_NO_SUBJECT:
        return None
    if "subject" not in {*resolution.roles, *resolution.constants}:
        open_role = next((each for each in resolution.findings if each.what.startswith("subject ")), None)
        found = open_role or Finding(
            "no column names the subject.",
            "None of the headers is a known name of a subject's number.",
            "columns: {subject: HEADER} in the mapping",
        )
    elif resolution.shape == "unmapped":
        found = next(iter(open_roles), None) or Finding(
            "no column holds a result, an item or an attribute of the subject.",
            "None of the headers is known as one.",
            "columns: {analyte: HEADER, value: HEADER} or measures: {HEADER: {analyte: ANALYTE, unit: UNIT}} in the mapping",
        )
    else:
        return None
    kept = [each for each in resolution.findings if each != found]
    columns = (*resolution.used_columns(), *resolution.unmapped)
    return Resolution(
        "unmapped", unmapped=columns, findings=(found, *kept), explanation=f"{found.what} {found.why}"
    )


def _resembling(
    resolution: Resolution, known: Recognisers, questions: Mapping[str, Question]
) -> dict[str, str]:
    """Name the columns that are not read although they, or their labels, look like a study analyte."""
    if resolution.shape in _HAVE_NO_SUBJECT:
        return {}
    unread = [column for column in resolution.unmapped if header_key(column) not in COLUMNS.known_unread]
    named = {column: questions[column].label if column in questions else column for column in unread}
    return {column: analyte for column, name in named.items() if (analyte := known.resembles(name))}
