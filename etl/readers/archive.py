"""Opening a source: plain, gzip, or a member of a zip or tar; nothing is ever unpacked to disk."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from etl.readers.base import Source
from etl.readers.tarred import is_tar, open_tarred, tar_members
from schemas.errors import SourceUnreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP_MAGIC = b"\x1f\x8b"
# Deflate packs text 5 to 30 times, at most 1,030 times. Beyond both limits it is a bomb, not an export.
MAX_RATIO = 250
FREE_BYTES = 1 << 30
MAX_MEMBERS = 100_000
UTF8_NAME = 0x800  # the flag of a zip entry that says: this name is UTF-8


def members(path: Path) -> list[Source]:
    """Return the sources in a file: the file itself, or the members of a zip or tar in their order.

    Skipped are folders, links, hidden files and what macOS adds. A name that leads out of the archive, or that a zip has
    twice, is a source that cannot be opened. Raises SourceUnreadable for an archive that is damaged or holds no file.
    """
    if is_tar(path):
        with _reported(path.name):
            _check_size(path)
            names = Counter(tar_members(path, MAX_MEMBERS))
    elif path.suffix.lower() == ".zip":
        with _reported(path.name), zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
        names = Counter(_member_name(info) for info in infos if not info.is_dir())
    else:
        return [Source(path)]
    if len(names) > MAX_MEMBERS:
        why = f"It holds {len(names):,} files or more."
        raise SourceUnreadable(
            f"{path.name} is refused.", why, f"unpack it, at most {MAX_MEMBERS:,} files at a time"
        )
    wanted = [
        Source(path, name, _refusal(path, name, count))
        for name, count in names.items()
        if not _is_hidden(name)
    ]
    if not wanted:
        why = "It is empty, or has only folders, links and hidden files."
        raise SourceUnreadable(
            f"{path.name} holds no export.", why, "name the export itself, or zip it again"
        )
    return wanted


def open_source(source: Source) -> BinaryIO:
    """Open the decompressed bytes of a source. Raises SourceUnreadable, then or while reading."""
    with _reported(source.name):
        if source.member is not None:
            return _open_member(source, source.member)
        file = source.path.open("rb")
        if file.peek(2)[:2] != GZIP_MAGIC:
            return file
        return _bounded(source, source.path.stat().st_size, gzip.GzipFile(fileobj=file), file)


def is_seekable(source: Source) -> bool:
    """Tell whether a byte offset can be reached without reading what comes before it."""
    if source.member is not None:
        return False
    with _reported(source.name), source.path.open("rb") as file:
        return file.read(2) != GZIP_MAGIC


def _check_size(path: Path) -> None:
    """Refuse a compressed tar that grows out of all proportion: its members are found by reading all of it."""
    with open_source(Source(path)) as stream:
        while stream.read(1 << 20):
            pass


def _open_member(source: Source, member: str) -> BinaryIO:
    if is_tar(source.path):
        return _open_tarred(source, member)
    archive = zipfile.ZipFile(source.path)
    info = next((each for each in archive.infolist() if _member_name(each) == member), None)
    if info is None:
        archive.close()
        raise SourceUnreadable(
            f"{source.path.name} holds no {member}.", "The archive was changed.", "name the archive again"
        )
    stream = cast("zipfile.ZipExtFile", archive.open(info))
    if stream.peek(2)[:2] != GZIP_MAGIC:
        return _bounded(source, info.compress_size, stream, archive)
    return _bounded(source, info.compress_size, gzip.GzipFile(fileobj=stream), stream, archive)


def _open_tarred(source: Source, member: str) -> BinaryIO:
    found = open_tarred(source.path, member)
    if found is None:
        raise SourceUnreadable(
            f"{source.path.name} holds no {member}.", "The archive was changed.", "name the archive again"
        )
    stream, size = found
    buffered = cast("io.BufferedReader", stream)
    inner = gzip.GzipFile(fileobj=stream) if buffered.peek(2)[:2] == GZIP_MAGIC else buffered
    return _bounded(source, size, inner, *([stream] if inner is not stream else []))


def _member_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; Windows stores Chinese names as GBK, which the format's default misreads."""
    if info.flag_bits & UTF8_NAME or info.filename.isascii():
        return info.filename
    stored = info.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return stored.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _is_hidden(name: str) -> bool:
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in _parts(name))


def _refusal(path: Path, name: str, count: int) -> SourceUnreadable | None:
    """Return why a member is not opened; None if it is."""
    parts = _parts(name)
    if ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
        why = "Its path leads out of the archive, as nobody packs an export."
    elif count > 1:
        why = f"The archive holds {count} files of this name, and which of them counts is not known."
    else:
        return None
    return SourceUnreadable(
        f"{name} in {path.name} is refused.", why, "unpack it where you can look at it, and name the file"
    )


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/")).parts or (name,)


@contextmanager
def _reported(name: str) -> Iterator[None]:
    """Turn what the operating system and the decompressors raise into an error that a user can mend."""
    try:
        yield
    except FileNotFoundError:
        raise SourceUnreadable(
            f"There is no file {name}.", "It has gone since it was found.", "name it again"
        ) from None
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, tarfile.TarError):
        why = "The compressed data is damaged or ends early."
        raise SourceUnreadable(f"{name} cannot be decompressed.", why, "copy or download it again") from None
    except NotImplementedError:
        why = "Its compression method is not a common one."
        raise SourceUnreadable(
            f"{name} cannot be decompressed.", why, "zip it with the default method"
        ) from None
    except RuntimeError:  # what zipfile raises for an encrypted member
        why = "The archive is protected by a password."
        raise SourceUnreadable(
            f"{name} cannot be decompressed.", why, "remove the password in a copy"
        ) from None
    except OSError as error:
        raise SourceUnreadable(
            f"{name} cannot be read.",
            error.strerror or "The system refused.",
            "check its rights and its disk",
        ) from None


class _Closes(Protocol):
    def close(self) -> None: ...


class _Bounded(io.RawIOBase):
    """Decompressed bytes, refused when they grow out of all proportion to what was stored."""

    def __init__(
        self,
        name: str,
        stored: int,
        inner: gzip.GzipFile | zipfile.ZipExtFile | io.BufferedReader,
        *outer: _Closes,
    ) -> None:
        self._name, self._inner, self._outer = name, inner, outer
        self._left = max(FREE_BYTES, stored * MAX_RATIO)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        with _reported(self._name):
            data = self._inner.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            why = f"It unpacks to more than {MAX_RATIO} times its stored size."
            raise SourceUnreadable(f"{self._name} is refused.", why, "unpack it yourself and ingest the file")
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            for each in (self._inner, *self._outer):
                each.close()
        super().close()


def _bounded(
    source: Source,
    stored: int,
    inner: gzip.GzipFile | zipfile.ZipExtFile | io.BufferedReader,
    *outer: _Closes,
) -> BinaryIO:
    return io.BufferedReader(_Bounded(source.name, stored, inner, *outer), 1 << 20)
