"""Members of .tar, .tar.gz and .tgz, found and opened in place: nothing is unpacked to disk.

A small archive is decompressed once and kept while its members are read; a large one is decompressed up to the member
each time.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

NAMES = (".tar", ".tar.gz", ".tgz")
KEPT = 256 << 20  # decompressed bytes of an archive that is held in memory
GZIP_MAGIC = b"\x1f\x8b"


def is_tar(path: Path) -> bool:
    """Tell an archive by its name."""
    return path.name.lower().endswith(NAMES)


def tar_members(path: Path, most: int) -> Iterator[str]:
    """Yield the names of the regular files, each once; one more than the most that are allowed at the end."""
    seen: dict[str, None] = {}
    with _opened(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            if member.isreg() and not member.issparse():
                seen[member.name] = None
            if len(seen) > most:
                break
    yield from seen


def open_tarred(path: Path, name: str) -> tuple[BinaryIO, int] | None:
    """Return a member's bytes and its size; None if there is none of that name. Of two, the last one counts."""
    place = None
    with _opened(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
        for member in archive:
            if member.name == name and member.isreg():
                place = (member.offset_data, member.size)
    if place is None:
        return None
    stream = _open(path)
    stream.seek(place[0])
    return cast("BinaryIO", io.BufferedReader(_Window(stream, place[1]))), place[1]


class _Window(io.RawIOBase):
    """So many bytes of a stream from where it stands."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # a narrower buffer
        view = memoryview(buffer).cast("B")
        data = self._stream.read(min(len(view), self._left))
        if not data and self._left:
            raise EOFError
        self._left -= len(data)
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    stream = _open(path)
    try:
        yield stream
    finally:
        stream.close()


def _open(path: Path) -> BinaryIO:
    """Open the decompressed archive, from memory if it is small enough."""
    file = path.open("rb")
    if file.peek(2)[:2] != GZIP_MAGIC:
        return file
    about = path.stat()
    file.close()
    small = _small(path, about.st_mtime_ns, about.st_size)
    return io.BytesIO(small) if small is not None else cast("BinaryIO", gzip.open(path))


@lru_cache(maxsize=1)
def _small(path: Path, changed: int, size: int) -> bytes | None:  # noqa: ARG001 - a changed file is another one
    with gzip.open(path) as stream:
        data = stream.read(KEPT + 1)
    return data if len(data) <= KEPT else None
