"""The local engine: ranges stream through one processor while the caller loads what came before."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from etl.plan import ResolvedPlan
from etl.process.candidates import Processed
from etl.process.processor import Processor
from etl.readers.base import Batch, Reader
from warehouse.keys import Keys

# Results or answers that are processed at a time, at most. From 122,880 on, DuckDB would make row groups of their own of
# them, and merge those again when they are committed.
ROWS = 120_000
STAGES = (
    3  # reading, harmonizing, judging: a worker that waits for another's batch never keeps it from being made
)
Item = TypeVar("Item")


def run(
    plan: ResolvedPlan, reader: Reader, keys: Keys, erased: Iterable[str], advance: Callable[[int], None]
) -> Iterator[Processed]:
    """Yield the candidates of a table, batch by batch; advance is told the bytes of each range that is done.

    Reading, harmonizing, judging and the caller's loading overlap: one worker each, one batch ahead, so that order is
    kept and memory is bounded.
    """
    processor = Processor(plan, reader, keys, erased)
    # Closed here, not when they are forgotten: an error that is kept for the report keeps its frames, and so a stage.
    with closing(_batches(plan, reader, advance)) as batches, ThreadPoolExecutor(STAGES) as workers:
        harmonized = map(processor.harmonize, _ahead(workers, batches))
        yield from _ahead(workers, map(processor.judge, _ahead(workers, harmonized)))


def _batches(plan: ResolvedPlan, reader: Reader, advance: Callable[[int], None]) -> Generator[Batch]:
    columns = plan.resolution.used_columns()
    most = max(ROWS // max(len(plan.resolution.measures), 1), 1)
    for part in plan.table.ranges:
        for batch in reader.read(plan.source, plan.table, part, columns):
            yield from _pieces(batch, most)
        advance(part.end - part.start)


def _ahead(workers: Executor, items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items while a worker makes the next one."""
    following = workers.submit(next, items, None)
    while (item := following.result()) is not None:
        following = workers.submit(next, items, None)
        yield item


def _pieces(batch: Batch, most: int) -> Iterator[Batch]:
    """Cut a batch evenly: what a record becomes is several times its size, and one piece is loaded while another is made."""
    if batch.frame.height <= most:
        yield batch
        return
    parts = -(-batch.frame.height // most)
    nothing = batch.damaged.clear()
    for at, frame in enumerate(batch.frame.iter_slices(-(-batch.frame.height // parts))):
        yield Batch(frame, nothing if at else batch.damaged)
