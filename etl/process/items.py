"""Answers of clinical scales: wide or long, each answer a candidate that belongs to one administration."""

from __future__ import annotations

from collections import Counter

import polars as pl

from etl.harmonize.codes import map_codes
from etl.plan import ResolvedPlan
from etl.process.candidates import Processed, held_rows
from etl.process.corrections import note_corrections
from etl.process.identity import content, with_hmac
from etl.process.moments import moments
from etl.process.roles import text
from etl.process.subjects import SubjectIds
from etl.readers.base import LOCATOR, ROW
from etl.scoring.answers import parse_responses
from etl.scoring.versions import VersionChoice, settle_item, version_of
from schemas.instruments import INSTRUMENTS
from schemas.instruments.matching import ItemRef, match_instrument, match_item_codes, match_items
from warehouse.keys import Keys

ITEM_ROLES = (
    "subject",
    "source_site",
    "administered_at",
    "collected_at",
    "visit",
    "rater",
    "language",
    "instrument",
    "item",
    "value",
    "value_number",
    "status",
)
# A form's date is called many things; the first of these that a file has is taken.
DATES = ("administered_at", "collected_at")
RESPONSE = (
    "record_id", "administration_id", "stated_administration_id", "subject_id", "instrument", "item", "value",
    "value_source", "absent_reason", "row_state", ROW, LOCATOR,
)  # fmt: skip
CLAIM = (
    "administration_id", "subject_id", "instrument", "version", "version_basis", "administered_at",
    "administered_precision", "visit", "rater", "language",
)  # fmt: skip
NAMES = (text("instrument"), text("item"), text("measure"))  # what a file calls an answer
NOT_GIVEN = ("cancelled", "entered_in_error")  # statuses under which an answer is none
HELD = ("administration_id", "subject_id", "instrument", "version", "item")
# Items whose answer is the subject's own words, and scales, which stand beside items: instrument and name.
TEXTS = frozenset(
    (name, item.id)
    for name, instrument in INSTRUMENTS.items()
    for version in instrument.versions.values()
    for item in version.items.values()
    if item.kind == "text"
)
WORDS = "[text]"  # stands for a subject's own words
SCALES = frozenset(
    (name, scale.id)
    for name, instrument in INSTRUMENTS.items()
    for version in instrument.versions.values()
    for scale in version.scales.values()
    if not scale.is_hidden
)


