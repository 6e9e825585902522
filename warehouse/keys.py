"""The project's key: a 0600 file outside the warehouse, from which every other key is derived.

A lost key cannot be replaced: pseudonyms and sealed originals depend on it. The warehouse holds a check value only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from schemas.errors import WarehouseDamaged

PUBLISHED = ".published"  # the suffix of a published copy


@dataclass(frozen=True)
class Keys:
    """The keys that derive from one master key; each use has its own."""

    master: bytes

    def _derived(self, use: str) -> bytes:
        return hmac.new(self.master, use.encode(), hashlib.sha256).digest()

    @cached_property
    def pseudonym(self) -> bytes:
        """Key of subject ids and linkage tokens, as hex text, which the vectorised HMAC needs."""
        return self._derived("pseudonym").hex().encode()

    @cached_property
    def record(self) -> str:
        """Key of record and result ids, as hex text."""
        return self._derived("record").hex()

    @cached_property
    def seal(self) -> bytes:
        """Key that seals held originals and file names (AES-256-GCM)."""
        return self._derived("seal")

    @cached_property
    def check(self) -> str:
        """Value stored in the warehouse to notice a wrong key; it tells nothing about the key."""
        return self._derived("check").hex()[:32]

    def days(self, subject_id: str) -> int:
        """Return by how many days a subject's dates are shifted back where they are: 1 to 365."""
        digest = hmac.new(self._derived("shift"), subject_id.encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8]) % 365 + 1

    def record_id(self, *parts: bytes) -> str:
        """Return the id of a record from its framed parts: 128 bits of HMAC-SHA256 as 32 hex digits."""
        framed = b"".join(len(part).to_bytes(8) + part for part in parts)
        return hmac.new(self._derived("damage"), framed, hashlib.sha256).hexdigest()[:32]

    def token(self, *parts: str) -> str:
        """Return a short id for parts of content: 130 bits of HMAC-SHA256 as base32."""
        framed = b"".join(len(data := part.encode()).to_bytes(4) + data for part in parts)
        digest = hmac.new(self._derived("token"), framed, hashlib.sha256).digest()
        return base64.b32encode(digest).decode().lower()[:26]


def key_path(warehouse: Path) -> Path:
    """Return where the key of a warehouse, or of its published copy, lies: ETL_KEY, else beside the warehouse."""
    declared = os.environ.get("ETL_KEY")
    return (
        Path(declared) if declared else warehouse.with_name(warehouse.name.removesuffix(PUBLISHED) + ".key")
    )


def load_keys(warehouse: Path, connection: duckdb.DuckDBPyConnection, key_file: Path | None = None) -> Keys:
    """Read the key, make it for a new warehouse, and compare its check value with the warehouse's.

    key_file: where it lies, if not where key_path() says. Raises WarehouseDamaged when the key is missing or belongs to
    another warehouse.
    """
    path = key_file or key_path(warehouse)
    known = connection.execute("select value from meta.property where name = 'key_check'").fetchone()
    if not path.exists():
        if known is not None:
            raise WarehouseDamaged(
                f"The key file {path.name} is missing.",
                "Subject ids and held originals of this warehouse depend on it.",
                f"restore the key file beside {warehouse.name}, or point ETL_KEY to it",
            )
        _create(path)
    keys = Keys(base64.b64decode(path.read_bytes()))
    if known is None:
        connection.execute("insert into meta.property values ('key_check', ?)", [keys.check])
    elif known[0] != keys.check:
        raise WarehouseDamaged(
            f"{path.name} is not the key of {warehouse.name}.",
            "Its check value differs, so every subject would get a new id.",
            "point ETL_KEY to the key that this warehouse was made with",
        )
    return keys


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(32)) + b"\n")
