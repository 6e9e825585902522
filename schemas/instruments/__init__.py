"""The clinical scales of the study, as data: definitions, their versions, and the names by which files call them."""

from __future__ import annotations

from schemas.instruments.loader import load_instrument, load_instruments
from schemas.instruments.matching import ItemRef, match_instrument, match_item_codes, match_items
from schemas.instruments.model import (
    Bands,
    Check,
    CodeList,
    Instrument,
    Item,
    ItemKind,
    Scale,
    Version,
)
from schemas.instruments.registry import INSTRUMENTS

__all__ = [
    "INSTRUMENTS",
    "Bands",
    "Check",
    "CodeList",
    "Instrument",
    "Item",
    "ItemKind",
    "ItemRef",
    "Scale",
    "Version",
    "load_instrument",
    "load_instruments",
    "match_instrument",
    "match_item_codes",
    "match_items",
]
