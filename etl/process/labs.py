"""Laboratory rows: from the text of a record to a harmonized result, held with all its reasons, or out of scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl

from etl.harmonize.codes import map_codes
from etl.harmonize.numbers import parse_results
from etl.plan import ResolvedPlan
from etl.process.candidates import Processed, held_rows
from etl.process.cells import placed, result_cells
from etl.process.contexts import CODED, GLUED, PERIOD, ROLES, boundaries, settle_contexts
from etl.process.corrections import note_corrections
from etl.process.identity import FIELD, content, with_hmac
from etl.process.lab_ids import ROW_ROLES, role_texts, with_meeting, with_result_ids
from etl.process.memo import Memo
from etl.process.moments import moments
from etl.process.roles import cleaned, text
from etl.process.standards import FLAG, STANDARD_ROLES, with_standard_flag
from etl.process.subjects import SubjectIds
from etl.readers.base import LOCATOR, ROW, Reader
from schemas.tables import check_rows, lab_result_rules
from warehouse.keys import Keys

LAB_ROLES = (*ROLES, *CODED, *ROW_ROLES, *STANDARD_ROLES)
# Trimmed row by row, because a blank one means something; every other text is trimmed where it is read.
ROW_TRIMMED = ("source_id", "comparator", "source_site", "lab_id", "platform", "method", "flag")
DATES = ("collected_at", "resulted_at")
CODES = {"status": "result_status", "fasting": "fasting"}

# What core.lab_row holds of a result; the rest it shares with many others, and stands once in core.lab_context.
ROW_OUTPUT = (
    "result_id", "subject", "context", "collected_at", "resulted_at", "result_key", "source_token",
    "value_source", "value", ROW, LOCATOR,
)  # fmt: skip
# Needed of a row's context to judge the row itself.
JUDGED = [
    "analyte", "specimen", "factor", "offset", "hard_low", "hard_high", "unit", "unit_canonical", "unit_basis",
    "reason_analyte", "reason_unit", "said",
]  # fmt: skip
# Columns of a result that stand in core.lab_context: those that follow from its texts ...
SETTLED = [
    "analyte", "analyte_source", "code_source", "code_system", "specimen", "specimen_source", "specimen_basis",
    "unit_source", "unit", "unit_basis", "unit_flag", "factor_id", "ref_low", "ref_high", "ref_text", "cell",
]  # fmt: skip
# ... and those that the row itself brings.
BROUGHT = [
    "specimen_quality", "fasting", "collected_precision", "result_status", "comparator", "absent_reason",
    "flag_source", "source_site", "lab_id", "platform", "method", FLAG,
]  # fmt: skip


class LabHarmonizer:
    """Turn role frames of one plan into candidates; keeps what it learned about distinct texts between batches."""

    def __init__(self, plan: ResolvedPlan, reader: Reader, keys: Keys, subjects: SubjectIds) -> None:
        self.cells = result_cells(plan, reader)  # None: the role frames have to bring locators
        self._plan = plan
        self._key = keys.record
        self._subjects = subjects
        self._days = boundaries(plan.declarations)
        self._contexts = Memo("settled_by", self._settle, capacity=None)
        self._shared = Memo("shared", self._share, capacity=None)
        self._values = Memo(text("value"), self._parse_values)
        self._codes = {role: Memo(text(role), self._coder(role)) for role in CODES}
        self._rules = lab_result_rules(plan.latest)

    def harmonize(self, frame: pl.DataFrame) -> Processed:
        """Return the candidates of a role frame (see etl.process.roles), those in scope for judge() to sort out."""
        done = Processed(read=frame.height)
        frame = cleaned(frame, ROW_TRIMMED)
        frame, done.out_of_scope = self._in_scope(self._with_values(self._with_dates(frame)))
        frame = self._subjects.number(frame, with_ids=text("source_id") in frame.columns)
        if erased := self._subjects.erased:
            is_erased = pl.col("subject_id").is_in(list(erased)) & pl.col("reason_analyte").is_null()
            kept = frame.filter(is_erased.not_().fill_null(value=True))
            done.withdrawn = frame.height - kept.height
            frame = kept
        if frame.height:
            done.subjects, done.scoped = self._subjects.fresh(), frame
        return done

    def judge(self, done: Processed) -> None:
        """Sort out what is in scope; it may run beside the next harmonize()."""
        frame, done.scoped = done.scoped, None
        if frame is not None:
            self._sort_out(frame, done)

    def _with_dates(self, frame: pl.DataFrame) -> pl.DataFrame:
        for role in DATES:
            if text(role) not in frame.columns:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(text(role)))
            parsed = moments(frame[text(role)], self._plan, role)
            frame = frame.with_columns(
                parsed["at"].alias(role),
                parsed["precision"].alias(f"{role.removesuffix('_at')}_precision"),
                parsed["reason"].alias(f"reason_{role}"),
            )
        return frame

    def _in_scope(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, Counter[str]]:
        """Attach what each row says besides its number, and leave out, counted by name, what the study does not need.

        The period tells which declarations are in force.
        """
        frame = frame.with_columns(self._period())
        columns = [text(role) for role in (*ROLES, *CODED, *GLUED) if text(role) in frame.columns]
        key = content([*columns, *(["period_text"] if self._days else [])])
        distinct = [*columns, PERIOD, *(["period_text"] if self._days else [])]
        numbered = self._contexts.number_by(frame, distinct, key)
        contexts = self._contexts.answers()
        is_out = (contexts["bucket"] == "out_of_scope").fill_null(value=False)
        rows = numbered.select(pl.col("answer").value_counts()).unnest("answer")
        names = contexts["analyte_source"].fill_null("(code only)")[rows["answer"]]
        counted: Counter[str] = Counter()
        for name, number, is_left in zip(names, rows["count"], is_out[rows["answer"]], strict=True):
            if is_left:
                counted[name] += number
        kept = numbered.filter(~is_out[numbered["answer"]]).rename({"answer": "settled"})
        return kept.hstack(contexts.select(JUDGED)[kept["settled"]]), counted

    def _settle(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Settle contexts, and add `said`, which stands for their texts in the ids of results.

        What a concept says counts as said only where the row's own text says nothing, so that an export keeps its ids
        when its vocabulary comes.
        """
        settled = settle_contexts(rows, self._plan)
        rows = _spoken(rows, settled.select("settled_by", "said_code", "said_unit"))
        texts = content(role_texts(rows, (*ROLES, *GLUED)))
        said = with_hmac(rows, "said", texts, self._key).select("settled_by", "said")
        settled = settled.drop("said_code", "said_unit").join(said, on="settled_by")
        return settled.with_columns(self._cell().alias("cell"))

    def _cell(self) -> pl.Expr:
        """Return the form of each context's cells: in a wide table the header is the analyte's text."""
        if not self.cells or "" in self.cells:
            return pl.lit((self.cells or {}).get(""), pl.String)
        return pl.col("analyte_source").replace_strict(self.cells, default=None, return_dtype=pl.String)

    def _period(self) -> list[pl.Expr]:
        """Return the period of each row's day, and its text; one period for all where no declaration has dates."""
        day = pl.col("collected_at").dt.date()
        behind = [(day >= start).cast(pl.Int32) for start in self._days]
        period = pl.when(day.is_not_null()).then(pl.sum_horizontal(behind)) if behind else pl.lit(0, pl.Int32)
        return [period.alias(PERIOD), *([period.cast(pl.String).alias("period_text")] if behind else [])]

    def _share(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of core.lab_context for distinct combinations of a settled context and what rows bring."""
        shared = rows.select("shared", *BROUGHT).hstack(
            self._contexts.answers().select(SETTLED)[rows["settled"]]
        )
        flags = pl.concat_str("unit_flag", FLAG, separator=",", ignore_nulls=True)
        return shared.with_columns(pl.when(flags != "").then(flags).alias("unit_flag")).drop(FLAG)

    def _with_shared(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add `context`, the number of each row's line in shared_contexts()."""
        brought = [name for name in BROUGHT if frame[name].null_count() < frame.height]
        parts = [pl.col("settled").cast(pl.String)]
        for name in brought:
            parts += [pl.lit(f"{name}="), pl.col(name).cast(pl.String).fill_null("")]
        key = pl.concat_str(parts, separator=FIELD)
        return self._shared.number_by(frame, ["settled", *BROUGHT], key).rename({"answer": "context"})

    def _parse_values(self, rows: pl.DataFrame) -> pl.DataFrame:
        parsed = parse_results(rows[text("value")], self._plan.decided("decimal") or ".", self._plan.missing)
        return parsed.select(
            pl.col("source").alias(text("value")),
            pl.col("value").alias("number"),
            pl.col("comparator"),
            pl.col("flag_source").alias("flag_glued"),
            pl.col("ref_text").alias(text("ref_glued")),
            pl.col("unit_text").alias(text("unit_glued")),
            pl.col("absent_reason"),
            pl.col("specimen_quality"),
            pl.col("reason").alias("reason_number"),
        )

    def _coder(self, role: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
        extra = self._plan.values.get(role, {})
        header = self._plan.resolution.roles.get(role, "")

        def compute(rows: pl.DataFrame) -> pl.DataFrame:
            mapped = map_codes(rows[text(role)], CODES[role], extra, header=header)
            return mapped.select(pl.col("source").alias(text(role)), pl.col("value").alias(CODES[role]))

        return compute

    def _with_values(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Attach the number, the status and the fasting state; an empty or cancelled result has no number."""
        if text("comparator") in frame.columns:
            joined = pl.concat_str([text("comparator"), text("value")], ignore_nulls=True)
            frame = frame.with_columns(
                pl.when(pl.col(text("value")).is_not_null()).then(joined).alias(text("value"))
            )
        frame = self._values.attach(frame)
        for role, name in CODES.items():
            if text(role) in frame.columns:
                frame = self._codes[role].attach(frame)
            else:
                frame = frame.with_columns(pl.lit(None, pl.String).alias(name))
        return frame.with_columns(
            pl.when(pl.col("result_status") == "cancelled")
            .then(pl.lit("cancelled"))
            .otherwise(pl.col("absent_reason"))
            .alias("absent_reason")
        )

    def _sort_out(self, frame: pl.DataFrame, done: Processed) -> None:
        """Split into accepted and held, with every reason of a candidate in one pass."""
        shaped = with_standard_flag(self._shaped(frame))
        frame = with_result_ids(shaped, self._plan, self._key).with_row_index("index")
        note_corrections(frame, "result_id", done)
        broken = check_rows(self._rules, frame).group_by("index").agg(pl.col("reason").alias("broken_rules"))
        is_suspect = _is_suspect() | pl.col("index").is_in(broken["index"].implode())
        held = frame.filter(is_suspect).join(broken, on="index", how="left").with_columns(_reasons())
        held = held.filter(pl.col("reasons").list.len() > 0)
        accepted = (
            frame.join(held.select("index"), on="index", how="anti", maintain_order="left")
            if held.height
            else frame
        )
        if accepted.height:
            numbered = self._with_shared(accepted)
            kept = [name for name in ROW_OUTPUT if name in numbered.columns]
            done.results = with_meeting(numbered).select(*kept, "meeting", "is_first")
            done.contexts = self._shared.answers()
        if held.height:
            originals = [text(role) for role in LAB_ROLES if text(role) in held.columns]
            record = self._located(held).with_columns(
                pl.col("result_id").alias("record_id"),
                pl.coalesce(
                    "analyte", *(name for name in [text("analyte"), text("code")] if name in held.columns)
                ).alias("measure"),
            )
            done.held.append(held_rows(record, originals))

    def _located(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Write each row's locator out, where it only has a form."""
        if LOCATOR in frame.columns:
            return frame
        forms = self._contexts.answers()["cell"][frame["settled"]]
        return frame.with_columns(forms).with_columns(placed(pl.col("cell")).alias(LOCATOR))

    def _shaped(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Turn numbers into canonical units and name the columns as core.lab_result does."""
        is_absent = pl.col("absent_reason").is_not_null()
        converted = (pl.col("number") * pl.col("factor") + pl.col("offset")).fill_nan(None)
        carried = [
            (pl.col(text(role)) if text(role) in frame.columns else pl.lit(None, pl.String)).alias(role)
            for role in ("source_site", "lab_id", "platform", "method")
        ]
        flags = [name for name in (text("flag"), "flag_glued") if name in frame.columns]
        return frame.with_columns(
            pl.col(text("value")).alias("value_source"),
            pl.when(~is_absent).then(converted).alias("value"),
            pl.when(~is_absent).then(pl.col("comparator")).alias("comparator"),
            pl.coalesce(flags).alias("flag_source"),
            (pl.col("fasting") == "yes").alias("fasting"),
            *carried,
        )


def _spoken(rows: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    """Put the code and the unit of a concept where they speak for a row, in the columns of its texts."""
    rows = rows.join(said, on="settled_by", how="left")
    places = {text("code"): "said_code", text("unit"): "said_unit"}
    heard = {place: name for place, name in places.items() if rows[name].null_count() < rows.height}
    return rows.with_columns(
        pl.coalesce(name, *([place] if place in rows.columns else [])).alias(place)
        for place, name in heard.items()
    )


STEPS = ("analyte", "subject", "collected_at", "resulted_at", "number", "unit")


def _is_suspect() -> pl.Expr:
    """Tell whether any step found a reason; lists of reasons are built for these rows only."""
    return pl.any_horizontal(pl.col(f"reason_{step}").is_not_null() for step in STEPS)


def _reasons() -> pl.Expr:
    """All reasons of a candidate; a record without a known name or subject is judged no further.

    A result that is absent needs no number and no unit, but a date that cannot be read would be lost with it.
    """
    first = pl.coalesce("reason_analyte", "reason_subject")
    judged = ["reason_number", "reason_unit"]
    values = [pl.when(pl.col("absent_reason").is_null()).then(pl.col(name)) for name in judged]
    steps = pl.concat_list("reason_collected_at", "reason_resulted_at", *values)
    every = (
        pl.concat_list(steps, pl.col("broken_rules").fill_null([]))
        .list.drop_nulls()
        .list.unique(maintain_order=True)
    )
    return pl.when(first.is_not_null()).then(pl.concat_list(first)).otherwise(every).alias("reasons")
