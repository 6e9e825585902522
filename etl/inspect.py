"""inspect(source): one streaming pass over a file, and every decision that the whole file must share."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib.resources import files

import polars as pl

from etl.answers import Answers
from etl.harmonize.dates import date_evidence, decide_dates
from etl.harmonize.numbers import decide_decimal, decimal_evidence
from etl.harmonize.offsets import decide_offsets, has_offset
from etl.plan import Declaration, ResolvedPlan
from etl.process.roles import DATED_BY, NUMBER_ATTRIBUTES, dating, role_expression
from etl.questions import Asked
from etl.readers import detect
from etl.readers.base import DAMAGED_SCHEMA, Batch, Decision, Hints, Reader, Source, Table
from etl.readers.dictionary import is_dictionary
from etl.readers.fill import FillDown, FillingReader
from etl.readers.vocabulary import is_vocabulary
from etl.sites.fill import filled_columns, shared_cells
from etl.sites.heading import extender
from etl.sites.mapping import FeedMapping, SiteMapping
from etl.sites.other_header import OtherHeader
from etl.sites.resolve import Resolution, choose_feed, default_feed, resolve
from etl.twins import Twins
from etl.unread_units import UnreadUnits
from etl.vocabulary import Coded
from schemas.errors import FormatUnknown

DATE_ROLES = ("collected_at", "resulted_at", "administered_at", "started_at", "ended_at", "recorded_at")
DATE_ATTRIBUTES = ("birth_date",)
HISTORIES = ("condition", "medication")
_EVERY = ("codes", "columns")
_LABS, _ITEMS = ("analytes", "units", "other_analytes.csv"), ("instruments",)
_REGISTRY = (*_EVERY, *_LABS, *_ITEMS, "concepts")
# A changed scale does not make a laboratory's file stale. Shapes that are not named read all of it.
_READ_FOR = {
    "lab_long": (*_EVERY, *_LABS),
    "item_long": (*_EVERY, *_ITEMS),
    "wide": (*_EVERY, *_LABS, *_ITEMS, "concepts"),
    "condition": (*_EVERY, "concepts"),
    "medication": (*_EVERY, "concepts"),
    "subjects": _EVERY,
    "crosswalk": ("columns",),
}
NUMBER_ROLES = ("value", "ref_low", "ref_high")


@dataclass
class Observed:
    """What one table shows while it streams by: the resolution of its header, and evidence by column."""

    resolution: Resolution
    feed: FeedMapping | None
    dates: dict[str, list[pl.Expr]] = field(default_factory=dict)  # by role or attribute
    numbers: tuple[str, ...] = ()
    date_counts: dict[str, Counter[str]] = field(default_factory=dict)
    number_counts: Counter[str] = field(default_factory=Counter)
    answers: Answers | None = None
    guards: tuple[
        Twins | OtherHeader | UnreadUnits, ...
    ] = ()  # each looks for what must not be read as it stands
    asked: Asked = field(default_factory=Asked)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    coded: Coded = field(default_factory=Coded)
    fill: FillDown = field(default_factory=lambda: FillDown(()))

    def columns(self) -> list[str]:
        """Return the columns that evidence is gathered from."""
        answers = self.answers.columns if self.answers else ()
        expressions = (each for found in self.dates.values() for each in found)
        dated = [name for expression in expressions for name in expression.meta.root_names()]
        guarded = [column for guard in self.guards for column in guard.columns]
        return list(dict.fromkeys([*dated, *self.numbers, *answers, *guarded, *self.coded.columns]))

    def see(self, frame: pl.DataFrame) -> None:
        """Count the evidence of some records."""
        frame = self.fill.fill(Batch(frame, pl.DataFrame(schema=DAMAGED_SCHEMA))).frame
        for role, expressions in self.dates.items():
            seen = self.date_counts.setdefault(role, Counter())
            for expression in expressions:
                texts = frame.select(expression).to_series()
                clock = seen["clock"] <= seen["midnight"] or has_offset(seen)
                seen.update(date_evidence(texts, clock=clock))
        self.coded.see(frame)
        distinct = {column: frame[column].unique() for column in self.numbers}
        for numbers in distinct.values():
            self.number_counts.update(decimal_evidence(numbers))
        for guard in self.guards:
            guard.see(frame, distinct)
        if self.answers:
            self.answers.see(
                frame.with_columns(
                    pl.col(name).replace(words) for name, words in self.words.items() if name in frame.columns
                )
            )


def inspect(source: Source, site: str, mapping: SiteMapping | None, latest: datetime) -> list[ResolvedPlan]:
    """Return the plan of every table in a source. Raises SourceUnreadable and DefinitionError."""
    reader = detect(source)
    if reader is None:
        raise FormatUnknown(
            f"{source.name} is in no format that this tool reads.",
            "Neither its name nor its first bytes tell what it is.",
            "see the formats with: etl doctor",
        )
    seen: list[Observed] = []
    named = choose_feed(source.name, (), mapping)
    declared = named or (mapping.defaults if mapping else None)

    def observe(columns: tuple[str, ...]) -> tuple[Sequence[str], Callable[[pl.DataFrame], None]] | None:
        asked = Asked.of(source, reader, columns, declared.encoding if declared else None)
        observed = _observed(columns, declared, asked, Coded.of(source, columns))
        seen.append(observed)
        wanted = observed.columns()
        return (wanted, observed.see) if wanted else None

    tables = reader.inspect(source, _hints(named, source.name), observe)
    plans = [
        _plan(source, site, mapping, table, observed, latest)
        for table, observed in zip(_told_apart(tables), seen, strict=True)
    ]
    return [replace(plan, part=at) for at, plan in enumerate(plans, 1)] if len(plans) > 1 else plans


def _told_apart(tables: Sequence[Table]) -> Iterator[Table]:
    """Give tables of one title, such as two on a sheet, a number: each is loaded, and leaves, by itself."""
    met: Counter[str] = Counter()
    for table in tables:
        met[table.title] += 1
        again = met[table.title]
        yield replace(table, title=f"{table.title}#{again}") if again > 1 else table


def reader_of(plan: ResolvedPlan) -> Reader:
    """Return the reader of a plan's source."""
    reader = detect(plan.source)
    if reader is None:
        raise RuntimeError("a planned source has no reader")
    return FillingReader(reader) if plan.table.filled else reader


