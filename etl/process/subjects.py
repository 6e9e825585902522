"""Subject ids of a table: one pseudonym per distinct identifier, computed once."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from etl.harmonize.identifiers import subject_ids
from etl.plan import ResolvedPlan
from etl.process.identity import FIELD
from etl.process.memo import Memo
from etl.process.roles import text
from warehouse.keys import Keys

_SITE, _KEY = text("source_site"), "subject_key"


class SubjectIds:
    """Attach subject_id and reason_subject to role frames of one plan."""

    def __init__(self, plan: ResolvedPlan, keys: Keys, erased: Iterable[str] = ()) -> None:
        self._issuer = plan.issuer
        self._site = plan.site
        self._id_type = plan.id_type
        self._key = keys.pseudonym
        self.erased = frozenset(erased)
        self._memo = Memo(_KEY, self._compute)

    def attach(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add subject_id (null for none) and reason_subject (no_subject, long_id_rounded or null).

        The number space is the declared issuer's, else that of the row's own site, else the sender's.
        """
        subject = pl.col(text("subject")).fill_null("")
        has_site = self._issuer is None and _SITE in frame.columns
        space = pl.col(_SITE).fill_null(self._site) if has_site else pl.lit(self._issuer or self._site)
        keyed = frame.with_columns(pl.concat_str(space, subject, separator=FIELD).alias(_KEY))
        return self._memo.attach(keyed).drop(_KEY)

    def _compute(self, rows: pl.DataFrame) -> pl.DataFrame:
        parts = rows[_KEY].str.splitn(FIELD, 2).struct.unnest()
        ids = subject_ids(parts["field_1"], self._key, parts["field_0"], self._id_type)
        return rows.select(_KEY).with_columns(ids["subject_id"], ids["reason"].alias("reason_subject"))
