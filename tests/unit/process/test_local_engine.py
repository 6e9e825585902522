"""The local engine's stages: order is kept, and an end of any kind ends them all."""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from etl.engines import local
from etl.process.candidates import Processed
from etl.process.processor import Processor
from etl.readers.base import Batch
from schemas.errors import SourceUnreadable

ROW = "P{},Vitamin B12,{},pg/mL,2021-03-05 08:12\n"
FILE = "subject_id,test,result,unit,collected\n" + "".join(ROW.format(at, 200 + at) for at in range(400))


@pytest.fixture
def threads() -> Iterator[None]:
    """Whatever a test does, it ends, and no worker of it is left."""
    before = set(threading.enumerate())
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    for each in set(threading.enumerate()) - before:
        each.join(timeout=20)
        assert not each.is_alive()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ROWS", 25)  # 16 batches


def failing(stage: str, error: BaseException, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Make the at-th call of a stage fail."""
    real, calls = getattr(Processor, stage), iter(range(1_000))

    def fail(self: Processor, given: object) -> Processed:
        if next(calls) == at:
            raise error
        done: Processed = real(self, given)
        return done

    monkeypatch.setattr(Processor, stage, fail)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("at", [0, 7, 15])
@pytest.mark.parametrize("stage", ["harmonize", "judge"])
def test_a_stage_that_fails_ends_the_load_and_leaves_nothing(place, monkeypatch, stage: str, at: int) -> None:
    export = place.write("labs.csv", FILE)
    with monkeypatch.context() as patch:
        failing(stage, SourceUnreadable("what", "why", "type"), patch, at)
        (outcome,) = place.ingest(export).files
    assert outcome.status == "unreadable"
    for table in ("core.lab_row", "core.lab_subject", "core.lab_context", "meta.load"):
        assert place.rows(f"select count(*) from {table}") == [(0,)]
    (outcome,) = place.ingest(export).files
    assert (outcome.status, outcome.counts.accepted) == ("loaded", 400)
    assert place.problems() == []


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("stage", ["harmonize", "judge"])
def test_what_is_no_user_s_error_passes_through(place, monkeypatch, stage: str, error) -> None:
    export = place.write("labs.csv", FILE)
    failing(stage, error(), monkeypatch, 5)
    with pytest.raises(error):
        place.ingest(export)
    assert place.rows("select count(*) from core.lab_row") == [(0,)]


@pytest.mark.usefixtures("threads")
def test_a_consumer_that_stops_ends_the_stages(place, monkeypatch) -> None:
    from warehouse.load import FileLoad

    real, calls = FileLoad.add_results, iter(range(1_000))

    def add(self: FileLoad, rows: pl.DataFrame, contexts: pl.DataFrame) -> None:
        if next(calls) == 3:
            raise KeyboardInterrupt
        real(self, rows, contexts)

    monkeypatch.setattr(FileLoad, "add_results", add)
    with pytest.raises(KeyboardInterrupt):
        place.ingest(place.write("labs.csv", FILE))
    assert place.rows("select count(*) from core.lab_row") == [(0,)]
    assert place.rows("select count(*) from core.lab_subject") == [(0,)]


@pytest.mark.usefixtures("threads")
def test_a_wide_file_is_processed_in_pieces_of_as_many_results(place, monkeypatch) -> None:
    heights: list[int] = []
    real = Processor.harmonize

    def harmonize(self: Processor, batch: Batch) -> Processed:
        heights.append(batch.frame.height)
        return real(self, batch)

    monkeypatch.setattr(Processor, "harmonize", harmonize)
    rows = "".join(f"P{at},2021-03-05,{200 + at},0.9,13.1\n" for at in range(20))
    export = place.write("wide.csv", "subject_id,date,B12 (pg/mL),Creatinine (mg/dL),Hb (g/dL)\n" + rows)
    (outcome,) = place.ingest(export).files
    assert outcome.counts.accepted == 60
    assert heights == [7, 7, 6]  # at most 25 results: 8 records of 3, evenly


@pytest.mark.usefixtures("threads")
def test_items_keep_their_order_through_nested_stages() -> None:
    def slow(item: list[int]) -> list[int]:
        threading.Event().wait(0.002 * (item[0] % 3))
        return [*item, item[0]]

    with ThreadPoolExecutor(local.STAGES) as workers:
        first = map(slow, local._ahead(workers, iter([[at] for at in range(40)])))
        both = map(slow, local._ahead(workers, first))
        assert list(local._ahead(workers, both)) == [[at] * 3 for at in range(40)]