def _hints(feed: FeedMapping | None, name: str) -> Hints:
    if feed is None:
        return Hints(extend=extender(None, name))
    if feed.claims_correction(name):
        return Hints()  # a corrected copy has our layout, whatever the feed's own files look like
    return Hints(
        feed.encoding,
        feed.delimiter,
        feed.quote,
        feed.header_row[0] if feed.header_row else None,
        feed.sheet,
        is_first_row=feed.header_lines is not None,
        extend=extender(feed, name),
    )


def _observed(columns: tuple[str, ...], feed: FeedMapping | None, asked: Asked, coded: Coded) -> Observed:
    if is_dictionary(columns):
        why = "It is a data dictionary: what the columns of the files beside it mean, and no data."
        return Observed(Resolution("dictionary", unmapped=columns, explanation=why), feed)
    if is_vocabulary(columns):
        why = "It is a vocabulary: what the ids of concepts in the tables beside it stand for, and no data."
        return Observed(Resolution("dictionary", unmapped=columns, explanation=why), feed)
    resolution = asked.clear(resolve(columns, feed, questions=asked.questions, has_concepts=coded.is_known))
    coded.columns = coded.chosen(resolution)
    roles = resolution.roles
    found = {name: role_expression(resolution, name) for name in (*DATE_ROLES, *DATE_ATTRIBUTES)}
    dates = {name: [expression] for name, expression in found.items() if expression is not None}
    for kind, role in DATED_BY.items():
        by_form = [each for name, each in dating(resolution, kind).items() if name or role not in roles]
        if by_form:
            dates[role] = [*dates.get(role, ()), *by_form]
    attributes = resolution.attributes
    numbers = [roles[role] for role in NUMBER_ROLES if role in roles]
    numbers += [attributes[name] for name in NUMBER_ATTRIBUTES if name in attributes]
    numbers += [measure.column for measure in resolution.measures if measure.kind == "lab"]
    guards = (Twins.of(resolution), OtherHeader.of(resolution), UnreadUnits.of(resolution, feed))
    return Observed(
        resolution,
        feed,
        dates,
        tuple(numbers),
        answers=Answers.of(resolution),
        guards=tuple(guard for guard in guards if guard),
        asked=asked,
        words=asked.words(resolution),
        coded=coded,
        fill=FillDown(filled_columns(columns, feed)),
    )


