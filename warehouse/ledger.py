"""The ledger: runs, decisions and data cuts as one hash chain, in the warehouse and as JSON lines beside it.

Each entry's hash covers the entry and the hash before it, so a changed or missing entry shows. The JSON lines let a
lost warehouse be rebuilt with the decisions that its data managers took. Entries hold no cell values.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

TABLES = {"run": "meta.run", "decision": "meta.decision", "data_cut": "meta.data_cut"}
GENESIS = "0" * 64


def ledger_path(warehouse: Path) -> Path:
    """Return where the JSON lines of a warehouse lie."""
    return warehouse.with_name(warehouse.name + ".ledger.jsonl")


def now() -> datetime:
    """Return the present time as the warehouse stores it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


class Ledger:
    """Append entries to the chain of one warehouse; call inside a transaction, then publish()."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
        self._connection = connection
        self._path = ledger_path(warehouse)
        self._pending: list[str] = []

    def head(self) -> str:
        """Return the hash of the newest entry."""
        row = self._connection.execute(
            "select value from meta.property where name = 'ledger_head'"
        ).fetchone()
        return str(row[0]) if row else GENESIS

    def append(self, kind: str, entry: dict[str, Any]) -> str:
        """Write one entry to its table and chain it; return its hash."""
        previous = self.head()
        line = canonical({"entry": kind, **entry})
        digest = hashlib.sha256((previous + line).encode()).hexdigest()
        row = {**entry, "prev_hash": previous, "hash": digest}
        columns, marks = ", ".join(row), ", ".join("?" for _ in row)
        self._connection.execute(
            f"insert into {TABLES[kind]} ({columns}) values ({marks})", list(row.values())
        )
        self._connection.execute("delete from meta.property where name = 'ledger_head'")
        self._connection.execute("insert into meta.property values ('ledger_head', ?)", [digest])
        self._pending.append(canonical({"entry": kind, **row}))
        return digest

    def publish(self) -> None:
        """Append the committed entries to the JSON lines beside the warehouse."""
        if not self._pending:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in self._pending)
        self._pending.clear()


def canonical(entry: dict[str, Any]) -> str:
    """Return an entry as the one text that is hashed: sorted keys, no spaces, ISO times, nulls left out."""
    kept = {name: value for name, value in entry.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def broken_links(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the hashes at which the chain does not hold; an empty list for a sound ledger."""
    entries = {}
    for kind, table in TABLES.items():
        cursor = connection.execute(f"select * from {table}")
        names = [column[0] for column in cursor.description or []]
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            entries[row["prev_hash"]] = (kind, row)
    broken, previous = [], GENESIS
    for _ in range(len(entries)):
        if previous not in entries:
            broken.append(previous)
            break
        kind, row = entries[previous]
        content = {name: value for name, value in row.items() if name not in {"prev_hash", "hash"}}
        line = canonical({"entry": kind, **content})
        if hashlib.sha256((previous + line).encode()).hexdigest() != row["hash"]:
            broken.append(str(row["hash"]))
        previous = str(row["hash"])
    return broken
