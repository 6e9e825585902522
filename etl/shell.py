"""Shell: one read-only query after another, each ended by a semicolon. Nothing of what was typed is kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from etl.sql import render, run_sql
from schemas.errors import UserError

PROMPT, MORE = "etl> ", "  .. "
LEAVE = frozenset({"exit", "quit", ".exit", ".quit", "\\q"})
HELP = "End a query with ; and see the tables with: show all tables;   Leave with: exit"


def shell(
    choose: Callable[[], Path],
    ask: Callable[[str], str],
    show: Callable[[str], None],
    fail: Callable[[str], None],
) -> None:
    """Answer queries until the input ends.

    choose: the file to read, asked for each query, so that the warehouse is free in between. ask: the next line, which
    raises EOFError at the end and KeyboardInterrupt for a line that was given up.
    """
    for query in _queries(ask, fail):
        try:
            show(render(run_sql(choose(), query), "table").decode().rstrip("\n"))
        except UserError as error:
            fail(error.message())
        except KeyboardInterrupt:
            fail("Interrupted.")


def _queries(ask: Callable[[str], str], fail: Callable[[str], None]) -> Iterator[str]:
    lines: list[str] = []
    while True:
        try:
            line = ask(MORE if lines else PROMPT).rstrip()
        except KeyboardInterrupt:
            fail("")
            lines.clear()
            continue
        except EOFError:
            break
        if not lines and line.strip().lower().rstrip(";") in LEAVE:
            return
        lines += [line] if line.strip() else []
        if line.endswith(";"):
            yield "\n".join(lines)
            lines.clear()
    if lines:  # a file that is piped in need not end with one
        yield "\n".join(lines)
