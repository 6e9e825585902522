"""Workbooks that a password protects: opened in memory with the passwords that a file of the user's names.

A password is never an argument, and stands in no plan, log or message. The library takes the key of a workbook from a
description within it, which is checked before: it may be anybody's.
"""

from __future__ import annotations

import io
import os
import struct
from functools import cache
from pathlib import Path
from typing import Any, Final
from xml.parsers.expat import ExpatError

from schemas.errors import SourceUnreadable, UsageError

VARIABLE: Final = "ETL_PASSWORD_FILE"
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# With this one Excel protects what it then opens without asking ([MS-OFFCRYPTO] 2.3.7.4 and 2.4.2.3).
UNASKED: Final = "VelvetSweatshop"
LARGEST: Final = 64 << 10  # bytes of a file of passwords, and of the description of a key
DESCRIPTION: Final = "EncryptionInfo"
IN_XML: Final = b"\x04\x00\x04\x00"  # how a description begins that the library parses as XML
# What the library raises for files that are damaged or made up.
DAMAGE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    struct.error,
    ExpatError,
)


def use(path: Path | None) -> None:
    """Let this process open protected workbooks with the passwords in a file, one a line. Raises UsageError."""
    if path is not None:
        _read(path)
        os.environ[VARIABLE] = str(path)


def opened(data: bytes, name: str) -> bytes:
    """Return a workbook as it is without its password; data that is not protected comes back as it is.

    Raises SourceUnreadable if no password opens it.
    """
    if not data.startswith(OLE):
        return data
    from msoffcrypto import OfficeFile
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

    try:
        if not _is_sound(data):
            raise locked(name)
        file: Any = OfficeFile(io.BytesIO(data))
        if not file.is_encrypted():
            return data
    except (FileFormatError, ParseError, DecryptionError, *DAMAGE):
        return data  # the workbook's reader tells better what is wrong with it
    asked = passwords()
    for password in (UNASKED, *asked):
        plain = io.BytesIO()
        try:
            file.load_key(password=password, **({"verify_password": True} if file.format == "ooxml" else {}))
            file.decrypt(plain)
        except InvalidKeyError:
            continue
        except (ParseError, DecryptionError, *DAMAGE):
            raise locked(name) from None
        return plain.getvalue()
    why = f"It is protected by a password{', and none of those in the file of passwords opens it' if asked else ''}."
    fix = "--password-file FILE, its password on a line of its own; or save a copy without one"
    raise SourceUnreadable(f"{name} cannot be opened.", why, fix)


def locked(name: str) -> SourceUnreadable:
    """Return the error for a workbook that no password can open here."""
    why = "It is protected by a password, in a way that is damaged or cannot be undone here."
    return SourceUnreadable(
        f"{name} cannot be opened.", why, "save a copy without a password and ingest that"
    )


def passwords() -> tuple[str, ...]:
    """Return the passwords of the user's file; none without a file."""
    named = os.environ.get(VARIABLE)
    return _read(Path(named)) if named else ()


@cache
def _read(path: Path) -> tuple[str, ...]:
    fix = "a text file, one password a line, that only you can read"
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"The file of passwords {path} cannot be read.", "It is not there, or no text.", fix
        ) from None
    found = tuple(line for line in lines if line)
    if not found or len(data) > LARGEST:
        raise UsageError(
            f"The file of passwords {path} cannot be used.", "It is empty, or larger than such a file.", fix
        )
    return found


def _is_sound(data: bytes) -> bool:
    """Tell whether the description of a key is short and declares no entities, before the library parses it."""
    from olefile import OleFileIO

    with OleFileIO(io.BytesIO(data)) as parts:
        if not parts.exists(DESCRIPTION):
            return True
        with parts.openstream(DESCRIPTION) as stream:
            description = stream.read(LARGEST + 1)
    return len(description) <= LARGEST and not (description.startswith(IN_XML) and b"<!" in description)
