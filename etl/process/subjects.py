"""Subject ids of a table: one pseudonym per distinct identifier, computed once."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from etl.harmonize.identifiers import subject_ids
from etl.plan import ResolvedPlan
from etl.process.identity import FIELD
from etl.process.memo import Memo
from etl.process.roles import text
from schemas.tables import check_rows, subject_rules
from warehouse.keys import Keys

_SITE, _KEY = text("source_site"), "subject_key"


class SubjectIds:
    """Attach subject_id and reason_subject to role frames of one plan."""

    def __init__(self, plan: ResolvedPlan, keys: Keys, erased: Iterable[str] = ()) -> None:
        mapped = {*plan.resolution.roles, *plan.resolution.constants}
        self._has_site = plan.issuer is None and "source_site" in mapped
        self._space = plan.issuer or plan.site
        self._id_type = plan.id_type
        self._key = keys.pseudonym
        self.erased = frozenset(erased)
        self._memo = Memo(_KEY, self._compute)
        self._told = 0

    def attach(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add subject_id (null for none) and reason_subject (no_subject, long_id_rounded or null).

        The number space is the declared issuer's, else that of the row's own site, else the sender's.
        """
        return self._memo.answer(self._number(frame), ["subject_id", "reason_subject"])

    def number(self, frame: pl.DataFrame, *, with_ids: bool) -> pl.DataFrame:
        """Add subject, the number of each row's subject, subject_hash, which equal ids share, and reason_subject.

        A number for each of millions of rows takes a fraction of the time and the place of an id, which with_ids adds.
        One subject has several numbers if its identifier is written in several ways.
        """
        numbered = self._number(frame)
        subject = (numbered["answer"] + self._memo.forgotten).cast(pl.UInt32).alias("subject")
        ids = ["subject_id"] if with_ids or self.erased else []
        return self._memo.answer(numbered, ["subject_hash", "reason_subject", *ids]).with_columns(subject)

    def fresh(self) -> pl.DataFrame:
        """Return subject and subject_id of the numbers that came since this was last asked."""
        first = self._memo.forgotten
        known = self._memo.answers().with_row_index("subject", first)[max(self._told - first, 0) :]
        self._told = first + self._memo.answers().height
        is_kept = pl.col("subject_id").is_not_null() & ~pl.col("subject_id").is_in(list(self.erased))
        return known.filter(is_kept).select("subject", "subject_id")

    def _number(self, frame: pl.DataFrame) -> pl.DataFrame:
        key = pl.col(text("subject")).fill_null("")
        if self._has_site:
            key = pl.concat_str(pl.col(_SITE).fill_null(self._space), key, separator=FIELD)
        return self._memo.number(frame.with_columns(key.alias(_KEY))).drop(_KEY)

    def _compute(self, rows: pl.DataFrame) -> pl.DataFrame:
        texts, spaces = rows[_KEY], pl.repeat(self._space, rows.height, eager=True)
        if self._has_site:
            parts = texts.str.splitn(FIELD, 2).struct.unnest()
            spaces, texts = parts["field_0"], parts["field_1"]
        found = subject_ids(texts, self._key, spaces, self._id_type).with_row_index("index")
        broken = pl.col("index").is_in(check_rows(subject_rules(), found)["index"].implode())
        return rows.select(_KEY).hstack(
            found.select(
                "subject_id",
                pl.col("subject_id").hash().alias("subject_hash"),
                pl.when(broken).then(pl.lit("no_subject")).otherwise("reason").alias("reason_subject"),
            )
        )
