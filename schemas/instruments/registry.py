"""All definitions that ship with the project, read once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.instruments.loader import load_instruments
from schemas.instruments.model import Instrument

INSTRUMENTS: Final[Mapping[str, Instrument]] = MappingProxyType(load_instruments())
