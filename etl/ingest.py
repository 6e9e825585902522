"""Ingest: exports in, trusted rows in the warehouse out, every candidate accounted for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import duckdb

from etl import refusals
from etl.derive import derive
from etl.engines import local
from etl.erased import withdraw_originals
from etl.inherited import inherit, is_copy
from etl.inspect import inspect, reader_of
from etl.manifest import Manifest
from etl.outcome import FileOutcome, IngestReport, outcome_of, spec_of
from etl.plan import Declaration, ResolvedPlan
from etl.progress import Progress
from etl.readers.base import Source
from etl.run import Run
from etl.shown_names import WatchedReader
from etl.sites.mapping import SiteMapping
from etl.sites.resolve import choose_feed
from etl.sources import Named, expand
from schemas.errors import FormatUnknown, UserError
from schemas.lean_pandera import lean_pandera
from warehouse.connection import open_warehouse, transaction
from warehouse.counts import Counts
from warehouse.decisions import erased_subjects, unit_declarations
from warehouse.errors import guarded
from warehouse.keys import Keys, load_keys
from warehouse.leave import compare_delivery, remember_delivery, remove_file
from warehouse.load import FileLoad
from warehouse.sources import delivered, keep_mapping, loaded_paths, other_sender


@dataclass(frozen=True)
class IngestOptions:
    """How to ingest. site: the sender, where no mapping tells it; key_file: if not the warehouse's own."""

    site: str | None = None
    sites: dict[str, SiteMapping] | None = None
    is_dry_run: bool = False
    is_refresh: bool = False
    key_file: Path | None = None


def ingest(
    paths: Iterable[str], warehouse: Path, options: IngestOptions, progress: Progress | None = None
) -> IngestReport:
    """Load the exports behind some paths into the warehouse and return what happened to each.

    Files fail by themselves: a file that cannot be read or waits for a declaration leaves the others alone.
    Raises UsageError for paths without a file, and warehouse errors.
    """
    started = time.monotonic()
    named = expand(paths)
    Thread(target=lean_pandera).start()  # files are inspected meanwhile
    with open_warehouse(warehouse) as connection, guarded(warehouse):
        keys = load_keys(warehouse, connection, options.key_file)
        if options.is_refresh:
            named = named or expand(loaded_paths(connection, keys.seal))
        with Run(connection, warehouse, "ingest") as run:
            job = _Ingest(connection, keys, run, options, progress or Progress())
            job.load(named)
            run.detail = {"files": len(job.report.files), "totals": dict(job.report.totals())}
        connection.execute("checkpoint")
    job.report.seconds = time.monotonic() - started
    return job.report


