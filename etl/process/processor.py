"""harmonize(batch), then judge(): read records in, every candidate out. One processor a table; it holds no rows, only what it learned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from etl.plan import ResolvedPlan
from etl.process.answers import ITEM_ROLES
from etl.process.attributes import AttributeHarmonizer
from etl.process.candidates import Processed
from etl.process.concepts import with_concepts
from etl.process.corrections import CORRECTS, TABLE, divided
from etl.process.crosswalk import CrosswalkReader
from etl.process.damage import DamageKeeper
from etl.process.history import BOX_ROLES, HistoryHarmonizer
from etl.process.items import ItemHarmonizer
from etl.process.labs import LAB_ROLES, LabHarmonizer
from etl.process.roles import cleaned, long_frame, wide_frame
from etl.process.subjects import SubjectIds
from etl.readers.base import Batch, Reader
from etl.sites.resolution import Resolution
from schemas.columns import COLUMNS
from warehouse.keys import Keys


class Processor:
    """Turn the batches of one table into candidates."""

    def __init__(self, plan: ResolvedPlan, reader: Reader, keys: Keys, erased: Iterable[str] = ()) -> None:
        subjects = SubjectIds(plan, keys, erased)
        self._plan = plan
        self._reader = reader
        self._damage = DamageKeeper(keys, plan.site, plan.feed)
        self._labs = LabHarmonizer(plan, reader, keys, subjects)
        self._items = ItemHarmonizer(plan, keys, subjects)
        self._attributes = AttributeHarmonizer(plan, reader, keys, subjects)
        self._crosswalk = CrosswalkReader(plan, keys)
        self._history = HistoryHarmonizer(plan, reader, keys, subjects, plan.resolution.shape)
        self._boxes = {
            domain: HistoryHarmonizer(plan, reader, keys, subjects, domain)
            for domain in ("condition", "medication")
            if any(measure.kind == domain for measure in plan.resolution.measures)
        }
        self._words = _words(plan.resolution) | plan.words

    def harmonize(self, batch: Batch) -> Processed:
        """Return the candidates of a batch, for judge() to complete."""
        batch = self._in_our_words(batch)
        done = Processed()
        if batch.damaged.height:
            done.read += batch.damaged.height
            done.held.append(self._damage.hold(batch.damaged))
        if batch.frame.height:
            self._process_records(batch.frame, done)
        return done

    def judge(self, done: Processed) -> Processed:
        """Complete the candidates of a batch; it may run beside the next harmonize(), in the order of the batches."""
        self._labs.judge(done)
        return done

    def _in_our_words(self, batch: Batch) -> Batch:
        """Translate what a standard has words of its own for, and bring what two columns say of a result together."""
        frame, roles = batch.frame, self._plan.resolution.roles
        if self._words:
            frame = frame.with_columns(pl.col(name).replace(known) for name, known in self._words.items())
        if "value_number" in roles:
            frame = frame.with_columns(_filled(roles["value"], roles["value_number"]))
        if self._plan.concepts:
            frame = with_concepts(frame, self._plan)
        if "comparator" in roles and "value" in roles:
            frame = frame.with_columns(_said_once(roles["comparator"], roles["value"]))
        return replace(batch, frame=frame)

    def _process_records(self, records: pl.DataFrame, done: Processed) -> None:
        shape = self._plan.resolution.shape
        records, every = divided(records, self._plan)
        if shape == "crosswalk":
            self._crosswalk.read(records, done)
        elif shape == "lab_long":
            is_located = self._labs.cells is None
            frame = self._long(records, (*LAB_ROLES, CORRECTS), is_located=is_located)
            _merge(done, self._labs.harmonize(frame))
        elif shape == "item_long":
            _merge(done, self._items.harmonize(cleaned(self._long(records, (*ITEM_ROLES, CORRECTS)))))
        elif shape in {"condition", "medication"}:
            _merge(done, self._history.harmonize(records))
        elif shape == "wide":
            self._process_wide(records, done)
        self._attributes.harmonize(every, done)

    def _long(self, records: pl.DataFrame, roles: Iterable[str], *, is_located: bool = True) -> pl.DataFrame:
        return long_frame(records, self._plan, self._reader, roles, is_located=is_located)

    def _process_wide(self, records: pl.DataFrame, done: Processed) -> None:
        measures = self._plan.resolution.measures
        kinds = {"lab": (LAB_ROLES, self._labs.harmonize), "item": (ITEM_ROLES, self._items.harmonize)}
        kinds |= {domain: (BOX_ROLES, history.answers) for domain, history in self._boxes.items()}
        for kind, (roles, harmonize) in kinds.items():
            chosen = [measure for measure in measures if measure.kind == kind]
            is_located = kind != "lab" or self._labs.cells is None
            frame = wide_frame(
                records, self._plan, self._reader, (*roles, CORRECTS), chosen, is_located=is_located
            )
            if frame is not None and frame.height:
                _merge(done, harmonize(frame))


def _filled(printed: str, number: str) -> pl.Expr:
    """Return the results as printed, and the number where nothing is."""
    is_blank = pl.col(printed).str.strip_chars().fill_null("") == ""
    return pl.when(is_blank).then(number).otherwise(printed).alias(printed)


def _said_once(sign: str, value: str) -> pl.Expr:
    """Return the signs without those that the result itself begins with."""
    said = pl.col(sign).str.strip_chars()
    is_printed = pl.col(value).str.strip_chars_start().str.starts_with(said) & (said != "")
    return pl.when(is_printed.fill_null(value=False).not_()).then(sign).alias(sign)


def _words(resolution: Resolution) -> dict[str, dict[str, str]]:
    """Return, for each column that a standard names, the standard's words and ours."""
    found: dict[str, dict[str, str]] = {}
    for role, column in resolution.roles.items():
        words = COLUMNS.roles[role].words
        lists = {each.names for each in COLUMNS.find(column) if each.field == role} if words else set()
        for names in lists & words.keys():
            found[column] = dict(words[names])
    return found


def _merge(done: Processed, more: Processed) -> None:
    before = done.rows.get(TABLE)
    done.rows.update(more.rows)
    if before is not None and TABLE in more.rows:  # a wide file has results and answers in one row
        done.rows[TABLE] = pl.concat([before, more.rows[TABLE]])
    if more.results is not None:
        done.results, done.contexts = more.results, more.contexts
    if more.scoped is not None:
        done.subjects, done.scoped = more.subjects, more.scoped
    done.held.extend(more.held)
    done.out_of_scope.update(more.out_of_scope)
    done.read += more.read
    done.withdrawn += more.withdrawn