def _plan(
    source: Source, site: str, mapping: SiteMapping | None, table: Table, observed: Observed, latest: datetime
) -> ResolvedPlan:
    feed = observed.feed
    table = shared_cells(table, observed.resolution, feed)
    name = (feed.feed if feed else "") or default_feed(observed.resolution)
    concepts = observed.coded.read()
    plan = ResolvedPlan(
        source=source,
        site=site,
        feed=name,
        table=table,
        resolution=observed.resolution,
        decisions=(
            *table.decisions,
            *observed.asked.decisions(observed.words),
            *observed.coded.decisions(concepts),
            *_decisions(observed, feed),
        ),
        concepts=concepts,
        words=observed.words,
        missing=observed.asked.missing,
        analytes=_measured(observed),
        versions=observed.answers.versions(feed) if observed.answers else {},
        registry=registry_digest(observed.resolution.shape),
        mapping_digest=mapping_digest(mapping, name),
        latest=latest,
    )
    return _with_declared(plan, feed) if feed else plan


def _with_declared(plan: ResolvedPlan, feed: FeedMapping) -> ResolvedPlan:
    links = {"from": feed.links.from_.model_dump(), "to": feed.links.to.model_dump()} if feed.links else {}
    return replace(
        plan,
        declarations=tuple(Declaration(name, unit.unit, unit.override) for name, unit in feed.units.items()),
        delivery="correction" if "corrects" in plan.resolution.roles else feed.delivery,
        timezone=None if feed.timezone == "unknown" else feed.timezone,
        issuer=feed.issuer,
        id_type=feed.id_type,
        missing=(*feed.missing, *plan.missing),
        values=feed.values,
        analytes=plan.analytes | feed.analytes,
        spellings=feed.spellings,
        bounds=feed.bounds,
        links=links,
    )


def _decisions(observed: Observed, feed: FeedMapping | None) -> list[Decision]:
    declared = feed.declared_dates() if feed else {}
    made = [
        decide_dates(f"dates:{role}", observed.date_counts.get(role, Counter()), declared.get(role))
        for role in observed.dates
    ]
    if feed is None or feed.timezone in (None, "unknown"):
        mixed = (decide_offsets(f"offsets:{role}", seen) for role, seen in observed.date_counts.items())
        made += [each for each in mixed if each]
    made += [found for guard in observed.guards if (found := guard.decision())]
    if observed.numbers:
        made.append(decide_decimal(observed.number_counts, feed.decimal if feed else None))
    if feed:
        made += [
            Decision(f"bounds:{name}", f"{low}..{high}", "declared")
            for name, (low, high) in feed.bounds.items()
        ]
    told = {observed.resolution.shape, *(measure.kind for measure in observed.resolution.measures)}
    made += [
        Decision(f"complete:{domain}", "true", "declared")
        for domain in HISTORIES
        if feed and feed.complete and domain in told
    ]
    return made


def _measured(observed: Observed) -> dict[str, str]:
    """Return the analytes of a wide table's columns: there the header is the analyte's name."""
    return {each.column: each.analyte for each in observed.resolution.measures if each.analyte}


@cache
def registry_digest(shape: str | None = None) -> str:
    """Return one digest of the registry's data files that decide how a table of some shape is read; None: of all."""
    digest = hashlib.sha256()
    for name in _READ_FOR.get(shape or "", _REGISTRY):
        entry = files("schemas") / name
        found = [entry] if entry.is_file() else sorted(entry.iterdir(), key=lambda each: each.name)
        for each in found:
            if each.name.endswith((".toml", ".csv")):
                digest.update(each.name.encode() + b"\0" + each.read_bytes())
    return digest.hexdigest()


def mapping_digest(mapping: SiteMapping | None, feed: str) -> str:
    """Return a digest of what a mapping says of a feed, or of files that no feed claims; empty without a mapping."""
    if mapping is None:
        return ""
    declared = mapping.feeds.get(feed, mapping.defaults)
    return hashlib.sha256(declared.model_dump_json().encode()).hexdigest()