class ItemHarmonizer:
    """Turn role frames of answers into responses and administrations."""

    def __init__(self, plan: ResolvedPlan, keys: Keys, subjects: SubjectIds) -> None:
        self._plan = plan
        self._key = keys.record
        self._subjects = subjects
        self._known: dict[tuple[str | None, str], ItemRef] = {}
        columns = [measure.column for measure in plan.resolution.measures if measure.kind == "item"]
        self._by_column = match_items(columns)

    def harmonize(self, frame: pl.DataFrame) -> Processed:
        """Return the candidates of a role frame with instrument, item and value."""
        done = Processed(read=frame.height)
        frame, done.out_of_scope = self._recognised(self._dated(_complete(frame)))
        frame = self._subjects.attach(frame)
        is_erased = pl.col("subject_id").is_in(list(self._subjects.erased)).fill_null(value=False)
        done.withdrawn = frame.select(is_erased.sum()).item()
        frame = frame.filter(~is_erased)
        if frame.height:
            self._sort_out(self._with_ids(self._answered(self._with_status(frame))), done)
        return done

    def _dated(self, frame: pl.DataFrame) -> pl.DataFrame:
        role = next((role for role in DATES if role in self._plan.resolution.roles), DATES[0])
        parsed = moments(frame[text(role)], self._plan, role)
        return frame.with_columns(
            parsed["at"].alias("administered_at"),
            parsed["precision"].alias("administered_precision"),
            parsed["reason"].alias("reason_date"),
        )

    def _recognise(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Settle instrument, item and version of distinct pairs; another instrument than ours has none.

        An instrument of ours with an item that it does not have keeps its name and gets no item.
        """
        unknown = VersionChoice("", None, None)
        rows = []
        for instrument, item, column in pairs.iter_rows():
            ref = self._ref(instrument, item, column)
            choice = self._plan.versions.get(ref.instrument, unknown) if ref else unknown
            named = (ref.instrument, settle_item(ref, choice)) if ref else (_ours(instrument), None)
            version = version_of(ref, choice) if ref else None
            rows.append((instrument, item, column, *named, version, choice.basis))
        names = (*NAMES, "instrument", "item", "version", "version_basis")
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def _ref(self, instrument: str | None, item: str, column: str | None) -> ItemRef | None:
        """Return what an answer is; the column of a wide file tells the version as well, as HAMD17_total does."""
        ref, told = self._known.get((instrument, item)), self._by_column.get(column or "")
        is_same = ref and told and (ref.instrument, ref.item) == (told.instrument, told.item)
        return told if is_same else ref

    def _recognised(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """Attach what each answer is; a long file's other instruments are out of scope, by name."""
        keys = list(NAMES[:2])
        pairs = frame.select(NAMES).unique()
        self._known |= match_item_codes(
            pair[:2] for pair in pairs.iter_rows() if pair[:2] not in self._known and pair[1]
        )
        frame = frame.join(
            self._recognise(pairs), on=NAMES, how="left", nulls_equal=True, maintain_order="left"
        )
        is_out = pl.col("instrument").is_null()
        label = frame.filter(is_out).select(
            pl.concat_str(keys, separator=" ", ignore_nulls=True).alias("name")
        )
        return frame.filter(~is_out), Counter(dict(label["name"].value_counts().iter_rows()))

    def _answered(self, frame: pl.DataFrame) -> pl.DataFrame:
        parsed = self._parsed(frame.with_columns(pl.col(text("value")).alias("value_source")))
        stated = pl.when(pl.col("reason") == "bad_number").then(text("value_number"))
        if parsed.select(
            stated.is_not_null().any()
        ).item():  # a label that is no answer of the form, beside its number
            read = parsed.with_columns(pl.coalesce(stated, "value_source").alias("value_source"))
            parsed = self._parsed(read.drop("value", "absent_reason", "reason"))
        is_none, is_unknown = pl.col("absent_status").is_not_null(), pl.col("item").is_null()
        return parsed.with_columns(
            pl.when(~is_none).then("value").alias("value"),
            pl.coalesce("absent_status", "absent_reason").alias("absent_reason"),
            pl.when(is_unknown)
            .then(pl.lit("unrecognised_item"))
            .when(~is_none)
            .then("reason")
            .alias("reason"),
        )

    def _parsed(self, frame: pl.DataFrame) -> pl.DataFrame:
        missing = dict.fromkeys(self._plan.missing, "declared_missing")
        empty = pl.col("value_source").is_null()
        return parse_responses(frame, missing).with_columns(
            pl.when(empty).then(pl.lit("empty")).otherwise("absent_reason").alias("absent_reason"),
            pl.when(~empty).then("reason").alias("reason"),
        )

    def _with_status(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Tell which answers were withdrawn by their sender; they count as not given."""
        extra = self._plan.values.get("status", {})
        status = map_codes(frame[text("status")], "result_status", extra)["value"]
        absent = pl.when(status.is_in(NOT_GIVEN)).then(status).alias("absent_status")
        return frame.with_columns(absent)

    def _with_ids(self, frame: pl.DataFrame) -> pl.DataFrame:
        site, feed = self._plan.site, self._plan.feed
        mapped = [text(role) for role in ITEM_ROLES]
        frame = with_hmac(frame, "record_id", content(mapped, site, feed), self._key)
        frame = frame.with_columns(pl.col("administered_at").cast(pl.String).alias("given_at"))
        parts = ["subject_id", "instrument", "given_at", text("visit"), text("rater")]
        return with_hmac(frame, "administration_id", content(parts), self._key)

    def _sort_out(self, frame: pl.DataFrame, done: Processed) -> None:
        note_corrections(frame, "record_id", done)
        reasons = pl.concat_list("reason_subject", "reason_date", "reason").list.drop_nulls()
        frame = _without_texts(frame).with_columns(
            reasons.alias("reasons"),
            pl.lit("current").alias("row_state"),
            pl.col("administration_id").alias("stated_administration_id"),
        )
        is_accepted = pl.col("reasons").list.len() == 0
        accepted, held = frame.filter(is_accepted), frame.filter(~is_accepted)
        done.rows["core.response"] = accepted.select(RESPONSE)
        done.rows["core.administration_claim"] = _claims(accepted)
        if held.height:
            done.rows["core.held_answer"] = _numbers(held)
            measure = pl.concat_str("instrument", "item", separator="/", ignore_nulls=True).alias("measure")
            done.held.append(held_rows(held.with_columns(measure), [text(role) for role in ITEM_ROLES]))


def _without_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Take a subject's own words away; that there were some is the answer, and stays so in a held original."""
    is_text = _is_one_of(TEXTS) & pl.col(text("value")).is_not_null()
    return frame.with_columns(
        pl.when(~is_text).then("value_source").alias("value_source"),
        pl.when(is_text).then(pl.lit(WORDS)).otherwise(text("value")).alias(text("value")),
    )


def _claims(accepted: pl.DataFrame) -> pl.DataFrame:
    """Return what the file says of each administration, and whether it answers items of it or states totals only."""
    is_item = ~_is_one_of(SCALES) & pl.col("value").is_not_null()
    named = accepted.with_columns(pl.col(text(role)).alias(role) for role in ("visit", "rater", "language"))
    return named.group_by(CLAIM, maintain_order=True).agg(is_item.any().alias("has_items"))


def _numbers(held: pl.DataFrame) -> pl.DataFrame:
    """Return the answers that were held for what they are, as far as they are numbers."""
    number = pl.col("value_source").cast(pl.Float64, strict=False)
    is_for_itself = pl.col("reason_subject").is_null() & pl.col("reason_date").is_null()
    is_item = pl.col("item").is_not_null()
    return held.filter(is_for_itself, is_item, number.is_finite()).select(*HELD, number.alias("value"))


def _ours(name: str | None) -> str | None:
    """Return the instrument of ours that a file's name for it means; null for any other."""
    found = match_instrument(name) if name else None
    return found[0] if found else None


def _is_one_of(pairs: frozenset[tuple[str, str]]) -> pl.Expr:
    named = [f"{instrument}/{item}" for instrument, item in sorted(pairs)]
    return pl.concat_str("instrument", "item", separator="/").is_in(named)


def _complete(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the frame every role's column, empty where the file has none."""
    missing = [role for role in (*ITEM_ROLES, "measure") if text(role) not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(text(role)) for role in missing)
