"""Decisions under another key: what names a record or a subject by the old key is said again by the new one.

A record keeps its place in its file under any key, so the same files loaded under both keys tell which id is which.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from etl.run import Run
from warehouse.decisions import IN_FORCE

NAMED = ("record_id", "subject_id")
# Views and tables that name both, with the column of the record id.
_TABLES = {
    "core.lab_result": "result_id",
    "core.response": "record_id",
    "core.condition": "record_id",
    "core.medication": "record_id",
    "core.subject_attribute": "record_id",
}


@dataclass(frozen=True)
class Names:
    """Decisions with their translated targets, and how many could not be translated."""

    decisions: list[dict[str, Any]] = field(default_factory=list)
    lost: int = 0


def trial_path(build: Path, name: str) -> Path:
    """Return where the files are loaded for comparison only."""
    return build.with_name(f"{build.name}.trial-{name}")


def naming(old: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the decisions in force that name a record or a subject."""
    named = " or ".join(f"target ->> '{name}' is not null" for name in NAMED)
    found: list[dict[str, Any]] = (
        old.sql(
            f"select * from meta.decision where {IN_FORCE} and kind <> 'revoke' and ({named}) order by decided_at"
        )
        .pl()
        .to_dicts()
    )
    return found


def translate(old: duckdb.DuckDBPyConnection, wanted: list[dict[str, Any]], trials: dict[str, Path]) -> Names:
    """Translate the targets of decisions by the places of records in two trial loads."""
    for name, path in trials.items():
        quoted = str(path).replace("'", "''")
        old.execute(f"attach '{quoted}' as trial_{name} (read_only)")
    try:
        pairs = {name: dict(old.execute(_pairs(name)).fetchall()) for name in NAMED}
    finally:
        for name in trials:
            old.execute(f"detach trial_{name}")
    translated = []
    for decision in wanted:
        target = json.loads(decision["target"])
        said = {name: pairs[name].get(target[name]) for name in NAMED if name in target}
        if None not in said.values():
            translated.append(decision | {"target": json.dumps(target | said, sort_keys=True)})
    return Names(translated, len(wanted) - len(translated))


def append(run: Run, names: Names) -> None:
    """Record each translated decision, and that its old wording holds no longer, signed as it was."""
    for each in names.decisions:
        signed = {name: each[name] for name in ("who", "why", "decided_at")} | {"run_id": run.run_id}
        old_id = each["decision_id"]
        revoke = {"kind": "revoke", "target": json.dumps({"decision_id": old_id}), "old": each["new"]}
        run.ledger.append("decision", {"decision_id": f"revoke-{old_id}", **revoke, **signed})
        kept = {name: each[name] for name in ("kind", "target", "old", "new", "valid_from", "valid_to")}
        run.ledger.append("decision", {"decision_id": f"{old_id}-rekeyed", **kept, **signed})


def _pairs(name: str) -> str:
    """Return the query for old and new ids of the records or subjects that decisions in force name."""
    return f"""
        with wanted as (
            select distinct target ->> '{name}' as id from meta.decision where {IN_FORCE}
        ),
        before as ({_places("trial_old", name)}),
        after as ({_places("trial_new", name)})
        select distinct before.id, after.id
        from before semi join wanted on wanted.id = before.id
        inner join after using (sha256, row_number, locator, part)
    """


def _places(catalog: str, name: str) -> str:
    """Return the place of every candidate of a trial with its id; a place of attributes has several."""
    tables = dict(_TABLES)
    if name == "record_id":
        tables["quarantine.record"] = tables["meta.duplicate"] = "record_id"
    parts = [
        f"select file_id, row_number, locator, '{table}' as part, "
        f"{key if name == 'record_id' else name}::varchar as id from {catalog}.{table}"
        for table, key in tables.items()
    ]
    return f"""
        select file.sha256, place.* exclude (file_id)
        from ({" union all ".join(parts)}) as place
        inner join {catalog}.meta.source_file as file using (file_id)
    """
