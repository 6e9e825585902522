"""Pandera for polars alone, imported as it is where pandas is not installed (see docs/decisions/0030)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from threading import get_ident
from types import ModuleType

import polars as pl


@cache
def lean_pandera() -> ModuleType:
    """Return pandera.polars, ready to be asked; its imports of pandas, if that is not loaded yet, find none."""
    with _hidden("pandas"):
        import pandera.polars as pa

        # A good part is imported only when a check is first asked, and when it first fails.
        schema = pa.DataFrameSchema({"a": pa.Column(checks=pa.Check.gt(0))})
        with suppress(pa.errors.SchemaErrors):
            schema.validate(pl.DataFrame({"a": [0]}), lazy=True)
    return pa


class _Hides(MetaPathFinder):
    """Hide a module from this thread; another may need it at the same time."""

    def __init__(self, name: str) -> None:
        self._name, self._thread = name, get_ident()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname == self._name and get_ident() == self._thread:
            message = f"No module named '{fullname}'"  # the words that pandera looks for
            raise ModuleNotFoundError(message, name=fullname)
        return None


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    finder = _Hides(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
