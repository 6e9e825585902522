"""Doctor: is this installation sound, and what does it read? Counts and versions only, safe to send to anyone."""

from __future__ import annotations

import platform
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from etl.readers import READERS
from etl.run import tool_version
from schemas.errors import UserError
from warehouse.connection import open_warehouse
from warehouse.keys import key_path
from warehouse.migrate import applied_migrations
from warehouse.verify import broken_ledger, unbalanced_loads

PACKAGES = ("polars", "duckdb", "pandera", "great-expectations", "typer", "polars-hash", "cryptography")
_SOUND = True
ENOUGH_DISK = 2_000_000_000  # bytes: room for the temporary files of a large load


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    about: str
    is_sound: bool
    said: str


def doctor(warehouse: Path) -> list[Finding]:
    """Look at the installation and at a warehouse, if there is one."""
    findings = [Finding("tool", _SOUND, f"etl {tool_version()}, Python {platform.python_version()}")]
    findings += [_package(name) for name in PACKAGES]
    findings.append(Finding("formats", _SOUND, ", ".join(READERS)))
    free = shutil.disk_usage(
        warehouse.resolve().parent if warehouse.resolve().parent.exists() else Path.cwd()
    ).free
    findings.append(Finding("disk", free > ENOUGH_DISK, f"{free / 1e9:.0f} GB free"))
    if warehouse.exists():
        findings += [_key(warehouse), *_warehouse(warehouse)]
    else:
        findings.append(Finding("warehouse", _SOUND, f"none at {warehouse} yet; `etl ingest` makes it"))
    return findings


def _package(name: str) -> Finding:
    try:
        return Finding(name, _SOUND, version(name))
    except PackageNotFoundError:
        return Finding(name, not _SOUND, "not installed")


def _key(warehouse: Path) -> Finding:
    path = key_path(warehouse)
    if not path.exists():
        return Finding("key", not _SOUND, f"{path.name} is missing; restore it from where you keep it")
    is_private = not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return Finding(
        "key", is_private, "private" if is_private else f"others can read it: chmod 600 {path.name}"
    )


def _warehouse(warehouse: Path) -> list[Finding]:
    try:
        with open_warehouse(warehouse, read_only=True) as connection:
            loads, links = unbalanced_loads(connection), broken_ledger(connection)
            return [
                Finding("warehouse", _SOUND, f"{len(applied_migrations(connection))} migrations"),
                Finding("reconciliation", not loads, f"{len(loads)} loads do not add up"),
                Finding("ledger", not links, f"{len(links)} broken links"),
            ]
    except UserError as error:
        return [Finding("warehouse", not _SOUND, error.what)]
