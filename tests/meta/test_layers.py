"""Imports only go down: cli -> etl -> warehouse | expectations -> schemas."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"cli", "etl", "warehouse", "expectations", "schemas"}
MAY_IMPORT = {
    "cli": {"etl", "schemas"},
    "etl": {"etl", "warehouse", "expectations", "schemas"},
    "warehouse": {"warehouse", "schemas"},
    "expectations": {"expectations", "schemas"},
    "schemas": {"schemas"},
}
# Inside etl: what the lower rooms must not know.
ROOMS = {
    "etl.harmonize": {"etl.harmonize", "etl.readers.base"},
    "etl.readers": {"etl.readers"},
    "etl.sites": {"etl.sites", "etl.harmonize", "etl.readers.base"},
    "etl.scoring": {"etl.scoring"},
    "etl.demo": {"etl.demo"},
}
MODULES = [
    ROOT / "cli.py",
    *(path for package in sorted(OURS - {"cli"}) for path in sorted((ROOT / package).rglob("*.py"))),
]


def imported(path: Path) -> set[str]:
    """Return the full names that a module imports, wherever it imports them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.split(".")[0] in OURS}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down(path: Path) -> None:
    name = module_name(path)
    allowed = MAY_IMPORT[name.split(".")[0]]
    assert {other.split(".")[0] for other in imported(path)} <= allowed
    for room, known in ROOMS.items():
        if name == room or name.startswith(room + "."):
            inside = {other for other in imported(path) if other.startswith("etl.")}
            strangers = {
                other
                for other in inside
                if not any(other == each or other.startswith(each + ".") for each in known)
            }
            assert not strangers


def test_the_modules_are_found() -> None:
    assert len(MODULES) > 30
