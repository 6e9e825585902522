"""What every kind of test shares: a place with exports, mappings and a warehouse, and the real data if it is there."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import duckdb
import pytest

SHARED = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public real data; tests that need it are skipped without it."""
    if not SHARED.is_dir():
        pytest.skip("the folder of public real data is not beside the project")
    return SHARED


@dataclass
class Place:
    """A folder with exports, mappings and one warehouse."""

    folder: Path

    @property
    def warehouse(self) -> Path:
        return self.folder / "w.duckdb"

    def write(self, name: str, content: str | bytes) -> Path:
        """Write an export; text is dedented and written as UTF-8."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else dedent(content).lstrip("\n").encode())
        return path

    def map(self, text: str, site: str = "north") -> None:
        """Write the mapping of a site."""
        self.write(f"sites/{site}.yaml", text)

    def ingest(self, *paths: Path | str, site: str | None = "north", **options: object):
        """Ingest and return the report."""
        from etl.ingest import IngestOptions, ingest
        from etl.sites.mapping import load_sites

        sites = load_sites(self.folder / "sites")
        return ingest([str(path) for path in paths], self.warehouse, IngestOptions(site, sites, **options))

    @contextmanager
    def connection(self, *, read_only: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        from warehouse.connection import open_warehouse

        with open_warehouse(self.warehouse, read_only=read_only) as opened:
            yield opened

    def rows(self, query: str) -> list[tuple]:
        """Return the rows of a query."""
        with self.connection() as opened:
            return opened.execute(query).fetchall()

    def digest(self) -> str:
        from warehouse.digest import content_digest

        with self.connection() as opened:
            return content_digest(opened)

    def problems(self) -> list[str]:
        """Return what `verify` finds; empty for a sound warehouse."""
        from warehouse.verify import broken_ledger, unbalanced_loads

        with self.connection() as opened:
            return unbalanced_loads(opened) + broken_ledger(opened)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new warehouse with its key and views, made once and copied: every place starts from the same key."""
    from etl.ingest import IngestOptions, ingest

    folder = tmp_path_factory.mktemp("template")
    (folder / "empty.csv").write_text("nothing\n")
    ingest([str(folder / "empty.csv")], folder / "w.duckdb", IngestOptions("nobody"))
    with duckdb.connect(folder / "w.duckdb") as connection:
        connection.execute("delete from meta.run")
        connection.execute("delete from meta.property where name = 'ledger_head'")
    return folder


def _copied(template: Path, folder: Path) -> Place:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("w.duckdb", "w.duckdb.key"):
        shutil.copy(template / name, folder / name)
    return Place(folder)


@pytest.fixture
def place(tmp_path: Path, template: Path) -> Place:
    return _copied(template, tmp_path)


@pytest.fixture
def places(tmp_path: Path, template: Path) -> Callable[[str], Place]:
    """Make places that share one key, so that their content digests can be compared."""
    return lambda name: _copied(template, tmp_path / name)
