"""The shell: the same queries as `etl sql`, one after another, and nothing left on disk."""

from __future__ import annotations

import subprocess

import pytest

from etl.shell import shell
from schemas.errors import WarehouseLocked

from .conftest import ETL


@pytest.fixture
def loaded(place):
    place.ingest(
        place.write(
            "labs.csv", "patient_id,test,result,unit,collected\nP1,Vitamin B12,310,pg/mL,2021-03-05\n"
        )
    )
    return place


def typed(place, lines: list[str | type[BaseException]], choose=None) -> tuple[list[str], list[str]]:
    """Type lines, or raise what the terminal would; return what was shown and what failed."""
    given = iter([*lines, EOFError])

    def ask(_: str) -> str:
        line = next(given)
        if isinstance(line, str):
            return line
        raise line

    shown: list[str] = []
    failed: list[str] = []
    shell(choose or (lambda: place.warehouse), ask, shown.append, failed.append)
    return shown, failed


def test_queries_end_with_a_semicolon_and_errors_do_not_end_the_session(loaded) -> None:
    shown, failed = typed(
        loaded,
        ["select value", "from core.lab_result;", "selct;", "delete from core.lab_row;", "select 7 as x"],
    )
    assert ["310" in text or "7" in text for text in shown] == [True, True]
    assert [message.startswith("Error: ") for message in failed] == [True, True]


def test_a_line_can_be_given_up_and_the_session_left(loaded) -> None:
    shown, _ = typed(loaded, ["select 1", KeyboardInterrupt, "select 2 as x;", "exit", "select 3 as x;"])
    assert len(shown) == 1
    assert "2" in shown[0]


def test_the_warehouse_is_chosen_anew_for_each_query(loaded) -> None:
    """Another process may have begun to write in between."""
    answers = iter([loaded.warehouse, None, loaded.warehouse])

    def choose():
        found = next(answers)
        if found is None:
            raise WarehouseLocked("w.duckdb is in use.", "One process writes.", "wait")
        return found

    shown, failed = typed(loaded, ["select 1 as x;"] * 3, choose)
    assert (len(shown), len(failed)) == (2, 1)


def test_piped_queries_leave_nothing_behind(loaded) -> None:
    before = {path.name for path in loaded.folder.iterdir()}
    done = subprocess.run(
        [str(ETL), "shell", "-w", "w.duckdb"], input="select value from core.lab_result;\ncopy (select 1) to 'out.csv';\n",
        cwd=loaded.folder, capture_output=True, text=True, check=False, env={"HOME": str(loaded.folder), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0
    assert "310" in done.stdout
    assert "Error: " in done.stderr
    assert {path.name for path in loaded.folder.iterdir()} == before
