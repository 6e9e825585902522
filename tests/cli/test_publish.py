"""A published copy is read while another process holds the warehouse; the lock is a real one, of another process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from etl.publish import publish
from etl.study import ready_views
from schemas.errors import ReconciliationError, WarehouseLocked
from warehouse.published import published_path, readable, write_copy

HOLD = "import duckdb, sys; c = duckdb.connect('w.duckdb'); print(1, flush=True); sys.stdin.read()"
HEADER = "patient_id,sex,test,result,unit,collected\n"
COUNT = "select count(*) as n from core.lab_result"
MART = "select count(distinct subject_id) as n from mart.b12_status"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Let another process hold the warehouse as a writer does."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield
    finally:
        holder.communicate()


def load(place, subject: int) -> None:
    report = place.ingest(
        place.write(
            f"{subject}.csv",
            f"{HEADER}P{subject},F,Vitamin B12,310,pg/mL,2021-03-05\nP{subject},F,Vitamin B12,x{subject}x,pg/mL,2021-03-06\n",
        )
    )
    assert report.exit_code() == 0


@pytest.fixture
def published(place):
    """A warehouse with one result in its published copy, and a second one that came later."""
    load(place, 1)
    publish(place.warehouse)
    load(place, 2)
    return place


def test_commands_that_read_use_the_copy_while_it_is_locked_and_say_so(etl, published) -> None:
    free = etl("sql", COUNT, "-w", "w.duckdb", "--json")
    assert (json.loads(free.out), free.err) == ([{"n": 2}], "")
    with held(published.folder):
        ran = etl("sql", MART, "-w", "w.duckdb", "--json")
        assert (ran.code, json.loads(ran.out)) == (0, [{"n": 1}])
        assert "w.duckdb is in use by another process: this is its published copy of 2" in ran.err
        status = etl("status", "-w", "w.duckdb", "--json")
        assert [feed["accepted"] for feed in json.loads(status.out)["feeds"]] == [1]
        named = etl("query", "loads", "-w", "w.duckdb", "--json")
        assert len(json.loads(named.out)) == 1
        assert "published copy" in status.err
        assert "published copy" in named.err
        assert "published copy" in etl("report", "-w", "w.duckdb").err
        record, subject = (
            etl("sql", f"select {column} from {table}", "-w", "w.duckdb", "--format", "csv").out.split()[1]
            for column, table in (("record_id", "quarantine.record"), ("subject_id", "core.lab_result"))
        )
        for command in (
            f"quarantine show {record}", "quarantine list", "quarantine explain bad_number", f"subject show {subject}",
            f"trace {record}", "units unknown", "units declarations", "units suspicions",
        ):  # fmt: skip
            read = etl(*command.split(), "-w", "w.duckdb")
            assert (read.code, "published copy" in read.err) == (0, True), command
        for command in (f"quarantine show {record} --reveal", "quarantine names --reveal", "rebuild"):
            assert etl(*command.split(), "-w", "w.duckdb").code == 4, (
                command
            )  # what is recorded needs the warehouse
        assert etl("publish", "-w", "w.duckdb").code == 4


def test_a_locked_warehouse_that_was_never_published_says_what_to_do(place) -> None:
    load(place, 1)
    with held(place.folder), pytest.raises(WarehouseLocked, match="in use by another process") as caught:
        readable(place.warehouse)
    assert "etl publish" in caught.value.message()
    assert readable(place.warehouse) == (place.warehouse, "")


def test_a_new_copy_replaces_the_old_one_and_is_in_the_ledger(etl, published) -> None:
    copy = published_path(published.warehouse)
    with duckdb.connect(copy, read_only=True) as reader:
        made = json.loads(etl("publish", "-w", "w.duckdb", "--json").out)
        assert reader.execute(COUNT).fetchone() == (1,)  # whoever has the old one open goes on reading it
    with duckdb.connect(copy, read_only=True) as reader:
        assert reader.execute(COUNT).fetchone() == (2,)
        assert reader.execute(MART).fetchone() == (2,)
    runs = published.rows("select detail from meta.run where command = 'publish' order by started_at")
    assert [made["digest"] in detail for (detail,) in runs] == [False, True]
    assert made["digest"] == published.digest()
    ledger = published.folder / "w.duckdb.ledger.jsonl"
    lines = [json.loads(line)["command"] for line in ledger.read_text().splitlines()]
    assert lines == ["ingest", "publish", "ingest", "publish"]
    assert published.problems() == []
    assert [path.name for path in published.folder.glob("*.published*")] == ["w.duckdb.published"]


def test_a_copy_that_differs_is_not_published(published) -> None:
    from warehouse.ledger import now

    before = published_path(published.warehouse).read_bytes()
    with published.connection(read_only=False) as connection, pytest.raises(ReconciliationError):
        write_copy(connection, published.warehouse, "another digest", now())
    assert published_path(published.warehouse).read_bytes() == before
    assert [path.name for path in published.folder.glob("*.published*")] == ["w.duckdb.published"]


def test_a_copy_has_the_marts_of_its_own_protocol_only(published) -> None:
    """Another protocol's marts would have to be computed in the warehouse, which is held."""
    protocol = (files("schemas") / "study" / "study.yaml").read_text("utf-8")
    own = published.write("own.yaml", protocol + "\n# ours\n")
    copy = published_path(published.warehouse)
    assert ready_views(copy) == ""
    with pytest.raises(WarehouseLocked, match="another study protocol"):
        ready_views(copy, own)
