"""Sources of formats that a library reads as a whole: their digest, and what to hand to the library."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from etl.readers.archive import is_seekable
from etl.readers.base import Source
from schemas.errors import SourceUnreadable

BLOCK = 1 << 20
IN_MEMORY = 1 << 30  # bytes of an archive's member; beyond, the user unpacks it


@dataclass(frozen=True)
class Digest:
    """The digest and the size of a source's decompressed bytes."""

    sha256: str
    size: int


def digest_of(source: Source) -> Digest:
    """Read a source once for its digest. Raises SourceUnreadable, for an empty one too."""
    digest, size = hashlib.sha256(), 0
    with source.open() as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    if not size:
        raise SourceUnreadable(
            f"{source.name} is empty.", "It holds no byte.", "ask the site to send it again"
        )
    return Digest(digest.hexdigest(), size)


def bytes_of(source: Source, limit: int = IN_MEMORY) -> bytes:
    """Return a source's decompressed bytes. Raises SourceUnreadable if there are more than the limit."""
    with source.open() as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise SourceUnreadable(
            f"{source.name} is too large to be read in one piece.",
            f"It holds more than {limit >> 20} MiB, and its format or its archive allows no smaller parts.",
            "unpack it, or export it as CSV or in several files",
        )
    return data


def handle_of(source: Source, limit: int = IN_MEMORY) -> Path | BinaryIO:
    """Return what a library can open and seek in: the path of a plain file, else the bytes in memory."""
    return source.path if is_seekable(source) else io.BytesIO(bytes_of(source, limit))