class _Ingest:
    """One run over many files."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        keys: Keys,
        run: Run,
        options: IngestOptions,
        progress: Progress,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._run = run
        self._options = options
        self._progress = progress
        self._manifest = Manifest()
        self._broken: set[tuple[str, str]] = set()  # feeds whose snapshot lacks a file
        # Corrected copies, and whether the user named each alone.
        self._copies: list[tuple[ResolvedPlan, bool]] = []
        self._erased = erased_subjects(connection)
        # Laboratories print times that lie a little ahead of ours; a day covers every zone.
        self._latest = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None)
        self.report = IngestReport(run.run_id, is_dry_run=options.is_dry_run)

    def load(self, named: list[Named]) -> None:
        plans = [plan for each in named for plan in self._inspected(each)]
        increments = [[plan] for plan in plans if plan.delivery != "snapshot"]
        feeds: dict[tuple[str, str], list[ResolvedPlan]] = {}
        for plan in plans:
            if plan.delivery == "snapshot":
                feeds.setdefault((plan.site, plan.feed), []).append(plan)
        for group in increments:
            self._load_group(group)
        for feed, group in feeds.items():
            if feed in self._broken:
                self._refuse_snapshot(group)
            else:
                self._load_group(group)
        for copy, is_alone in self._copies:  # after the files that they correct
            plan = inherit(copy, self._connection)
            if self._is_ready(plan, is_error=is_alone):
                self._load_group([plan])
        self.report.files.sort(key=lambda outcome: outcome.path)

    def _inspected(self, named: Named) -> list[ResolvedPlan]:
        """Return the plans of a source's tables; what cannot be planned is reported."""
        source = named.source
        self._progress.start(source.name, 0)
        try:
            site = self._site_of(source)
            mapping = (self._options.sites or {}).get(site)
            plans = inspect(source, site, mapping, self._latest)
            is_alone = named.is_named and all(plan.resolution.shape == "unmapped" for plan in plans)
            plans = [self._with_declarations(plan) for plan in plans]
            self._copies += [(plan, is_alone) for plan in plans if is_copy(plan)]
            return [each for each in plans if not is_copy(each) and self._is_ready(each, is_error=is_alone)]
        except FormatUnknown as error:
            outcome = FileOutcome(source.label, "unmapped", note=error.what)
            outcome.error = error if named.is_named else None
            self.report.files.append(outcome)
        except UserError as error:
            self._break_snapshot(source)
            self.report.files.append(FileOutcome(source.label, "unreadable", error=error))
        return []

    def _break_snapshot(self, source: Source) -> None:
        """Remember that a delivery is not whole: what replaces the last one must not lack a file."""
        for site, mapping in (self._options.sites or {}).items():
            feed = choose_feed(source.name, (), mapping)
            if feed and feed.delivery == "snapshot" and self._options.site in {None, site}:
                self._broken.add((site, feed.feed))

    def _refuse_snapshot(self, plans: list[ResolvedPlan]) -> None:
        error = refusals.incomplete_snapshot(plans[0].feed)
        for plan in plans:
            outcome = outcome_of(plan, "unreadable")
            outcome.error = error
            self.report.files.append(outcome)

    def _site_of(self, source: Source) -> str:
        """Return who sent a source: as said, else the one mapping that claims it, else the folder's name among those."""
        if self._options.site:
            return self._options.site
        sites = self._options.sites or {}
        claiming = [site for site, mapping in sites.items() if choose_feed(source.name, (), mapping)]
        if len(claiming) > 1:
            claiming = [site for site in claiming if site in source.path.parts]
        if len(claiming) != 1:
            raise refusals.no_site(source.name, len(claiming), len(sites))
        return claiming[0]

    def _with_declarations(self, plan: ResolvedPlan) -> ResolvedPlan:
        rows = unit_declarations(self._connection, plan.site, plan.feed)
        return replace(plan, declarations=(*plan.declarations, *(Declaration(*row) for row in rows)))

    def _is_ready(self, plan: ResolvedPlan, *, is_error: bool) -> bool:
        """Tell whether a plan can be carried out; otherwise report why not.

        is_error: the source was named by itself and no table of it is of use.
        """
        outcome = outcome_of(plan, "unmapped")
        outcome.counts.records = plan.table.records
        shape = plan.resolution.shape
        if shape == "manifest":
            self._manifest.read(plan, reader_of(plan))
            outcome.status = "companion"
        elif shape == "dictionary":
            outcome.status = "companion"
            outcome.note = plan.resolution.explanation
        elif shape == "unmapped":
            outcome.error = refusals.unmapped(plan) if is_error else None
            outcome.note = refusals.unmapped_note(plan)
        elif undecided := plan.undecided():
            outcome.status = "needs_declaration"
            outcome.error = refusals.undecided(plan, undecided[0].about)
        else:
            return True
        if outcome.error and plan.delivery == "snapshot":
            self._broken.add((plan.site, plan.feed))
        self.report.files.append(outcome)
        return False

    def _load_group(self, plans: list[ResolvedPlan]) -> None:
        """Load files that stand or fall together: one increment, or all files of a snapshot."""
        outcomes = [outcome_of(plan, "loaded") for plan in plans]
        try:
            records = sum(plan.table.records for plan in plans)
            with transaction(self._connection, is_kept=not self._options.is_dry_run, records=records):
                self._replace_delivery(plans)
                for plan, outcome in zip(plans, outcomes, strict=True):
                    self._load_file(plan, outcome)
                derive(self._connection, [outcome.load_id for outcome in outcomes])
                self._compare_delivery(plans)
        except UserError as error:
            for outcome in outcomes:
                outcome.status, outcome.error, outcome.counts = "unreadable", error, Counts()
        self.report.files.extend(outcomes)

    def _load_file(self, plan: ResolvedPlan, outcome: FileOutcome) -> None:
        file_id = self._file_id(plan)
        digest = plan.digest()
        active = self._connection.execute(
            "select load_id, plan_digest from meta.load where file_id = ? and status = 'active'", [file_id]
        ).fetchone()
        self._refuse_foreign(plan)
        self._manifest.check(plan)
        if active and active[1] == digest:
            outcome.status, outcome.load_id = "unchanged", active[0]
            keep_mapping(self._connection, outcome.load_id, plan.mapping_digest)
            return
        outcome.load_id = self._keys.token("load", file_id, digest, self._run.run_id)
        if active:
            outcome.status = "refreshed"
            remove_file(self._connection, file_id, outcome.load_id, "replaced")
        spec = spec_of(plan, file_id, outcome.load_id, digest, self._run.run_id)
        loading = FileLoad(self._connection, spec, self._keys.seal)
        outcome.counts = loading.finish(self._stream(plan, loading, outcome), outcome.detail)
        if self._erased and outcome.counts.held:
            withdraw_originals(self._connection, self._erased, self._keys, "erasure", file_id)

    def _stream(self, plan: ResolvedPlan, loading: FileLoad, outcome: FileOutcome) -> Counts:
        """Read, process and append every batch of a file; return what the reading side counted."""
        table, reader, names = plan.table, WatchedReader(plan, reader_of(plan)), Counter[str]()
        counts = Counts(table.lines, table.records, table.continuation, sum(table.structural.values()))
        self._progress.start(plan.source.name, table.size)
        for done in local.run(plan, reader, self._keys, self._erased, self._progress.advance):
            if done.subjects is not None:
                loading.add_subjects(done.subjects)
            if done.results is not None and done.contexts is not None:
                loading.add_results(done.results, done.contexts)
            for name, rows in done.rows.items():
                loading.add(name, rows)
            for rows in done.held:
                loading.hold(rows)
            counts.read += done.read
            counts.withdrawn += done.withdrawn
            counts.out_of_scope += done.out_of_scope.total()
            counts.attributes += done.attributes
            counts.attributes_held += done.attributes_held
            counts.attributes_repeated += done.attributes_repeated
            names.update(done.out_of_scope)
        outcome.detail.out_of_scope_names, rare = reader.divide(names)
        outcome.rare_names = len(rare)
        reader.keep_rare(self._connection, self._file_id(plan), rare, self._keys.seal)
        return counts

    def _replace_delivery(self, plans: list[ResolvedPlan]) -> None:
        """Let the files of the feed's last delivery leave, unless they are delivered again as they were."""
        first = plans[0]
        if first.delivery != "snapshot":
            return
        remember_delivery(self._connection, first.site, first.feed)
        again = {self._file_id(plan) for plan in plans}
        for file_id in delivered(self._connection, first.site, first.feed):
            if file_id not in again:
                remove_file(self._connection, file_id, self._run.run_id, "withdrawn")

    def _compare_delivery(self, plans: list[ResolvedPlan]) -> None:
        first = plans[0]
        if first.delivery == "snapshot":
            change = compare_delivery(self._connection, first.site, first.feed)
            self.report.changes[f"{first.site}/{first.feed}"] = change

    def _refuse_foreign(self, plan: ResolvedPlan) -> None:
        """Stop bytes that another site has sent; two empty tables may well be the same."""
        if not plan.table.records:
            return
        if other := other_sender(self._connection, plan.table.sha256, plan.site):
            raise refusals.foreign(plan, other)

    def _file_id(self, plan: ResolvedPlan) -> str:
        return self._keys.token("file", plan.site, plan.feed, plan.table.sha256, plan.table.title)
