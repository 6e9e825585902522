"""Archives made here with the standard library: what is taken from them and what is refused."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from etl.readers import archive
from etl.readers.archive import members, open_source
from etl.readers.base import Source
from schemas.errors import SourceUnreadable


def zipped(path, **files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def content(source: Source) -> bytes:
    with open_source(source) as file:
        return file.read()


def test_a_plain_file_is_its_own_only_source(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    assert members(tmp_path / "a.csv") == [Source(tmp_path / "a.csv")]
    assert content(Source(tmp_path / "a.csv")) == b"a\n1\n"


def test_members_leave_out_what_is_no_export(tmp_path):
    names = [
        "b.csv",
        "deep/a.csv",
        "__MACOSX/b.csv",
        ".hidden.csv",
        "deep/.DS_Store",
    ]
    path = zipped(tmp_path / "a.zip", **dict.fromkeys(names, b"a\n"), **{"folder/": b""})
    assert [source.member for source in members(path)] == ["b.csv", "deep/a.csv"]
    assert content(members(path)[1]) == b"a\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zip"]


def test_a_chinese_name_from_windows_is_read_and_opened(tmp_path):
    """Windows writes GBK without the UTF-8 flag; the format's default would show it in code page 437."""
    path = tmp_path / "a.zip"
    name = "检验结果.csv"
    info = zipfile.ZipInfo("placeholder-.csv")  # as long as the name in GBK
    gbk = name.encode("gbk")
    info.filename = "p" * len(gbk)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(info, b"a,b\n")
    path.write_bytes(path.read_bytes().replace(b"p" * len(gbk), gbk))
    (source,) = members(path)
    assert source.member == name
    assert content(source) == b"a,b\n"


def test_gzip_is_known_by_its_first_bytes_and_joined_streams_are_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"1\n"))
    assert content(Source(path)) == b"a\n1\n"
    inside = zipped(tmp_path / "a.zip", **{"a.csv.gz": path.read_bytes()})
    assert content(members(inside)[0]) == b"a\n1\n"


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FREE_BYTES", 1 << 16)
    zeros = bytes(1 << 22)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(zeros))
    bombs = [Source(tmp_path / "a.csv.gz"), *members(zipped(tmp_path / "a.zip", **{"a.csv": zeros}))]
    for source in bombs:
        with pytest.raises(SourceUnreadable, match=r"a\.csv.* is refused"):
            content(source)


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    with pytest.raises(SourceUnreadable, match="is refused"):
        members(zipped(tmp_path / "a.zip", a=b"", b=b"", c=b""))


