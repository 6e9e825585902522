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
        mapped = {*plan.resolution.roles, *plan.resolution.constants}
        self._has_site = plan.issuer is None and "source_site" in mapped
        self._space = plan.issuer or plan.site
        self._id_type = plan.id_type
        self._key = keys.pseudonym
        self.erased = frozenset(erased)
        self._memo = Memo(_KEY, self._compute)

    def attach(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add subject_id (null for none) and reason_subject (no_subject, long_id_rounded or null).

        The number space is the declared issuer's, else that of the row's own site, else the sender's.
        """
        key = pl.col(text("subject")).fill_null("")
        if self._has_site:
            key = pl.concat_str(pl.col(_SITE).fill_null(self._space), key, separator=FIELD)
        return self._memo.attach(frame.with_columns(key.alias(_KEY))).drop(_KEY)

    def _compute(self, rows: pl.DataFrame) -> pl.DataFrame:
        texts, spaces = rows[_KEY], pl.repeat(self._space, rows.height, eager=True)
        if self._has_site:
            parts = texts.str.splitn(FIELD, 2).struct.unnest()
            spaces, texts = parts["field_0"], parts["field_1"]
        ids = subject_ids(texts, self._key, spaces, self._id_type)
        return rows.select(_KEY).with_columns(ids["subject_id"], ids["reason"].alias("reason_subject"))
