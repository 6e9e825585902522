"""Verify: both identities of every load, and the chain of runs and decisions."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from schemas.errors import ReconciliationError
from warehouse.connection import open_warehouse
from warehouse.ledger import TABLES, ledger_path
from warehouse.verify import broken_ledger, unbalanced_loads


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what does not hold."""

    loads: int
    entries: int  # of the ledger
    unbalanced: list[str]  # loads
    broken_ledger: list[str]  # hashes
    uncopied: int  # entries that the copy beside the warehouse lacks

    @property
    def is_sound(self) -> bool:
        """Tell whether everything holds."""
        return not (self.unbalanced or self.broken_ledger)

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return asdict(self) | {"is_sound": self.is_sound}

    def exit_code(self) -> int:
        """Return 0, or the code of a broken reconciliation."""
        return 0 if self.is_sound else ReconciliationError.exit_code


def verify(warehouse: Path) -> Verification:
    """Look at every load and every entry of the ledger. Raises WarehouseMissing."""
    with open_warehouse(warehouse, read_only=True) as connection:
        loads = connection.execute("select count(*) from meta.load").fetchall()[0][0]
        hashes = _hashes(connection)
        return Verification(
            loads=loads,
            entries=len(hashes),
            unbalanced=unbalanced_loads(connection),
            broken_ledger=broken_ledger(connection),
            uncopied=len(hashes - _copied(warehouse)),
        )


def _hashes(connection: duckdb.DuckDBPyConnection) -> set[str]:
    every = " union all ".join(f"select hash from {table}" for table in TABLES.values())
    return {found for (found,) in connection.execute(every).fetchall() if found}


def _copied(warehouse: Path) -> set[str]:
    """Return the hashes in the JSON lines beside the warehouse."""
    path = ledger_path(warehouse)
    if not path.exists():
        return set()
    found = set()
    for line in path.read_text("utf-8").splitlines():
        try:
            found.add(str(json.loads(line)["hash"]))
        except (ValueError, KeyError, TypeError):
            continue  # a line cut by a full disk is no copy
    return found
