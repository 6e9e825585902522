"""Readers: one module a format. The first reader that recognises a source reads it."""

from __future__ import annotations

from etl.readers.base import Reader, Source
from etl.readers.delimited import DelimitedReader

HEAD = 64 << 10  # bytes that a reader may judge by

# Delimited text comes last: it takes any text that nothing else claims.
READERS: dict[str, Reader] = {reader.name: reader for reader in (DelimitedReader(),)}


def detect(source: Source) -> Reader | None:
    """Return the reader for a source, judged by its name and first bytes; None if no reader knows it."""
    with source.open() as file:
        head = file.read(HEAD)
    return next((reader for reader in READERS.values() if reader.recognises(source.name, head)), None)
