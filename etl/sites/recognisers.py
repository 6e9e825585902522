"""Who recognises the columns of a wide file: the registries of analytes and instruments, or what a test puts there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class HeaderMeasure(Protocol):
    """What a header says that its column measures."""

    @property
    def analyte(self) -> str:
        """The analyte's id."""

    @property
    def unit(self) -> str | None:
        """The unit in the header."""

    @property
    def specimen(self) -> str | None:
        """The specimen in the header."""


class HeaderItem(Protocol):
    """Which item of which instrument a header names."""

    @property
    def instrument(self) -> str:
        """The instrument's id."""

    @property
    def item(self) -> str:
        """The item's id, or the instrument's score."""


@dataclass(frozen=True)
class Recognisers:
    """match_headers and match_items claim headers; resembles names the analyte that an unclaimed one is like."""

    match_headers: Callable[[Sequence[str]], Mapping[str, HeaderMeasure]]
    match_items: Callable[[Sequence[str]], Mapping[str, HeaderItem]]
    resembles: Callable[[str], str | None]


def registered() -> Recognisers:
    """Return the recognisers of the registries, which are read only now."""
    from etl.harmonize.analytes import match_headers, resembles
    from schemas.instruments import match_items

    return Recognisers(match_headers, match_items, resembles)
