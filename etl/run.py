"""A run: one command that writes to the warehouse, recorded in the ledger when it ends."""

from __future__ import annotations

import secrets
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from warehouse.connection import transaction
from warehouse.ledger import Ledger, canonical, now


def tool_version() -> str:
    """Return the installed version of the tool."""
    try:
        return version("b12-rls-etl")
    except PackageNotFoundError:
        return "0+unknown"


class Run:
    """Record a command, its outcome and what it counted; detail never holds a cell or a file name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, warehouse: Path, command: str) -> None:
        self._connection = connection
        self._started = now()
        self._command = command
        self.ledger = Ledger(connection, warehouse)
        self.run_id = f"{self._started:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        self.detail: dict[str, Any] = {}
        self.is_recorded = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.is_recorded or isinstance(error, (KeyboardInterrupt, SystemExit)):
            return
        entry = {
            "run_id": self.run_id,
            "command": self._command,
            "tool_version": tool_version(),
            "started_at": self._started,
            "ended_at": now(),
            "outcome": "failed" if kind else "done",
            "detail": canonical(self.detail),
        }
        try:
            with transaction(self._connection):
                self.ledger.append("run", entry)
        except duckdb.Error:
            if kind is None:
                raise
            return  # the run failed because the warehouse did; that error is the one to show
        self.ledger.publish()
