"""Protected workbooks. Written with xlsxwriter and xlwt, then encrypted: as agile by the library, as RC4 here by [MS-OFFCRYPTO] 2.3.6."""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from pathlib import Path

import olefile
import pytest
import xlsxwriter
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from typer.testing import CliRunner
from xlwt.CompoundDoc import XlsDoc

from cli import app
from etl.readers import protection
from etl.readers.base import Hints, Source
from etl.readers.excel import ExcelReader
from schemas.errors import SourceUnreadable, UsageError

SECRET = "Möwe 7; right"
ROWS = [
    ("patient_id", "test", "result", "unit"),
    ("p1", "Vitamin B12", "310", "pg/mL"),
    ("p2", "Ferritin", "45.5", "ng/mL"),
]
PROTECTED = Path("../shared/data/tabular/calamine/pass_protected.xlsx")
BOF, FILE_PASS, BOUND_SHEET = 0x0809, 0x002F, 0x0085


@pytest.fixture(autouse=True)
def no_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(protection.VARIABLE, "")


def plain_xlsx() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, cells in enumerate(ROWS):
            sheet.write_row(row, 0, cells)
    return stream.getvalue()


def agile(password: str = SECRET) -> bytes:
    """Excel's and LibreOffice's way since 2010: AES, the key from 100,000 turns of SHA-512."""
    stream = io.BytesIO()
    OOXMLFile(io.BytesIO(plain_xlsx())).encrypt(password, stream)
    return stream.getvalue()


def rc4(key: bytes, data: bytes) -> bytes:
    state, at, found = list(range(256)), 0, bytearray()
    for place in range(256):
        at = (at + state[place] + key[place % len(key)]) % 256
        state[place], state[at] = state[at], state[place]
    first = second = 0
    for byte in data:
        first = (first + 1) % 256
        second = (second + state[first]) % 256
        state[first], state[second] = state[second], state[first]
        found.append(byte ^ state[(state[first] + state[second]) % 256])
    return bytes(found)


def workbook_stream(title: str) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet(title)
    for row, cells in enumerate(ROWS):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    stream = io.BytesIO()
    book.save(stream)
    with olefile.OleFileIO(stream) as parts:
        return parts.openstream("Workbook").read()


def records(stream: bytes) -> Iterator[tuple[int, bytearray]]:
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if not kind:  # what the writer fills the last sector with
            return
        yield kind, bytearray(stream[at : at + 4 + size])
        at += 4 + size


