"""Data cuts: a label for what the core tables hold, by their content digest, in the ledger."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from etl.run import Run
from schemas.errors import UsageError
from warehouse.connection import open_warehouse, transaction
from warehouse.digest import content_digest
from warehouse.ledger import now


@dataclass(frozen=True)
class DataCut:
    """One named state of the data."""

    label: str
    digest: str
    made_at: datetime
    who: str
    is_new: bool = True

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self) | {"made_at": self.made_at.isoformat()}

    def sentence(self) -> str:
        """Say what the cut is."""
        return f"data cut '{self.label}' of {self.made_at:%Y-%m-%d %H:%M} UTC by {self.who}"


def freeze(warehouse: Path, label: str, who: str) -> DataCut:
    """Give the present content a label; the same label for the same content changes nothing.

    Raises UsageError for an empty label or name, or a label that names other content.
    """
    if not label.strip() or not who.strip():
        raise UsageError(
            "A data cut has a label and a maker.",
            "One of them was left empty.",
            "etl freeze LABEL --who NAME",
        )
    with (
        open_warehouse(warehouse, must_exist=True) as connection,
        Run(connection, warehouse, "freeze") as run,
    ):
        digest = content_digest(connection)
        run.detail = {"label": label, "digest": digest}
        known = next((cut for cut in cuts(connection) if cut.label == label), None)
        if known is None:
            return _make(connection, run, label, digest, who)
        if known.digest != digest:
            raise UsageError(
                f"The {known.sentence()} holds other data.",
                "A label names one content for ever.",
                "etl freeze with another label",
            )
        return known


def _make(connection: duckdb.DuckDBPyConnection, run: Run, label: str, digest: str, who: str) -> DataCut:
    cut = DataCut(label, digest, now(), who)
    cut_id = hashlib.sha256(f"{label}\0{digest}".encode()).hexdigest()[:16]
    entry = {"cut_id": cut_id, "label": label, "digest": digest, "made_at": cut.made_at, "who": who}
    with transaction(connection):
        run.ledger.append("data_cut", entry | {"run_id": run.run_id})
    return cut


def cuts(connection: duckdb.DuckDBPyConnection) -> list[DataCut]:
    """Return every data cut, the newest first."""
    rows = connection.execute(
        "select label, digest, made_at, who from meta.data_cut order by made_at desc, label"
    ).fetchall()
    return [DataCut(label, digest, made_at, who, is_new=False) for label, digest, made_at, who in rows]


def matching_cut(connection: duckdb.DuckDBPyConnection, digest: str) -> DataCut | None:
    """Return the newest cut of this content, if there is one."""
    return next((cut for cut in cuts(connection) if cut.digest == digest), None)
