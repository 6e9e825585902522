"""Rebuild: a new warehouse from the source files of the old one, in their order, with its ledger and its decisions.

It is made beside the old one and takes its place in one step, once it holds the same content. Under another key
(re-keying) every pseudonym changes, and the decisions that name records or subjects are translated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from etl import rekey
from etl.ingest import IngestOptions, ingest
from etl.progress import Progress
from etl.run import Run
from etl.sites.mapping import SiteMapping
from etl.sources import paths_by_hash
from etl.status import stale_loads
from schemas.errors import ReconciliationError, SourceUnreadable, UsageError
from warehouse.connection import open_warehouse, transaction
from warehouse.digest import KEYED, content_digest
from warehouse.errors import guarded
from warehouse.keys import key_path, load_keys
from warehouse.ledger import TABLES, ledger_path, now
from warehouse.published import remove_copies
from warehouse.sources import LoadedFile, loaded_files


@dataclass(frozen=True)
class Rebuilt:
    """A rebuilt warehouse."""

    files: int
    digest: str
    is_rekeyed: bool
    translated: int = 0  # decisions that name records or subjects, under the new key
    untranslated: int = 0  # decisions on what no file holds any more
    old_key: str | None = None  # where the replaced key is kept

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)


@dataclass(frozen=True)
class Job:
    """What every load of a rebuild needs."""

    paths: dict[str, list[str]]  # by site
    sites: dict[str, SiteMapping]
    progress: Progress | None


def rebuild(
    warehouse: Path,
    sites: dict[str, SiteMapping],
    sources: Iterable[Path] = (),
    progress: Progress | None = None,
    *,
    is_rekeyed: bool = False,
) -> Rebuilt:
    """Make the warehouse anew; sources: folders or files in which moved files are looked for.

    The old one stays as it is until the new one holds the same. Raises UsageError for stale files, SourceUnreadable for
    missing ones, ReconciliationError when the content differs, and warehouse errors.
    """
    build = warehouse.with_name(warehouse.name + ".rebuild")
    new_key = key_path(warehouse).with_name(key_path(warehouse).name + ".new")
    with _cleared(build, new_key):
        with open_warehouse(warehouse, must_exist=True) as old, guarded(warehouse):
            keys = load_keys(warehouse, old)
            _refuse_stale(old, sites)
            files = loaded_files(old, keys.seal)
            job = Job(_found(files, sources), sites, progress)
            key_file = new_key if is_rekeyed else key_path(warehouse)
            names = _names(old, job, build, (key_path(warehouse), new_key)) if is_rekeyed else rekey.Names()
            done = _make(old, build, key_file, names, job, is_rekeyed=is_rekeyed)
        kept = _put_in_place(build, warehouse, new_key if is_rekeyed else None)
    return Rebuilt(len(files), done, is_rekeyed, len(names.decisions), names.lost, kept)


@contextmanager
def _cleared(build: Path, new_key: Path) -> Iterator[None]:
    """Leave nothing of an attempt behind, neither now nor of an earlier one."""
    left = [build, rekey.trial_path(build, "old"), rekey.trial_path(build, "new")]
    left += [path.with_name(path.name + ending) for path in left for ending in (".wal", ".ledger.jsonl")]
    left.append(new_key)
    for path in left:
        path.unlink(missing_ok=True)
    try:
        yield
    finally:
        for path in left:
            path.unlink(missing_ok=True)


def _refuse_stale(old: duckdb.DuckDBPyConnection, sites: dict[str, SiteMapping]) -> None:
    if stale := stale_loads(old, sites):
        feeds = ", ".join(sorted({f"{each['site']}/{each['feed']}" for each in stale}))
        raise UsageError(
            f"The mapping or the registry of {feeds} changed since it was loaded.",
            "A rebuild holds what the warehouse holds, which could not be told apart from the change.",
            "etl ingest --refresh, then etl rebuild; or name the folder of the mappings with --sites",
        )


def _found(files: list[LoadedFile], sources: Iterable[Path]) -> dict[str, list[str]]:
    """Return the paths of the files by site, known by their hash. Raises SourceUnreadable for those not found."""
    there = paths_by_hash([*sources, *(Path(each.path) for each in files if Path(each.path).exists())])
    if lost := [each for each in files if each.sha256 not in there]:
        feeds = ", ".join(f"{each.site}/{each.feed} {each.sha256[:12]}" for each in lost)
        raise SourceUnreadable(
            f"{len(lost)} of {len(files)} source files are not where they were read from: {feeds}.",
            "These are their sites, feeds and sha256; nothing was changed.",
            "etl rebuild --from FOLDER, with the folder where they are now",
        )
    paths: dict[str, list[str]] = {}
    for each in files:
        own = paths.setdefault(each.site, [])
        if there[each.sha256] not in own:
            own.append(there[each.sha256])
    return paths


def _load(build: Path, key_file: Path, job: Job) -> None:
    """Load every file. Raises what kept one from being loaded."""
    for site, paths in job.paths.items():
        report = ingest(paths, build, IngestOptions(site, job.sites, key_file=key_file), job.progress)
        if errors := [each.error for each in report.files if each.error]:
            raise errors[0]


def _names(
    old: duckdb.DuckDBPyConnection, job: Job, build: Path, key_files: tuple[Path, Path]
) -> rekey.Names:
    """Load under both keys, without decisions, to learn what the records and subjects that decisions name are called."""
    if not (wanted := rekey.naming(old)):
        return rekey.Names()
    trials = {name: rekey.trial_path(build, name) for name in ("old", "new")}
    for path, key_file in zip(trials.values(), key_files, strict=True):
        _load(path, key_file, job)
    return rekey.translate(old, wanted, trials)


def _make(
    old: duckdb.DuckDBPyConnection,
    build: Path,
    key_file: Path,
    names: rekey.Names,
    job: Job,
    *,
    is_rekeyed: bool,
) -> str:
    """Make the new warehouse, compare it, and return its content digest."""
    with open_warehouse(build) as new, guarded(build):
        load_keys(build, new, key_file)
        _copy_ledger(old, new)
        if names.decisions:
            with Run(new, build, "rebuild") as run, transaction(new):
                rekey.append(run, names)
    _load(build, key_file, job)
    with open_warehouse(build) as new, guarded(build):
        _compare(old, new, KEYED if is_rekeyed else frozenset())
        with Run(new, build, "rebuild") as run:
            digest = content_digest(new)
            run.detail = {"digest": digest, "is_rekeyed": is_rekeyed}
        new.execute("checkpoint")
    return digest


def _copy_ledger(old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection) -> None:
    """Take over runs, decisions and data cuts as they are, so that the chain goes on."""
    parts = {table: f"from {table}" for table in TABLES.values()}
    parts["meta.property"] = "from meta.property where name = 'ledger_head'"
    with transaction(new):
        for table, query in parts.items():
            _insert(new, table, old.sql(query).pl())


def _insert(
    new: duckdb.DuckDBPyConnection,
    table: str,
    rows: pl.DataFrame,  # noqa: ARG001 - the query reads it by its name
) -> None:
    new.execute(f"insert into {table} by name from rows")


# What must be the same besides the content digest: what is held, and how many subjects there are under any key.
_HELD = "select status, count(*) from quarantine.record where status <> 'withdrawn' group by all order by all"
_SUBJECTS = """
    select
        (select count(distinct subject_id) from core.lab_result),
        (select count(distinct subject_id) from core.response),
        (select count(distinct subject_id) from core.subject_attribute)
