"""What each answer of a scale is: its instrument, item and version, and its value."""

from __future__ import annotations

from collections import Counter

import polars as pl

from etl.harmonize.codes import map_codes
from etl.plan import ResolvedPlan
from etl.process.roles import text
from etl.scoring.answers import parse_responses
from etl.scoring.versions import VersionChoice, settle_item, version_of
from schemas.instruments.matching import ItemRef, match_instrument, match_item_codes, match_items

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
NAMES = (text("instrument"), text("item"), text("measure"))  # what a file calls an answer
NOT_GIVEN = ("cancelled", "entered_in_error")  # statuses under which an answer is none


class AnswerReader:
    """Read role frames of answers; whose they are, and when they were given, is no matter here."""

    def __init__(self, plan: ResolvedPlan) -> None:
        self._plan = plan
        self._known: dict[tuple[str | None, str], ItemRef] = {}
        columns = [measure.column for measure in plan.resolution.measures if measure.kind == "item"]
        self._by_column = match_items(columns)
        versions = {(ref.instrument, ref.item, ref.version) for ref in self._by_column.values()}
        told = Counter(version[:2] for version in versions)
        self._of_several = {item for item, number in told.items() if number > 1}

    def read(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """Return the answers of our instruments, and the others by name, which are out of scope.

        Adds instrument, item, item_told, version, version_basis, value_source, value, absent_reason and reason (why an answer is held).
        """
        frame, others = self._recognised(_complete(frame))
        return self._answered(self._with_status(frame)), others

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
            told = self._told(item, ref if column else None)
            rows.append((instrument, item, column, *named, told, version, choice.basis))
        names = (*NAMES, "instrument", "item", "item_told", "version", "version_basis")
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def _told(self, item: str | None, ref: ItemRef | None) -> str | None:
        """Return what the file calls an item; with its version where columns are totals of several, equal or not."""
        is_of_several = ref and (ref.instrument, ref.item) in self._of_several
        return f"{item} of {ref.version}" if ref and is_of_several else item

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


def _ours(name: str | None) -> str | None:
    """Return the instrument of ours that a file's name for it means; null for any other."""
    found = match_instrument(name) if name else None
    return found[0] if found else None


def _complete(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the frame every role's column, empty where the file has none."""
    missing = [role for role in (*ITEM_ROLES, "measure") if text(role) not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(text(role)) for role in missing)
