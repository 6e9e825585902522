"""Replay: load the files again that hold open records, under today's mappings, registry and decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from etl.ingest import IngestOptions, ingest
from etl.outcome import FileOutcome, IngestReport
from etl.progress import Progress
from etl.sites.mapping import SiteMapping
from etl.sources import paths_by_hash
from schemas.errors import SourceUnreadable, UserError
from warehouse import quarantine
from warehouse.connection import open_warehouse
from warehouse.keys import load_keys
from warehouse.quarantine import Chosen, HeldFile


@dataclass
class Replay:
    """What a replay did: one ingest a site, and the open records before and after."""

    before: int
    after: int = 0
    runs: list[IngestReport] = field(default_factory=list)
    missing: list[HeldFile] = field(default_factory=list)

    @property
    def files(self) -> list[FileOutcome]:
        """Return what happened to each file."""
        return [outcome for run in self.runs for outcome in run.files]

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {
            "open_before": self.before,
            "open_after": self.after,
            "runs": [run.run_id for run in self.runs],
            "files": [outcome.document() for outcome in self.files],
            "missing": [
                {"site": each.site, "feed": each.feed, "sha256": each.sha256, "records": each.records}
                for each in self.missing
            ],
        }

    def errors(self) -> list[UserError]:
        """Return why files could not be loaded again."""
        lost = [_lost(each) for each in self.missing]
        return [*(each.error for each in self.files if each.error), *lost]

    def exit_code(self) -> int:
        """Return the gravest code of the runs; 3 where a source was not found."""
        return max([run.exit_code() for run in self.runs] + [3 if self.missing else 0])


def replay(
    warehouse: Path,
    sites: dict[str, SiteMapping],
    chosen: Chosen,
    sources: Iterable[Path] = (),
    progress: Progress | None = None,
) -> Replay:
    """Refresh the files that hold the chosen records; sources: folders or files in which moved files are looked for.

    A file is known by its hash, whatever it is called now. Raises WarehouseMissing.
    """
    with open_warehouse(warehouse, read_only=True) as connection:
        keys = load_keys(warehouse, connection)
        files = quarantine.held_files(connection, chosen, keys.seal)
        done = Replay(quarantine.number(connection, chosen))
    there = paths_by_hash([*sources, *(Path(each.path) for each in files if Path(each.path).exists())])
    paths: dict[str, list[str]] = {}
    for each in files:
        path = there.get(each.sha256)
        if path is None:
            done.missing.append(each)
        else:
            paths.setdefault(each.site, []).append(path)
    for site, named in paths.items():
        options = IngestOptions(site, sites, is_refresh=True)
        done.runs.append(ingest(dict.fromkeys(named), warehouse, options, progress))
    with open_warehouse(warehouse, read_only=True) as connection:
        done.after = quarantine.number(connection, chosen)
    return done


def _lost(file: HeldFile) -> UserError:
    return SourceUnreadable(
        f"A file of {file.site}/{file.feed} with {file.records} held records is not where it was read from.",
        f"Its sha256 is {file.sha256}.",
        "etl quarantine replay --from FOLDER, with the folder where it is now",
    )