def legacy(password: str = SECRET) -> bytes:
    """Excel 97's way: RC4 in blocks of 1,024 bytes, the heads of records left as they are."""
    # The writer fills the stream with zeros, which the library reads as records of four bytes.
    titles = (f"Sheet{'1' * length}" for length in range(1, 5))
    plain = next(
        each for each in map(workbook_stream, titles) if not sum(len(r) for _, r in records(each)) + 58 & 3
    )
    salt, verifier = bytes(range(16)), bytes(range(16, 32))
    short = hashlib.md5(password.encode("utf-16-le")).digest()[:5]
    base = hashlib.md5((short + salt) * 16).digest()[:5]
    keys = [hashlib.md5(base + struct.pack("<I", block)).digest() for block in range(len(plain) // 1024 + 2)]
    checked = rc4(keys[0], verifier + hashlib.md5(verifier).digest())
    file_pass = struct.pack("<HHHHH", FILE_PASS, 54, 1, 1, 1) + salt + checked

    body, clear = bytearray(), []  # all of it, and what of it stays as it is
    for kind, record in records(plain):
        if kind == BOUND_SHEET:  # names where its sheet begins, which FILE_PASS moves
            struct.pack_into("<I", record, 4, struct.unpack_from("<I", record, 4)[0] + len(file_pass))
        kept = {BOF: len(record), BOUND_SHEET: 8}.get(kind, 4)
        clear.append((len(body), bytes(record[:kept])))
        body += record
        if len(clear) == 1:
            clear.append((len(body), file_pass))
            body += file_pass
    blocks = (rc4(key, bytes(body[block * 1024 : (block + 1) * 1024])) for block, key in enumerate(keys))
    hidden = bytearray(b"".join(blocks))
    for place, record in clear:
        hidden[place : place + len(record)] = record
    saved = io.BytesIO()
    XlsDoc().save(saved, bytes(hidden))
    return saved.getvalue()


def read(path: Path) -> list[tuple]:
    reader = ExcelReader()
    (table,) = reader.inspect(Source(path), Hints())
    (batch,) = reader.read(Source(path), table, table.ranges[0], table.columns)
    return [table.columns, *batch.frame.select(table.columns).rows()]


@pytest.fixture(params=[(agile, "labs.xlsx"), (legacy, "labs.xls")], ids=["agile", "rc4"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    make, name = request.param
    (tmp_path / name).write_bytes(make())
    return tmp_path / name


def words(tmp_path: Path, *lines: str, **kwargs: str) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", **kwargs)
    return path


def test_the_password_in_a_file_opens_a_workbook(locked: Path, tmp_path: Path) -> None:
    protection.use(words(tmp_path, "of another hospital", SECRET))
    assert read(locked) == ROWS


def test_without_its_password_a_workbook_is_refused(locked: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable) as refused:
        read(locked)
    assert "--password-file" in refused.value.fix
    protection.use(words(tmp_path, "wrong"))
    with pytest.raises(SourceUnreadable) as refused:
        read(locked)
    assert "none of those in the file" in refused.value.why
    assert "wrong" not in refused.value.message()


def test_what_excel_opens_without_asking_is_opened(tmp_path: Path) -> None:
    """[MS-OFFCRYPTO]: a workbook that only recommends to be read is encrypted with this fixed word."""
    (tmp_path / "labs.xlsx").write_bytes(agile("VelvetSweatshop"))
    assert read(tmp_path / "labs.xlsx") == ROWS


@pytest.mark.skipif(not PROTECTED.exists(), reason="the shared data is not here")
def test_a_published_workbook_of_excel_asks_for_its_password() -> None:
    with pytest.raises(SourceUnreadable) as refused:
        read(PROTECTED)
    assert "password" in refused.value.why


@pytest.mark.parametrize(
    "command",
    [["ingest", "-w", "w.duckdb", "--site", "x"], ["profile"], ["map", "suggest"], ["map", "coverage"]],
)
def test_every_command_that_reads_exports_takes_the_file(
    locked: Path, tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = words(tmp_path, SECRET)
    done = CliRunner().invoke(app, [*command, str(locked), "--password-file", str(path)])
    assert done.exit_code == 0
    assert "result" in done.output or "loaded" in done.output
    assert SECRET not in done.output


def test_a_file_of_passwords_that_is_none_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.txt", words(tmp_path, "")):
        with pytest.raises(UsageError, match="file of passwords"):
            protection.use(path)


def test_a_key_described_with_entities_is_refused(tmp_path: Path) -> None:
    data, made_up = agile(), b"<!DOCTYPE a [<!ENTITY b 'c'>]>"
    with olefile.OleFileIO(io.BytesIO(data)) as parts:
        described = parts.openstream("EncryptionInfo").read()
    changed = described[:8] + made_up + described[8 + len(made_up) :]
    assert data.count(described) == 1
    (tmp_path / "labs.xlsx").write_bytes(data.replace(described, changed))
    protection.use(words(tmp_path, SECRET))
    with pytest.raises(SourceUnreadable) as refused:
        read(tmp_path / "labs.xlsx")
    assert "cannot be undone" in refused.value.why


def test_a_key_is_described_in_few_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Excel's description has about 1,300 bytes; the bound is lowered below that."""
    monkeypatch.setattr(protection, "LARGEST", 1_000)
    (tmp_path / "labs.xlsx").write_bytes(agile())
    protection.use(words(tmp_path, SECRET))
    with pytest.raises(SourceUnreadable) as refused:
        read(tmp_path / "labs.xlsx")
    assert "cannot be undone" in refused.value.why


def test_damage_to_a_protected_workbook_ends_in_words(locked: Path, tmp_path: Path) -> None:
    import random

    chance, data = random.Random(7), locked.read_bytes()
    protection.use(words(tmp_path, SECRET))
    refused = 0
    for _ in range(12):
        damaged = bytearray(data)
        for _ in range(20):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        locked.write_bytes(damaged[: chance.randrange(600, len(damaged))])
        try:
            read(locked)
        except SourceUnreadable as error:
            refused += bool(error.why)
        except ValueError:
            refused += 0  # another table than expected: it could be read
    assert refused
