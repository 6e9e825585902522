"""Where loaded files were read from, sealed because file names carry patients' names."""

from __future__ import annotations

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
