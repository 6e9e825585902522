"""Load one file: every candidate lands in exactly one bucket, or nothing of the file lands at all.

The caller opens the transaction. Rows stream in batch by batch; duplicates, row states and counts follow by query.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import duckdb
import polars as pl

from warehouse import corrections, decisions, duplicates, states
from warehouse.connection import LARGE, make_room, save_memory
from warehouse.counts import Counts, reconcile
from warehouse.ledger import now
from warehouse.repeats import Repeats
from warehouse.seal import seal

# Tables whose rows are candidates, with the column that carries the candidate's record id.
CANDIDATE_TABLES = {
    "core.lab_row": "result_id",
    "core.response": "record_id",
    "core.condition": "record_id",
    "core.medication": "record_id",
}

IDS = frozenset({"result_id", "record_id", "corrects", "result_key", "source_token", "administration_id"})
_SUBJECTS = """
    select count(distinct subject_id) from (
        select subject_id from core.lab_subject
        where subject_no in (select distinct subject_no from core.lab_row where file_id = ?)
        union all
        select subject_id from core.response where file_id = ?
        union all
        select subject_id from core.condition where file_id = ?
        union all
        select subject_id from core.medication where file_id = ?
        union all
        select subject_id from core.subject_attribute where file_id = ?
    )
"""
# Rows that several files share: the first stays.
SHARED = {"core.administration": "administration_id"}


@dataclass(frozen=True)
class FileSpec:
    """What is known of a file before its rows are."""

    file_id: str
    load_id: str
    run_id: str
    site: str
    feed: str
    sha256: str
    size_bytes: int
    format: str
    encoding: str | None
    name: str
    delivery: str
    plan_digest: str
    plan: dict[str, Any]
    records: int = 0  # about how many results to expect
    timezone: str | None = None
    decisions: tuple[tuple[str, str | None, str, str], ...] = ()  # about, value, basis, evidence as JSON


@dataclass
class Detail:
    """Names and reasons behind the counts; names of analytes and columns, never cells."""

    reasons: Counter[str] = field(default_factory=Counter)
    out_of_scope_names: Counter[str] = field(default_factory=Counter)
    structural: dict[str, int] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    resembling: dict[str, str] = field(default_factory=dict)
    subjects: int = 0
    absent_columns: list[str] = field(default_factory=list)
    corrections: dict[str, int] = field(default_factory=dict)  # outcome -> rows of a corrected copy


class FileLoad:
    """The load of one file inside the caller's transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, spec: FileSpec, seal_key: bytes) -> None:
        self._connection = connection
        self._spec = spec
        self._seal_key = seal_key
        self._known: dict[str, frozenset[str]] = {}
        self._repeats = Repeats(spec.records)
        self._to_compare = 0  # rows of the file that may repeat one another
        if spec.records > LARGE:
            save_memory(connection)
        self._contexts = 0  # lines of the file's contexts that are stored
        self._first_context = 1 + _number(
            connection, "select coalesce(max(context_id), 0) from core.lab_context"
        )
        self._first_subject = 1 + _number(
            connection, "select coalesce(max(subject_no), 0) from core.lab_subject"
        )

    def add_subjects(self, subjects: pl.DataFrame) -> None:
        """Append subjects of laboratory results: subject, the number that rows name them by, and subject_id."""
        number = (pl.col("subject") + self._first_subject).cast(pl.UInt32).alias("subject_no")
        self.add("core.lab_subject", subjects.select(number, "subject_id"))

    def add_results(self, rows: pl.DataFrame, contexts: pl.DataFrame) -> None:
        """Append laboratory results.

        rows: columns of core.lab_row, but `context` for context_id and `subject` for subject_no, and beside them what
        Repeats.divide() needs; contexts: all so far.
        """
        spec, first = self._spec, self._first_context
        fresh = contexts[self._contexts :].with_row_index("line", self._contexts)
        if fresh.height:
            constants: dict[str, str | None] = {
                "load_id": spec.load_id,
                "site": spec.site,
                "feed": spec.feed,
                "run_id": spec.run_id,
            }
            constants |= {"tz_source": spec.timezone, "method_kind": "reported"}
            known = pl.lit(first, pl.UInt32) + pl.col("line")
            self.add("core.lab_context", fresh.select(
                known.alias("context_id"), pl.exclude("line"),
                *(pl.lit(value, pl.String).alias(name) for name, value in constants.items()),
            ))  # fmt: skip
            self._contexts = contexts.height
        placed = (pl.col("context") + first).cast(pl.UInt32).alias("context_id")
        subject = (pl.col("subject") + self._first_subject).cast(pl.UInt32).alias("subject_no")
        fresh, doubtful = self._repeats.divide(rows.with_columns(placed, subject).drop("context", "subject"))
        self.add("core.lab_row", fresh)
        if doubtful.height:
            self._known[duplicates.DOUBTFUL] = duplicates.make_doubtful(
                self._connection, self._columns("core.lab_row")
            )
            self.add(duplicates.DOUBTFUL, doubtful)

    def add(self, table: str, rows: pl.DataFrame) -> None:
        """Append rows to a core table; ids come as 32 hex digits, and constants of the file are filled in here."""
        if rows.is_empty():
            return
        self._to_compare += rows.height if table in duplicates.COMPARED else 0
        kept = ", ".join(f"unhex({name})::uuid as {name}" if name in IDS else name for name in rows.columns)
        spec = self._spec
        constants = {"site": spec.site, "feed": spec.feed, "file_id": spec.file_id, "run_id": spec.run_id}
        constants |= {"row_state": "current"}
        known = self._columns(table)
        filled = {
            name: value for name, value in constants.items() if name in known and name not in rows.columns
        }
        extra = "".join(f", ? as {name}" for name in filled)
        shared = SHARED.get(table)
        unless = f"where {shared}::uuid not in (select {shared} from {table})" if shared else ""
        # `rows` is read from this frame by name: register() would keep every batch alive until the end (duckdb 2.0).
        self._connection.execute(
            f"insert into {table} by name select {kept}{extra} from rows {unless}", list(filled.values())
        )

    def _columns(self, table: str) -> frozenset[str]:
        if table not in self._known:
            empty = self._connection.execute(f"select * from {table} limit 0")
            self._known[table] = frozenset(column[0] for column in empty.description or ())
        return self._known[table]

    def hold(self, rows: pl.DataFrame) -> None:
        """Append held candidates: record_id, row_number, locator, stage, reasons, measure, comparable, raw (bytes)."""
        if rows.is_empty():
            return
        sealed = pl.Series("raw_sealed", seal(self._seal_key, rows["raw"]), dtype=pl.Binary)
        held = rows.drop("raw").with_columns(
            sealed, pl.lit("open").alias("status"), pl.lit(now()).alias("first_seen_at")
        )
        self.add("quarantine.record", held)

    def finish(self, counts: Counts, detail: Detail) -> Counts:
        """Find duplicates, settle row states, count the buckets, reconcile and record the load.

        Raises ReconciliationError when an identity does not hold; the caller's transaction then rolls back.
        """
        spec = self._spec
        place = (spec.file_id, spec.site, spec.feed)
        meeting = self._repeats.meeting_rows()
        among_feed = duplicates.has_others(self._connection, place)
        among_others = among_feed or states.has_others(self._connection, self._first_subject)
        if among_others or meeting is None or self._to_compare + len(meeting) > LARGE:
            make_room(self._connection)
        has_doubtful = duplicates.DOUBTFUL in self._known
        duplicates.give_back(self._connection, spec.file_id, has_doubtful=has_doubtful)
        if has_doubtful:
            counts.duplicate = duplicates.settle_doubtful(self._connection, place)
        # Not before: a repeat that waited would take the place of what was waived.
        decisions.keep_waived(self._connection, spec.file_id)
        counts.duplicate += duplicates.set_aside(self._connection, place, among_others=among_feed)
        states.settle(self._connection, spec.file_id, meeting, among_others=among_others)
        corrections.settle(self._connection)
        self._count(counts, detail)
        reconcile(counts, spec.name)
        self._record(counts, detail)
        make_room(self._connection)
        return counts

    def _count(self, counts: Counts, detail: Detail) -> None:
        for table in CANDIDATE_TABLES:
            rows = self._connection.execute(
                f"select row_state = 'superseded', count(*) from {table} where file_id = ? group by all",
                [self._spec.file_id],
            ).fetchall()
            for is_superseded, number in rows:
                if is_superseded:
                    counts.superseded += number
                else:
                    counts.accepted += number
        counts.held = _number(
            self._connection,
            "select count(*) from quarantine.record where file_id = ? and stage <> 'attribute'",
            self._spec.file_id,
        )
        counts.attributes_stored = sum(
            _number(self._connection, f"select count(*) from {table} where file_id = ?", self._spec.file_id)
            for table in ("core.subject_attribute", "core.subject_link")
        )
        detail.subjects = _number(self._connection, _SUBJECTS, *[self._spec.file_id] * 5)
        held_reasons = self._connection.execute(
            """
            select reason, count(*) from quarantine.record, unnest(reasons) as held(reason)
            where file_id = ? group by reason order by reason
            """,
            [self._spec.file_id],
        ).fetchall()
        detail.reasons = Counter(dict(held_reasons))
        detail.corrections = corrections.count(self._connection, self._spec.file_id)

    def _record(self, counts: Counts, detail: Detail) -> None:
        spec, moment = self._spec, now()
        known = _number(
            self._connection, "select count(*) from meta.source_file where file_id = ?", spec.file_id
        )
        if not known:
            sealed_name = seal(self._seal_key, [spec.name.encode()])[0]
            self._connection.execute(
                "insert into meta.source_file values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [spec.file_id, spec.site, spec.feed, spec.sha256, spec.size_bytes, spec.format, spec.encoding,
                 sealed_name, moment],
            )  # fmt: skip
        row = {
            "load_id": spec.load_id,
            "file_id": spec.file_id,
            "run_id": spec.run_id,
            "site": spec.site,
            "feed": spec.feed,
            "plan_digest": spec.plan_digest,
            "plan": json.dumps(spec.plan, ensure_ascii=False),
            "status": "active",
            "delivery": spec.delivery,
            "loaded_at": moment,
            **vars(counts),
            "detail": json.dumps(vars(detail), ensure_ascii=False),
        }
        marks = ", ".join("?" for _ in row)
        self._connection.execute(
            f"insert into meta.load ({', '.join(row)}) values ({marks})", list(row.values())
        )
        for decision in spec.decisions:
            values = [spec.load_id, spec.file_id, *decision]
            self._connection.execute("insert into meta.column_decision values (?, ?, ?, ?, ?, ?)", values)


def _number(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> int:
    row = connection.execute(query, list(values)).fetchone()
    return int(row[0]) if row else 0
