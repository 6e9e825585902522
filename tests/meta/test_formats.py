"""Every reader has a page of what real files do, and every row of it names a test that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from docs.generate import ROOT
from etl.readers import READERS

FORMATS = ROOT / "docs" / "formats"
PAGES = sorted(path.name for path in FORMATS.glob("*.md") if path.name != "README.md")
NAMED = re.compile(r"`(test_\w+)(?:\[([^\]`]+)\])?`")
ABOVE = re.compile(r"(same|both above)")  # as the row before


@cache
def known_tests() -> dict[str, str]:
    """Return the file in which each test function stands."""
    found = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        code = path.read_text("utf-8")
        found |= dict.fromkeys(re.findall(r"^(?:async )?def (test_\w+)\(", code, re.MULTILINE), code)
    return found


def rows(page: str) -> Iterator[tuple[str, str]]:
    """Yield what each row of a table is about and what its last column says, where that column is `test`."""
    header: list[str] = []
    for line in (FORMATS / page).read_text("utf-8").splitlines():
        if not line.startswith("|"):
            header = []
        elif not header:
            header = cells(line)
        elif header[-1] == "test" and not set(line) <= set("|-: "):
            yield cells(line)[0], cells(line)[-1]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def test_every_reader_has_a_page() -> None:
    index = (FORMATS / "README.md").read_text("utf-8")
    assert [f"{name}.md" for name in READERS if f"{name}.md" not in PAGES] == []
    assert [page for page in PAGES if f"]({page})" not in index] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_quirk_names_a_test_that_exists(page: str) -> None:
    listed = list(rows(page))
    assert len(listed) >= 3
    known = known_tests()
    wrong = []
    for about, named in listed:
        tests = NAMED.findall(named)
        if not tests and not ABOVE.match(named):
            wrong.append(f"{about}: names no test")
        wrong += [
            f"{about}: {name} {case}".strip()
            for name, case in tests
            if name not in known or case not in known[name]
        ]
    assert wrong == []


def test_a_row_without_its_test_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.md").write_text(
        "| quirk | outcome | test |\n|---|---|---|\n" + "| a | b | `test_gone` |\n| c | d | - |\n" * 2
    )
    monkeypatch.setattr("tests.meta.test_formats.FORMATS", tmp_path)
    with pytest.raises(AssertionError, match="test_gone"):
        test_every_quirk_names_a_test_that_exists("x.md")
