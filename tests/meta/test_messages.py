"""A message to the user has three parts: what and where, why we think so, what to type."""

from __future__ import annotations

import ast
from pathlib import Path

from schemas import errors

ROOT = Path(__file__).parents[2]
ERRORS = {
    name
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.UserError)
}


def _raised() -> list[tuple[str, ast.Call]]:
    """Return every call in the code that makes an error for the user, with its place."""
    paths = [
        ROOT / "cli.py",
        *(p for name in ("etl", "warehouse", "expectations", "schemas") for p in (ROOT / name).rglob("*.py")),
    ]
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno}", node)
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ERRORS
    ]


def test_every_error_says_what_why_and_what_to_type() -> None:
    calls = _raised()
    assert len(calls) > 100
    short = [
        place
        for place, call in calls
        if not any(isinstance(part, ast.Starred) for part in call.args)
        and (
            len(call.args) + len(call.keywords) < 3
            or any(isinstance(part, ast.Constant) and not part.value for part in call.args)
        )
    ]
    assert short == []
