"""Publish: a copy of the warehouse for readers, whole and with its marts, while loads go on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from etl.run import Run
from etl.study import ensure_views
from schemas.errors import UsageError
from warehouse.connection import open_warehouse
from warehouse.digest import content_digest
from warehouse.errors import guarded
from warehouse.keys import load_keys
from warehouse.ledger import now
from warehouse.published import published_path, shifted_path, write_copy, write_shifted


@dataclass(frozen=True)
class Publication:
    """A published copy."""

    path: str
    published_at: str  # UTC
    digest: str
    size: int  # bytes
    is_shifted: bool = False

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)

    def sentence(self) -> str:
        """Say where the copy is and what it is for."""
        if self.is_shifted:
            return (
                f"Published {self.path} ({self.size / 1e6:.1f} MB) of {self.published_at} UTC, to hand on.\n"
                "All dates of a subject are shifted back by one number of days, from 1 to 365; sealed originals are left out.\n"
                "No command opens it by itself: name it with --warehouse."
            )
        return (
            f"Published {self.path} ({self.size / 1e6:.1f} MB) of {self.published_at} UTC.\n"
            f"Content digest: {self.digest}\n"
            "Commands that read open it while another process writes to the warehouse, and say so."
        )


def publish(warehouse: Path, study_file: Path | None = None, *, is_shifted: bool = False) -> Publication:
    """Copy the warehouse, its marts computed, beside itself; the copy takes the last one's place in one step.

    is_shifted: with the dates of each subject shifted, as a file of its own. Recorded in meta.run and the ledger before it does. Raises WarehouseMissing, WarehouseLocked, WarehouseFull.
    """
    target = shifted_path(warehouse) if is_shifted else published_path(warehouse)
    at = now()
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        with Run(connection, warehouse, "publish") as run:
            ensure_views(connection, study_file)
            if is_shifted:
                _refuse_period(connection)
            digest = content_digest(connection)
            run.detail = {"published_at": at, "digest": digest, "is_shifted": is_shifted}
            new = write_copy(connection, warehouse, digest, at)
            if is_shifted:
                new = write_shifted(new, load_keys(warehouse, connection).days)
        new.replace(target)
    return Publication(str(target), at.isoformat(" ", "seconds"), digest, target.stat().st_size, is_shifted)


def _refuse_period(connection: duckdb.DuckDBPyConnection) -> None:
    """Stop where the marts depend on the calendar: after a shift other subjects would be in the study."""
    dated = connection.execute(
        "select name from study.parameter where name like 'index_draw.%_date' and value is not null order by name"
    ).fetchall()
    if dated:
        raise UsageError(
            f"The study has a period ({', '.join(name for (name,) in dated)}).",
            "Shifted dates cannot be held against it: other subjects would be in the marts.",
            "etl publish --shift-dates with a --study that has no period",
        )
