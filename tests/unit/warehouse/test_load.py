"""The load contract at the level of the warehouse: states, duplicates, leaving files, both identities."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from schemas.errors import ReconciliationError, WarehouseDamaged
from warehouse.connection import LARGE, open_warehouse, save_memory, transaction
from warehouse.counts import Counts
from warehouse.digest import content_digest
from warehouse.errors import guarded
from warehouse.keys import Keys, key_path, load_keys
from warehouse.leave import compare_delivery, remember_delivery, remove_file
from warehouse.load import Detail, FileLoad, FileSpec
from warehouse.repeats import Seen
from warehouse.verify import unbalanced_loads

KEYS = Keys(b"k" * 32)
DRAWN = datetime(2021, 3, 5, 8, 12)


@pytest.fixture
def connection(tmp_path: Path):
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def result(number: int, **given: object) -> dict[str, object]:
    """One accepted result; `number` makes its content, and so its id, its own."""
    row = {
        "result_id": f"{number:032x}", "subject_id": "s1", "analyte": "vitamin_b12", "specimen": "serum",
        "collected_at": DRAWN, "collected_precision": "minute", "resulted_at": None, "result_key": None,
        "result_status": "final", "row_state": "current", "value": 200.0, "comparator": None,
        "row_number": number, "locator": f"L{number}/C1",
    }  # fmt: skip
    return {**row, **given}


SCHEMA = {
    "result_id": pl.String, "subject_id": pl.String, "analyte": pl.String, "specimen": pl.String,
    "collected_at": pl.Datetime("us"), "collected_precision": pl.String, "resulted_at": pl.Datetime("us"),
    "result_key": pl.String, "result_status": pl.String, "row_state": pl.String, "value": pl.Float64,
    "comparator": pl.String, "row_number": pl.Int64, "locator": pl.String,
}  # fmt: skip


SUBJECTS = {"subject": pl.UInt32, "subject_id": pl.String}
OWN = (
    "result_id",
    "subject_id",
    "collected_at",
    "resulted_at",
    "result_key",
    "row_state",
    "value",
    "row_number",
    "locator",
)


def split(rows: list[dict[str, object]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the last row as core.lab_row has it, and the contexts of all rows so far; a subject for each row."""
    frame = pl.DataFrame(rows, schema=SCHEMA)
    met = pl.coalesce(
        "result_key", pl.when(pl.col("collected_precision") == "minute").then(pl.lit("drawn"))
    ).hash()
    meeting = pl.when(met.is_not_null()).then(met).otherwise(pl.col("result_id").hash()).alias("meeting")
    at = pl.lit(len(rows) - 1, pl.UInt32)
    last = frame.select(*OWN, meeting, is_first=True)[-1].with_columns(
        at.alias("context"), at.alias("subject")
    )
    return last.drop("subject_id"), frame.drop(OWN)


def load(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    rows: list[dict[str, object]],
    read: int | None = None,
    feed: str = "labs",
) -> Counts:
    spec = FileSpec(
        file_id=f"file-{name}", load_id=f"load-{name}", run_id="r", site="north", feed=feed, sha256=name, size_bytes=1,
        format="delimited", encoding="utf-8", name=name, delivery="increment", plan_digest="p", plan={},
    )  # fmt: skip
    with transaction(connection):
        loading = FileLoad(connection, spec, KEYS.seal)
        for at in range(len(rows)):  # one batch a row: batches must not matter
            loading.add_subjects(
                pl.DataFrame({"subject": [at], "subject_id": [rows[at]["subject_id"]]}, schema=SUBJECTS)
            )
            loading.add_results(*split(rows[: at + 1]))
        counts = Counts(lines=None, records=len(rows), read=len(rows) if read is None else read)
        return loading.finish(counts, Detail())