"""


def _compare(
    old: duckdb.DuckDBPyConnection, new: duckdb.DuckDBPyConnection, left_out: frozenset[str]
) -> None:
    before, after = _looked(old, left_out), _looked(new, left_out)
    if differing := [name for name in before if before[name] != after[name]]:
        raise ReconciliationError(
            f"The rebuilt warehouse differs from the present one in {', '.join(differing)}.",
            "It was put aside; the warehouse is as it was.",
            "etl verify; a file that was renamed may now belong to another feed",
        )


def _looked(connection: duckdb.DuckDBPyConnection, left_out: frozenset[str]) -> dict[str, object]:
    return {
        "the content digest": content_digest(connection, left_out=left_out),
        "what is held": connection.execute(_HELD).fetchall(),
        "the number of subjects": connection.execute(_SUBJECTS).fetchall(),
    }


def _put_in_place(build: Path, warehouse: Path, new_key: Path | None) -> str | None:
    """Let the new warehouse, and its key, take the old one's place; return where the replaced key is kept."""
    kept = None
    if new_key is not None:
        key = key_path(warehouse)
        kept = key.with_name(f"{key.name}.until-{now():%Y%m%dT%H%M%S}")
        key.replace(kept)
        new_key.replace(key)
        remove_copies(warehouse)  # their pseudonyms are those of the old key
    build.replace(warehouse)
    lines = ledger_path(build)
    with ledger_path(warehouse).open("a", encoding="utf-8") as ledger:
        ledger.write(lines.read_text("utf-8"))
    return str(kept) if kept else None
