"""Progress in bytes on stderr, for people only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_EVERY = 0.2  # seconds between two drawings


class Progress:
    """What the terminal is told while files are read; the default says nothing."""

    def start(self, label: str, total: int) -> None:
        """Begin a phase of so many bytes."""

    def advance(self, amount: int) -> None:
        """So many bytes more are done."""


class TerminalProgress(Progress):
    """One line that is drawn over itself."""

    def __init__(self) -> None:
        self._label, self._total, self._done, self._drawn = "", 0, 0, 0.0

    def start(self, label: str, total: int) -> None:
        """Begin a phase; a total of 0 means that it is not known."""
        self._label, self._total, self._done = label, total, 0
        self._draw()

    def advance(self, amount: int) -> None:
        """Draw at most a few times a second."""
        self._done += amount
        if time.monotonic() - self._drawn > _EVERY:
            self._draw()

    def clear(self) -> None:
        """Leave the line empty for what is printed next."""
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        amount = f"{self._done / 1e6:,.0f} of {self._total / 1e6:,.0f} MB" if self._total else "looking"
        sys.stderr.write(f"\r\x1b[K{self._label[:40]}  {amount}")
        sys.stderr.flush()


@contextmanager
def progress(*, is_shown: bool) -> Iterator[Progress]:
    """Show progress while the block runs, if a person is looking."""
    if not (is_shown and sys.stderr.isatty()):
        yield Progress()
        return
    shown = TerminalProgress()
    try:
        yield shown
    finally:
        shown.clear()