def damaged_files(tmp_path):
    packed = gzip.compress(b"a,b\n" * 10_000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", b"a,b\n" * 10_000)
    whole = bytearray(buffer.getvalue())
    whole[60] ^= 0xFF
    for name, data in {"cut.csv.gz": packed[:-20], "broken.zip": bytes(whole)}.items():
        (tmp_path / name).write_bytes(data)
        yield tmp_path / name


def test_damaged_archives_give_a_message(tmp_path):
    for path in damaged_files(tmp_path):
        with pytest.raises(SourceUnreadable, match="cannot be decompressed"):
            content(members(path)[0])
    (tmp_path / "no.zip").write_bytes(b"not an archive")
    with pytest.raises(SourceUnreadable, match="cannot be decompressed"):
        members(tmp_path / "no.zip")


def test_a_password_gives_a_message(tmp_path):
    path = zipped(tmp_path / "a.zip", **{"a.csv": b"a,b\n"})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag of encryption, in the local header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(SourceUnreadable) as caught:
        content(Source(path, "a.csv"))
    assert "password" in caught.value.message()


def test_what_is_not_there_gives_a_message(tmp_path):
    with pytest.raises(SourceUnreadable, match=r"There is no file none\.csv"):
        content(Source(tmp_path / "none.csv"))
    path = zipped(tmp_path / "a.zip", **{"a.csv": b""})
    with pytest.raises(SourceUnreadable, match=r"a\.zip holds no b\.csv"):
        content(Source(path, "b.csv"))
    with pytest.raises(SourceUnreadable, match="cannot be read"):
        content(Source(tmp_path))


def packed(path: Path, files: dict[str, bytes], mode: str = "w:gz", **odd: tarfile.TarInfo) -> Path:
    with tarfile.open(path, mode) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        for info in odd.values():
            file.addfile(info)
    return path


TARRED = {"labs/a.csv": b"id,value\n1,5\n", "b.csv.gz": gzip.compress(b"id\n1\n"), "labs/empty.csv": b""}


@pytest.mark.parametrize(("name", "mode"), [("x.tar", "w"), ("x.tar.gz", "w:gz"), ("X.TGZ", "w:gz")])
def test_members_of_a_tar_are_its_regular_files(tmp_path, name, mode):
    sources = members(packed(tmp_path / name, TARRED, mode))
    assert [each.name for each in sources] == list(TARRED)
    contents = []
    for each in sources:
        with each.open() as file:
            contents.append(file.read())
    assert contents == [b"id,value\n1,5\n", b"id\n1\n", b""]


@pytest.mark.parametrize("name", ["../up.csv", "/root.csv", "C:/x.csv", "d\\..\\..\\y.csv", "a/../../up.csv"])
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    """It is listed all the same, so that nothing is left out without a word."""
    files = {name: b"x", "good.csv": b"id\n"}
    for path in (packed(tmp_path / "x.tar.gz", files), zipped(tmp_path / "x.zip", **files)):
        odd, good = members(path)
        assert content(good) == b"id\n"
        with pytest.raises(SourceUnreadable) as caught:
            odd.open()
        assert "leads out of the archive" in caught.value.message()


def test_links_devices_and_hidden_files_of_a_tar_are_no_exports(tmp_path):
    link, hard, device = tarfile.TarInfo("link.csv"), tarfile.TarInfo("hard.csv"), tarfile.TarInfo("pipe.csv")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    hard.type, hard.linkname = tarfile.LNKTYPE, "../outside.csv"
    device.type = tarfile.FIFOTYPE
    bad = dict.fromkeys(("__MACOSX/._a.csv", "._a.csv", ".hidden/a.csv"), b"x")
    path = packed(tmp_path / "x.tar.gz", bad | {"good.csv": b"id\n"}, link=link, hard=hard, device=device)
    assert [each.name for each in members(path)] == ["good.csv"]


def test_two_files_of_a_zip_by_one_name_are_refused(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"a.csv": b"one", "b.csv": b"id\n"})
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("a.csv", b"another")
    twice, once = members(path)
    assert content(once) == b"id\n"
    with pytest.raises(SourceUnreadable) as caught:
        twice.open()
    assert "holds 2 files of this name" in caught.value.message()


@pytest.mark.parametrize("name", ["empty.zip", "empty.tar", "hidden.zip"])
def test_an_archive_without_an_export_is_refused(tmp_path, name):
    files = {".hidden/a.csv": b"x"} if name == "hidden.zip" else {}
    path = packed(tmp_path / name, files, "w") if name.endswith("tar") else zipped(tmp_path / name, **files)
    with pytest.raises(SourceUnreadable, match="holds no export"):
        members(path)


def test_the_last_of_two_members_of_one_name_counts(tmp_path):
    path = tmp_path / "x.tar"
    packed(path, {"a.csv": b"old"}, "w")
    with tarfile.open(path, "a") as file:
        info = tarfile.TarInfo("a.csv")
        info.size = 3
        file.addfile(info, io.BytesIO(b"new"))
    (source,) = members(path)
    with source.open() as file:
        assert file.read() == b"new"


def test_a_tar_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "FREE_BYTES", 1 << 16)
    path = packed(tmp_path / "x.tar.gz", {"a.csv": bytes(1 << 22)})
    with pytest.raises(SourceUnreadable, match="is refused"):
        members(path)


def test_a_tar_of_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    path = packed(tmp_path / "x.tar", {f"{number}.csv": b"" for number in range(5)}, "w")
    with pytest.raises(SourceUnreadable) as error:
        members(path)
    assert (error.value.what, error.value.fix) == (
        "x.tar is refused.",
        "unpack it, at most 3 files at a time",
    )


@pytest.mark.parametrize("cut", [5, 40, 200])
def test_a_damaged_tar_gives_a_message(tmp_path, cut):
    path = packed(tmp_path / "x.tar.gz", {"a.csv": bytes(range(256)) * 40})
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(SourceUnreadable) as error:
        [content(source) for source in members(path)]
    assert error.value.fix


def test_bytes_that_are_no_tar_give_a_message(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"no archive at all" * 100)
    with pytest.raises(SourceUnreadable):
        members(tmp_path / "x.tar")


def test_a_large_tar_is_read_without_being_held(tmp_path, monkeypatch):
    monkeypatch.setattr("etl.readers.tarred.KEPT", 100)
    for source, data in zip(members(packed(tmp_path / "x.tar.gz", TARRED)), TARRED.values(), strict=True):
        with source.open() as file:
            assert file.read() == (gzip.decompress(data) if data[:1] == b"\x1f" else data)
