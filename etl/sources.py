"""From what the user names to the files that are read: folders, patterns and archives unfold."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from etl.readers.archive import members
from etl.readers.base import Source
from schemas.errors import SourceUnreadable, UsageError

# Left behind by operating systems and editors; never an export.
JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini"})
JUNK_PREFIXES = (".", "~$", "__MACOSX")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Named:
    """A source, and whether the user named it: a named file that cannot be used is an error."""

    source: Source
    is_named: bool


def expand(paths: Iterable[str]) -> list[Named]:
    """Return the sources behind paths, folders and patterns, in a stable order, each once.

    An archive that cannot be opened is one source, which says so when it is opened. Raises UsageError for a path that
    matches nothing.
    """
    found: dict[tuple[Path, str | None], Named] = {}
    for path in paths:
        for file, is_named in _files(path):
            sources = _sources(file)
            for source in sources:
                # A member of an archive is not named by itself, unless the archive holds nothing else.
                named = Named(source, is_named and len(sources) == 1)
                found.setdefault((source.path.resolve(), source.member), named)
    return list(found.values())


def _sources(file: Path) -> list[Source]:
    try:
        return members(file)
    except SourceUnreadable as error:
        return [Source(file, error=error)]


def _files(path: str) -> list[tuple[Path, bool]]:
    given = Path(path)
    if given.is_dir():
        inside = sorted(each for each in given.rglob("*") if each.is_file() and not _is_junk(each))
        if not inside:
            raise UsageError(
                f"The folder {given} holds no files.",
                "Hidden files and system folders do not count.",
                "name a folder with exports, or a file",
            )
        return [(each, False) for each in inside]
    if given.is_file():
        return [(given, True)]
    if given.exists():
        raise SourceUnreadable(
            f"{given} is no file.",
            "A pipe or a device can be read once; an export is read twice, and its bytes are what identifies it.",
            "save what it gives to a file, and name that",
        )
    matched = sorted(Path(each) for each in glob.glob(path, recursive=True) if Path(each).is_file())  # noqa: PTH207
    if not matched:
        raise SourceUnreadable(
            f"There is no file at {path}.",
            "Neither a file, a folder nor a pattern that matches one stands there.",
            "check the path; quote a pattern that your shell does not know",
        )
    return [(each, False) for each in matched]


def _is_junk(path: Path) -> bool:
    return path.name.lower() in JUNK_NAMES or any(part.startswith(JUNK_PREFIXES) for part in path.parts[-2:])


def paths_by_hash(sources: Iterable[Path]) -> dict[str, str]:
    """Return the path of each source by the hash of its bytes."""
    named = [str(path) for path in sources]
    return {_digest(each.source.open()): str(each.source.path) for each in expand(named)} if named else {}


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    with stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
