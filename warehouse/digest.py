"""The content digest: what "the same rows" means, whatever their order, file, encoding or engine.

It covers the harmonized columns of a table. Left out are where a row came from (run, file, row, locator) and how its
sender spelled it (value_source, ref_text, and the ids made from that spelling): 3,8 and 3.8 are one result.
"""

from __future__ import annotations

import hashlib

import duckdb

DIGESTED = (
    "core.lab_result",
    "core.administration",
    "core.response",
    "core.score",
    "core.subject_attribute",
    "core.subject_link",
    "core.condition",
    "core.medication",
    "core.match_set",
)
LEFT_OUT = frozenset(
    {
        "result_id",
        "record_id",
        "run_id",
        "file_id",
        "row_number",
        "locator",
        "value_source",
        "ref_text",
        "flag_source",
    }
)


# Made from identifiers with the key of the warehouse: another key, other pseudonyms for the same rows.
KEYED = frozenset(
    {
        "subject_id",
        "linked_subject_id",
        "administration_id",
        "stated_administration_id",
        "result_key",
        "source_token",
    }
)


def content_digest(
    connection: duckdb.DuckDBPyConnection,
    tables: tuple[str, ...] = DIGESTED,
    left_out: frozenset[str] = frozenset(),
) -> str:
    """Return one hex digest for the rows of some tables; left_out: further columns that do not count.

    Each row is hashed with MD5 over its columns as text (doubles as their shortest round-trip form); the two halves
    of the hashes are added up, which no order of rows can change.
    """
    parts = []
    for table in tables:
        schema, name = table.split(".")
        columns = connection.execute(
            """
            select column_name from duckdb_columns()
            where schema_name = ? and table_name = ? order by column_index
            """,
            [schema, name],
        ).fetchall()
        # A column that is empty adds nothing, so a later version's new columns leave the digest of old data as it is.
        kept = [
            f"'{column}=' || {column}::varchar" for (column,) in columns if column not in LEFT_OUT | left_out
        ]
        row = connection.execute(
            f"""
            select count(*), sum(md5_number_upper(text)::hugeint), sum(md5_number_lower(text)::hugeint)
            from (select concat_ws(chr(31), {", ".join(kept)}) as text from {table})
            """
        ).fetchone()
        parts.append(f"{table}:{row}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
