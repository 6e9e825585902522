"""The documentation says what is true now: its generated parts are what the program says of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import PAGES, ROOT, generated

LIMITS = {".py": 300, ".sql": 120}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_generated_parts_are_up_to_date(page: str) -> None:
    assert (ROOT / page).read_text("utf-8") == generated(page), "run `make docs`"


def test_every_command_has_help() -> None:
    commands = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert commands.count("## etl ") > 6
    assert "\n  -w, --warehouse" in commands


def test_decisions_are_short() -> None:
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert len(path.read_text("utf-8").splitlines()) <= 30, path.name


def test_files_stay_small() -> None:
    code = [
        path
        for folder in ("etl", "schemas", "warehouse", "expectations")
        for path in (ROOT / folder).rglob("*")
    ]
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in [*code, ROOT / "cli.py"]
        if path.suffix in LIMITS and (lines := len(path.read_text("utf-8").splitlines())) > LIMITS[path.suffix]
        and "migrations" not in path.parts
    ]  # fmt: skip
    assert long == []


def test_the_commands_start_without_the_packages_they_do_not_need() -> None:
    code = (
        "import sys, etl.commands.options; sys.exit(len({'polars', 'duckdb', 'pandas'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode
        == 0
    )
