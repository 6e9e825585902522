"""Resolving headers with recognisers of three names, so that what is tested is the resolver."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest

from etl.sites.model import FeedMapping, SiteMapping
from etl.sites.recognisers import Recognisers
from etl.sites.resolve import Resolution, resolve


def _labs(headers: Sequence[str]) -> dict[str, SimpleNamespace]:
    known = {"B12": "vitamin_b12", "Ferritin": "ferritin", "Both": "ferritin"}
    found = {header: re.fullmatch(r"(\w+)(?: \((.*)\))?", header) for header in headers}
    return {
        header: SimpleNamespace(analyte=known[match[1]], unit=match[2], specimen=None)
        for header, match in found.items()
        if match and match[1] in known
    }


def _items(headers: Sequence[str]) -> dict[str, SimpleNamespace]:
    found = {header: re.fullmatch(r"irls(\d+)|Both", header) for header in headers}
    return {
        header: SimpleNamespace(instrument="irls", item=match[1] or "1")
        for header, match in found.items()
        if match
    }


FAKES = Recognisers(_labs, _items, lambda header: "vitamin_b12" if "b12" in header.lower() else None)


@pytest.fixture
def found() -> Callable[..., Resolution]:
    """Resolve headers, given as a list or parted by bars."""

    def resolved(columns: str | Sequence[str], feed: FeedMapping | None = None) -> Resolution:
        return resolve(columns.split("|") if isinstance(columns, str) else columns, feed, FAKES)

    return resolved


@pytest.fixture
def feed() -> Callable[..., FeedMapping]:
    """Make the feed `labs` of the site `north` from what it declares."""

    def declared(**keys: object) -> FeedMapping:
        mapping = {"site": "north", "feeds": {"labs": {"files": ["*.csv"], **keys}}}
        return SiteMapping.model_validate(mapping).feeds["labs"]

    return declared
