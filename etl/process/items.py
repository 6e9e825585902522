"""Answers of clinical scales: wide or long, each answer a candidate that belongs to one administration."""

from __future__ import annotations

import polars as pl

from etl.plan import ResolvedPlan
from etl.process.answers import ITEM_ROLES, AnswerReader
from etl.process.candidates import Processed, held_rows
from etl.process.corrections import note_corrections
from etl.process.identity import content, with_hmac
from etl.process.moments import moments
from etl.process.roles import dating, text
from etl.process.subjects import SubjectIds
from etl.readers.base import LOCATOR, ROW
from schemas.instruments import INSTRUMENTS
from warehouse.keys import Keys

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
        self._answers = AnswerReader(plan)

    def harmonize(self, frame: pl.DataFrame) -> Processed:
        """Return the candidates of a role frame with instrument, item and value."""
        done = Processed(read=frame.height)
        frame, done.out_of_scope = self._answers.read(frame)
        frame = self._subjects.attach(self._dated(frame))
        is_erased = pl.col("subject_id").is_in(list(self._subjects.erased)).fill_null(value=False)
        done.withdrawn = frame.select(is_erased.sum()).item()
        frame = frame.filter(~is_erased)
        if frame.height:
            self._sort_out(self._with_ids(frame), done)
        return done

    def _dated(self, frame: pl.DataFrame) -> pl.DataFrame:
        is_by_form = bool(dating(self._plan.resolution, "item"))
        known = DATES if is_by_form else self._plan.resolution.roles
        role = next((role for role in DATES if role in known), DATES[0])
        parsed = moments(frame[text(role)], self._plan, role)
        return frame.with_columns(
            parsed["at"].alias("administered_at"),
            parsed["precision"].alias("administered_precision"),
            parsed["reason"].alias("reason_date"),
        )

    def _with_ids(self, frame: pl.DataFrame) -> pl.DataFrame:
        site, feed = self._plan.site, self._plan.feed
        mapped = ["item_told" if role == "item" else text(role) for role in ITEM_ROLES]
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


def _is_one_of(pairs: frozenset[tuple[str, str]]) -> pl.Expr:
    named = [f"{instrument}/{item}" for instrument, item in sorted(pairs)]
    return pl.concat_str("instrument", "item", separator="/").is_in(named)
