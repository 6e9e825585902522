"""The generator shares no code with the reading side: what it writes is evidence only as long as that holds."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import etl.demo

MODULES = sorted(Path(etl.demo.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_only_numpy_and_the_standard_library_are_imported(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    foreign = {name for name in imported if name.split(".")[0] not in {*sys.stdlib_module_names, "numpy"}}
    assert all(name.startswith("etl.demo") for name in foreign), foreign


def test_all_modules_are_looked_at():
    assert len(MODULES) > 10
