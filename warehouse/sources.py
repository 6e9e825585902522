"""Where loaded files were read from, sealed because file names carry patients' names."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from warehouse.seal import unseal


def loaded_paths(connection: duckdb.DuckDBPyConnection, seal_key: bytes) -> list[str]:
    """Return the paths of the files with an active load, each once."""
    rows = connection.execute(
        """
        select source_file.name_sealed from meta.source_file semi join (
            select file_id from meta.load where status = 'active'
        ) as active using (file_id)
        """
    ).fetchall()
    return sorted({unseal(seal_key, sealed).decode() for (sealed,) in rows})


class LoadedFile(NamedTuple):
    """A file with an active load: who sent it, what it holds, and the path that it was read from."""

    site: str
    feed: str
    sha256: str
    path: str


def loaded_files(connection: duckdb.DuckDBPyConnection, seal_key: bytes) -> list[LoadedFile]:
    """Return the files with an active load in the order in which they were loaded; one with several tables, each once."""
    rows = connection.execute(
        """
        select load.site, load.feed, file.sha256, file.name_sealed
        from meta.load as load inner join meta.source_file as file using (file_id)
        where load.status = 'active'
        order by load.loaded_at, load.load_id
        """
    ).fetchall()
    files = (
        LoadedFile(site, feed, sha256, unseal(seal_key, sealed).decode())
        for site, feed, sha256, sealed in rows
    )
    return list(dict.fromkeys(files))


def delivered(connection: duckdb.DuckDBPyConnection, site: str, feed: str) -> list[str]:
    """Return the ids of a feed's active files; a corrected copy is no delivery."""
    rows = connection.execute(
        """
        select file_id from meta.load
        where site = ? and feed = ? and status = 'active' and delivery <> 'correction' order by file_id
        """,
        [site, feed],
    ).fetchall()
    return [file_id for (file_id,) in rows]


def other_sender(connection: duckdb.DuckDBPyConnection, sha256: str, site: str) -> str | None:
    """Return another site that sent the same bytes."""
    row = connection.execute(
        """
        select source_file.site from meta.source_file join meta.load using (file_id)
        where source_file.sha256 = ? and source_file.site <> ? and load.status = 'active'
        """,
        [sha256, site],
    ).fetchone()
    return str(row[0]) if row else None


def keep_mapping(connection: duckdb.DuckDBPyConnection, load_id: str, digest: str) -> None:
    """Note under which mapping an unchanged file was met last: what was edited in it did not concern the file."""
    connection.execute(
        """
        update meta.load set plan = json_merge_patch(plan, json_object('mapping', $digest))
        where load_id = $load_id and plan ->> 'mapping' is distinct from $digest
        """,
        {"load_id": load_id, "digest": digest},
    )