def states(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = connection.execute("select result_status, row_state from core.lab_result").fetchall()
    return dict(rows)


VERSIONS = [
    result(1, result_status="preliminary", result_key="a" * 32, value=190.0),
    result(2, result_status="final", result_key="a" * 32, value=200.0, resulted_at=datetime(2021, 3, 5, 12)),
    result(3, result_status="corrected", result_key="a" * 32, value=210.0, resulted_at=datetime(2021, 3, 6)),
    result(4, result_status="cancelled", result_key="a" * 32, value=None, resulted_at=datetime(2021, 3, 4)),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
def test_every_order_of_versions_ends_in_the_same_state(connection, order) -> None:
    """Cancelled outranks corrected, final and preliminary, whatever came first (the contract's rank)."""
    for at in order:
        load(connection, str(at), [VERSIONS[at]])
    assert states(connection) == {
        "preliminary": "superseded", "final": "superseded", "corrected": "superseded", "cancelled": "current",
    }  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_versions_in_one_file_count_as_superseded(connection, order) -> None:
    counts = load(connection, "all", [VERSIONS[at] for at in order])
    assert (counts.accepted, counts.superseded) == (1, 2)
    assert states(connection) == {"preliminary": "superseded", "final": "superseded", "corrected": "current"}


def conflicts(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute("select value, row_state from core.lab_result order by value").fetchall()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=str)
def test_versions_that_nothing_ranks_conflict(connection, order) -> None:
    """A corrected delivery without status or time of result: which value came last is not for a hash to say."""
    versions = [result(1, result_key="a" * 32, value=200.0), result(2, result_key="a" * 32, value=900.0)]
    for at in order:
        load(connection, str(at), [versions[at]])
    assert conflicts(connection) == [(200.0, "conflicting"), (900.0, "conflicting")]
    later = result(3, result_key="a" * 32, value=910.0, resulted_at=datetime(2021, 3, 6))
    load(connection, "later", [later])
    assert conflicts(connection) == [(200.0, "superseded"), (900.0, "superseded"), (910.0, "current")]


def test_one_number_for_two_subjects_conflicts(connection) -> None:
    for name in ("s1", "s2"):
        load(connection, name, [result(int(name[1]), result_key="a" * 32, subject_id=name)])
    assert conflicts(connection) == [(200.0, "conflicting"), (200.0, "conflicting")]


@pytest.mark.parametrize(("other", "state"), [("s1", "conflicting"), ("s2", "current")])
def test_results_of_one_subject_and_minute_conflict_across_feeds(connection, other, state) -> None:
    load(connection, "labs", [result(1, value=200.0)])
    load(connection, "wards", [result(2, value=900.0, subject_id=other)], feed="wards")
    assert conflicts(connection) == [(200.0, state), (900.0, state)]


def test_a_value_takes_the_place_of_a_pending_one(connection) -> None:
    load(connection, "a", [result(9, result_key="a" * 32, value=None)])
    load(
        connection,
        "b",
        [result(2, result_key="a" * 32, value=200.0), result(3, result_key="a" * 32, value=200.0)],
    )
    assert conflicts(connection) == [(200.0, "superseded"), (200.0, "current"), (None, "superseded")]


def test_entered_in_error_supersedes_what_comes_later(connection) -> None:
    load(connection, "a", [result(1, result_status="entered_in_error", result_key="a" * 32)])
    load(connection, "b", [result(2, result_status="corrected", result_key="a" * 32)])
    assert states(connection) == {"entered_in_error": "current", "corrected": "superseded"}


def test_different_values_of_one_minute_conflict_and_settle_when_one_leaves(connection) -> None:
    load(connection, "a", [result(1, value=200.0)])
    counts = load(connection, "b", [result(2, value=300.0)])
    assert counts.accepted == 1
    assert {state for (state,) in connection.execute("select row_state from core.lab_result").fetchall()} == {
        "conflicting"
    }
    with transaction(connection):
        remove_file(connection, "file-b", "x", "withdrawn")
    assert connection.execute("select value, row_state from core.lab_result").fetchall() == [
        (200.0, "current")
    ]


def test_equal_values_and_days_do_not_conflict(connection) -> None:
    load(connection, "a", [result(1), result(2, value=200.0)])
    load(
        connection,
        "b",
        [result(3, value=1.0, collected_precision="day"), result(4, value=2.0, collected_precision="day")],
    )
    assert {state for (state,) in connection.execute("select row_state from core.lab_result").fetchall()} == {
        "current"
    }


def test_a_duplicate_takes_the_place_of_a_row_that_leaves(connection) -> None:
    load(connection, "a", [result(1)])
    counts = load(connection, "b", [result(1, row_number=7, locator="L7/C1"), result(2)])
    assert (counts.duplicate, counts.accepted) == (1, 1)
    assert not unbalanced_loads(connection)
    digest = content_digest(connection)
    with transaction(connection):
        remove_file(connection, "file-a", "x", "replaced")
    rows = connection.execute("select file_id, row_number from core.lab_result order by all").fetchall()
    assert rows == [("file-b", 2), ("file-b", 7)]
    assert content_digest(connection) == digest
    assert not unbalanced_loads(connection)


def test_repeats_inside_a_file_keep_the_first_row(connection) -> None:
    counts = load(
        connection, "a", [result(1, row_number=3, locator="L3/C1"), result(1, row_number=9, locator="L9/C1")]
    )
    assert (counts.accepted, counts.duplicate) == (1, 1)
    assert connection.execute("select row_number from core.lab_result").fetchall() == [(3,)]


def test_what_came_before_is_always_known_again_and_what_did_not_seldom_taken_for_it() -> None:
    rows, batch = 1 << 19, 1 << 12
    seen = Seen(rows, least=64)  # 2^22 bits in words of 64, three for each number
    numbers = pl.Series(range(rows)).cast(pl.String).hash(seed=7).to_numpy()
    known = np.concatenate([seen.again(numbers[at : at + batch]) for at in range(0, rows, batch)])
    # In a word that holds n numbers, 1 - 3 (63/64)^3n + 3 (62/64)^3n - (61/64)^3n; n is a Poisson number of mean 7.2 to 8
    # in the last tenth, which gives 0.031, and of 0 to 8 over all: 0.010.
    assert 0.028 < known[-rows // 10 :].mean() < 0.034
    assert known.mean() < 0.012
    assert seen.again(numbers[:200_000:1000]).all()


def test_a_doubtful_row_that_repeats_none_is_loaded(connection, monkeypatch) -> None:
    """A filter may suspect every row; the comparison acquits them."""
    monkeypatch.setattr(Seen, "again", lambda _, numbers: np.ones(len(numbers), np.bool_))
    counts = load(connection, "a", [result(at, row_number=at) for at in (1, 2, 3, 4, 5, 2, 6, 3)])
    assert (counts.accepted, counts.duplicate) == (6, 2)
    assert not unbalanced_loads(connection)


def test_counts_that_do_not_balance_load_nothing(connection) -> None:
    with pytest.raises(ReconciliationError, match="3 read, 1 accounted"):
        load(connection, "a", [result(1)], read=3)
    assert connection.execute("select count(*) from core.lab_result").fetchone() == (0,)
    assert connection.execute("select count(*) from meta.load").fetchone() == (0,)


def test_a_snapshot_reports_what_changed(connection) -> None:
    later = datetime(2021, 4, 1, 9, 0)
    load(connection, "old", [result(1), result(2, collected_at=later), result(3, subject_id="gone")])
    with transaction(connection):
        remember_delivery(connection, "north", "labs")
        remove_file(connection, "file-old", "x", "withdrawn")
    load(
        connection, "new", [result(1), result(4, collected_at=later, value=1.0), result(5, subject_id="come")]
    )
    change = compare_delivery(connection, "north", "labs")
    assert vars(change) == {"unchanged": 1, "changed": 1, "vanished": 1, "new": 1}


def test_the_digest_ignores_order_and_place_but_not_values(tmp_path) -> None:
    digests = []
    for at, rows in enumerate(
        (
            [result(1), result(2, value=1.0)],
            [result(2, value=1.0, row_number=5), result(1)],
            [result(1), result(2)],
        )
    ):
        with open_warehouse(tmp_path / f"{at}.duckdb") as opened:
            load(opened, "a", rows)
            digests.append(content_digest(opened))
    assert digests[0] == digests[1] != digests[2]


def test_another_key_is_noticed(tmp_path) -> None:
    path = tmp_path / "w.duckdb"
    with open_warehouse(path) as opened:
        load_keys(path, opened)
        assert key_path(path).stat().st_mode & 0o777 == 0o600
        key_path(path).unlink()
        with pytest.raises(WarehouseDamaged, match="missing"):
            load_keys(path, opened)
        key_path(path).write_bytes(b"a" * 44)
        with pytest.raises(WarehouseDamaged, match="not the key"):
            load_keys(path, opened)


def test_the_memory_of_a_large_load_is_given_back(connection) -> None:
    """After an error too, when the transaction takes no statement any more."""

    def limit() -> str:
        return connection.execute("select current_setting('memory_limit')").fetchone()[0]

    def fail() -> None:
        with transaction(connection, records=LARGE + 1):
            save_memory(connection)
            assert limit() != usual
            connection.execute("select 'x'::integer")

    usual = limit()
    with pytest.raises(duckdb.Error):
        fail()
    assert limit() == usual


def test_a_query_that_needs_more_memory_is_no_bug(connection, tmp_path: Path) -> None:
    connection.execute("set memory_limit = '1MB'; set temp_directory = ''")
    with pytest.raises(MemoryError), guarded(tmp_path):
        connection.execute("select list(range order by range) from range(10_000_000)").fetchall()
