"""Paths that are no files: pipes and devices beside an export or in its place never make a command wait."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

EXPORT = "patient_id,collected_at,test,result,unit\np1,2021-03-05,Vitamin B12,300,pg/mL\n"

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "exports"
    inside.mkdir()
    (inside / "lab.csv").write_text(EXPORT)
    os.mkfifo(inside / "pipe.csv")
    (inside / "device.csv").symlink_to("/dev/zero")
    (inside / "nowhere.csv").symlink_to(inside / "none")
    return inside


@pytest.mark.parametrize("name", ["pipe.csv", "device.csv", "nowhere.csv"])
def test_what_is_no_file_is_refused(etl, folder: Path, name: str) -> None:
    ran = etl("ingest", folder / name, "--site", "s", "-w", folder.parent / "w.duckdb")
    assert ran.code == 3
    assert "Try:" in ran.err


def test_what_is_no_file_is_left_out_of_a_folder(etl, folder: Path) -> None:
    ran = etl("ingest", folder, "--site", "s", "-w", folder.parent / "w.duckdb")
    assert ran.code == 0
    assert "1 read = 1 accepted" in ran.out


@pytest.mark.parametrize("command", [("profile",), ("map", "suggest"), ("map", "coverage")])
def test_what_lies_beside_an_export_is_not_opened(etl, folder: Path, command: tuple[str, ...]) -> None:
    assert etl(*command, folder / "lab.csv").code == 0


def test_a_damaged_archive_leaves_the_others_of_its_folder_alone(etl, folder: Path) -> None:
    (folder / "cut.zip").write_bytes(b"PK\x03\x04 cut")
    ran = etl("ingest", folder, "--site", "s", "-w", folder.parent / "w.duckdb")
    assert ran.code == 3
    assert "cut.zip cannot be decompressed." in ran.out
    assert "1 read = 1 accepted" in ran.out
    assert "cut.zip" in etl("profile", folder).out
