"""Run the installed command as a user does: a process, its output and its exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ETL = Path(sys.executable).with_name("etl")


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def etl(tmp_path: Path) -> Callable[..., Ran]:
    """Run `etl ...` in the test's folder."""

    def run(*arguments: object, **environment: str) -> Ran:
        done = subprocess.run(
            [str(ETL), *(str(each) for each in arguments)], cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**os.environ, "TERM": "dumb", **environment}, timeout=120,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
