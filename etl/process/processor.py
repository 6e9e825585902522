"""process(batch): read records in, every candidate out. One processor a table; it holds no rows, only what it learned."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from etl.plan import ResolvedPlan
from etl.process.attributes import AttributeHarmonizer
from etl.process.candidates import Processed
from etl.process.crosswalk import CrosswalkReader
from etl.process.damage import DamageKeeper
from etl.process.items import ITEM_ROLES, ItemHarmonizer
from etl.process.labs import LAB_ROLES, LabHarmonizer
from etl.process.roles import cleaned, long_frame, wide_frame
from etl.process.subjects import SubjectIds
from etl.readers.base import Batch, Reader
from warehouse.keys import Keys


class Processor:
    """Turn the batches of one table into candidates."""

    def __init__(self, plan: ResolvedPlan, reader: Reader, keys: Keys, erased: Iterable[str] = ()) -> None:
        subjects = SubjectIds(plan, keys, erased)
        self._plan = plan
        self._reader = reader
        self._damage = DamageKeeper(keys, plan.site, plan.feed)
        self._labs = LabHarmonizer(plan, keys, subjects)
        self._items = ItemHarmonizer(plan, keys, subjects)
        self._attributes = AttributeHarmonizer(plan, reader, keys, subjects)
        self._crosswalk = CrosswalkReader(plan, keys)

    def process(self, batch: Batch) -> Processed:
        """Return the candidates of a batch."""
        done = Processed()
        if batch.damaged.height:
            done.read += batch.damaged.height
            done.held.append(self._damage.hold(batch.damaged))
        if batch.frame.height:
            self._process_records(batch.frame, done)
        return done

    def _process_records(self, records: pl.DataFrame, done: Processed) -> None:
        shape = self._plan.resolution.shape
        if shape == "crosswalk":
            self._crosswalk.read(records, done)
        elif shape == "lab_long":
            _merge(done, self._labs.harmonize(self._long(records, LAB_ROLES)))
        elif shape == "item_long":
            _merge(done, self._items.harmonize(cleaned(self._long(records, ITEM_ROLES))))
        elif shape == "wide":
            self._process_wide(records, done)
        self._attributes.harmonize(records, done)

    def _long(self, records: pl.DataFrame, roles: Iterable[str]) -> pl.DataFrame:
        return long_frame(records, self._plan, self._reader, roles)

    def _process_wide(self, records: pl.DataFrame, done: Processed) -> None:
        measures = self._plan.resolution.measures
        kinds = {"lab": (LAB_ROLES, self._labs.harmonize), "item": (ITEM_ROLES, self._items.harmonize)}
        for kind, (roles, harmonize) in kinds.items():
            chosen = [measure for measure in measures if measure.kind == kind]
            frame = wide_frame(records, self._plan, self._reader, roles, chosen)
            if frame is not None and frame.height:
                _merge(done, harmonize(frame))


def _merge(done: Processed, more: Processed) -> None:
    done.rows.update(more.rows)
    if more.results is not None:
        done.results, done.contexts = more.results, more.contexts
    done.held.extend(more.held)
    done.out_of_scope.update(more.out_of_scope)
    done.read += more.read
    done.withdrawn += more.withdrawn
