"""What a file says of the subjects themselves: sex, birth, group, pairs. Names are never stored."""

from __future__ import annotations

import polars as pl

from etl.harmonize.ages import parse_ages
from etl.harmonize.codes import map_codes
from etl.harmonize.numbers import parse_results
from etl.plan import ResolvedPlan
from etl.process.candidates import Processed, held_rows
from etl.process.corrections import CORRECTS, note_corrections
from etl.process.identity import content, with_hmac
from etl.process.moments import moments
from etl.process.roles import NUMBER_ATTRIBUTES, long_frame, text
from etl.process.subjects import SubjectIds
from etl.readers.base import LOCATOR, ROW, Reader
from warehouse.keys import Keys

CODES = {"sex": "sex", "cohort_group": "cohort_group", "pregnant": "yes_no"}
AGES = frozenset({"age"})
DATES = frozenset({"birth_date"})
# Read only to link subjects across hospitals; the text itself never leaves this module.
IDENTIFYING = frozenset({"name", "national_id"})
_KEY = ["subject_id", "attribute", "value_source"]


class AttributeHarmonizer:
    """Turn the attribute columns of a table into rows of core.subject_attribute, each statement once a file."""

    def __init__(self, plan: ResolvedPlan, reader: Reader, keys: Keys, subjects: SubjectIds) -> None:
        self._plan = plan
        self._reader = reader
        self._key = keys.record
        self._subjects = subjects
        self._roles = ("subject", "source_site", CORRECTS)
        self._said = pl.DataFrame(schema=dict.fromkeys(_KEY, pl.String))
        self._columns = {
            name: column for name, column in plan.resolution.attributes.items() if name not in IDENTIFYING
        }

    def harmonize(self, records: pl.DataFrame, done: Processed) -> None:
        """Add the attributes that the records state to `done`."""
        frames = [self._stated(records, name, column) for name, column in self._columns.items()]
        if not frames:
            return
        frame = self._subjects.attach(pl.concat(frames))
        frame = frame.filter(~pl.col("subject_id").is_in(list(self._subjects.erased)).fill_null(value=False))
        done.attributes += frame.height
        held, stated = _split(frame, pl.col("reason_subject").is_not_null() | pl.col("reason").is_not_null())
        fresh = stated.unique(_KEY, keep="first", maintain_order=True).join(
            self._said, on=_KEY, how="anti", nulls_equal=True
        )
        self._said = pl.concat([self._said, fresh.select(_KEY)])
        done.attributes_repeated += stated.height - fresh.height
        done.attributes_held += held.height
        note_corrections(self._identified(frame), "record_id", done)
        self._store(fresh, done)
        self._hold(held, done)

    def _stated(self, records: pl.DataFrame, name: str, column: str) -> pl.DataFrame:
        """Return one attribute of every record that states it, with its harmonized value."""
        roles = [role for role in self._roles if role in self._plan.resolution.roles]
        frame = long_frame(records, self._plan, self._reader, roles, cell=column)
        cells = records.select(pl.col(column).str.strip_chars().alias("value_source"))
        frame = frame.with_columns(cells["value_source"], pl.lit(name).alias("attribute"))
        frame = frame.filter(pl.col("value_source").is_not_null() & (pl.col("value_source") != ""))
        distinct = frame["value_source"].unique()
        answers = self._values(name, distinct)
        return frame.join(answers, on="value_source", how="left", maintain_order="left")

    def _values(self, name: str, texts: pl.Series) -> pl.DataFrame:
        source = pl.col("source").alias("value_source")
        if name in CODES:
            return map_codes(
                texts, CODES[name], self._plan.values.get(name, {}), header=self._columns[name]
            ).select(source, "value", "reason")
        if name in DATES:
            parsed = moments(texts, self._plan, name)
            day = pl.col("at").dt.strftime("%Y-%m-%d")
            length = {"year": 4, "month": 7}
            kept = day.str.slice(
                0, pl.col("precision").replace_strict(length, default=10, return_dtype=pl.Int64)
            )
            return parsed.select(source, kept.alias("value"), "reason")
        if name in AGES:
            return parse_ages(texts).select(source, pl.col("value").cast(pl.String), "reason")
        if name in NUMBER_ATTRIBUTES:
            parsed = parse_results(texts, self._plan.decided("decimal") or ".", self._plan.missing)
            return parsed.select(source, pl.col("value").cast(pl.String), "reason")
        return pl.DataFrame({"value_source": texts, "value": texts}).with_columns(
            pl.lit(None, pl.String).alias("reason")
        )

    def _identified(self, frame: pl.DataFrame) -> pl.DataFrame:
        parts = [text("subject"), "attribute", "value_source"]
        return with_hmac(frame, "record_id", content(parts, self._plan.site, self._plan.feed), self._key)

    def _store(self, fresh: pl.DataFrame, done: Processed) -> None:
        rows = self._identified(fresh).select(
            "record_id",
            "subject_id",
            "attribute",
            "value",
            "value_source",
            pl.lit("current").alias("row_state"),
            ROW,
            LOCATOR,
        )
        done.rows["core.subject_attribute"] = rows
        if "match_set" in self._columns:
            done.rows["core.match_set"] = _pairs(rows)

    def _hold(self, held: pl.DataFrame, done: Processed) -> None:
        if held.is_empty():
            return
        record = self._identified(held).with_columns(
            pl.coalesce("reason_subject", "reason").alias("reason"), pl.col("attribute").alias("measure")
        )
        shaped = held_rows(
            record.with_columns(pl.concat_list("reason").alias("reasons")), [text("subject"), "value_source"]
        )
        # A statement is no candidate: one that stands in many rows is held in each, and is nobody's duplicate.
        stage, comparable = pl.lit("attribute").alias("stage"), pl.lit(value=False).alias("comparable")
        done.held.append(shaped.with_columns(stage, comparable))


def _split(frame: pl.DataFrame, condition: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    return frame.filter(condition), frame.filter(~condition)


def _pairs(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the matched sets that a file states, each subject with its group where the same file gives it."""
    groups = rows.filter(pl.col("attribute") == "cohort_group").select(
        "subject_id", pl.col("value").alias("role")
    )
    sets = rows.filter(pl.col("attribute") == "match_set").select(
        "subject_id", pl.col("value").alias("match_set_id")
    )
    return sets.join(groups.unique("subject_id"), on="subject_id", how="left").with_columns(
        pl.lit("given").alias("source")
    )
