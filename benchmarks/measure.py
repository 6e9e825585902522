"""Time whole processes: wall and CPU seconds and peak memory, as the operating system accounts for them."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """One run of a command."""

    wall: float
    cpu: float
    peak_mb: float


def run(
    command: Sequence[str], environment: dict[str, str] | None = None, ends_with: Collection[int] = (0,)
) -> Usage:
    """Run a command to its end, its output thrown away; raises RuntimeError when it ends with another code."""
    started = time.perf_counter()
    # An installed tool has its modules compiled; some machines of developers forbid Python to keep them.
    surroundings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})}
    child = os.posix_spawn(
        command[0], list(command), surroundings,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )  # fmt: skip
    _, state, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(state) not in ends_with:
        raise RuntimeError(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(state)}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Usage(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss * scale / 1e6)


def pairs(
    ours: Sequence[str], theirs: Sequence[str], runs: int, reset: Callable[[], None]
) -> list[tuple[Usage, Usage]]:
    """Run two commands in turn, so that a machine whose speed drifts slows both; reset() comes before each run."""
    measured = []
    for _ in range(runs):
        reset()
        first = run(ours)
        reset()
        measured.append((first, run(theirs)))
    return measured


def median(numbers: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(numbers)
