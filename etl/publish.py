"""Publish: a copy of the warehouse for readers, whole and with its marts, while loads go on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etl.run import Run
from etl.study import ensure_views
from warehouse.connection import open_warehouse
from warehouse.digest import content_digest
from warehouse.errors import guarded
from warehouse.ledger import now
from warehouse.published import published_path, write_copy


@dataclass(frozen=True)
class Publication:
    """A published copy."""

    path: str
    published_at: str  # UTC
    digest: str
    size: int  # bytes

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self)

    def sentence(self) -> str:
        """Say where the copy is and what it is for."""
        return (
            f"Published {self.path} ({self.size / 1e6:.1f} MB) of {self.published_at} UTC.\n"
            f"Content digest: {self.digest}\n"
            "Commands that read open it while another process writes to the warehouse, and say so."
        )


def publish(warehouse: Path, study_file: Path | None = None) -> Publication:
    """Copy the warehouse, its marts computed, beside itself; the copy takes the last one's place in one step.

    Recorded in meta.run and the ledger before it does. Raises WarehouseMissing, WarehouseLocked, WarehouseFull.
    """
    target = published_path(warehouse)
    at = now()
    with open_warehouse(warehouse, must_exist=True) as connection, guarded(warehouse):
        with Run(connection, warehouse, "publish") as run:
            ensure_views(connection, study_file)
            digest = content_digest(connection)
            run.detail = {"published_at": at, "digest": digest}
            new = write_copy(connection, warehouse, digest, at)
        new.replace(target)
    return Publication(str(target), at.isoformat(" ", "seconds"), digest, target.stat().st_size)
