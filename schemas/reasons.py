"""Why a candidate is held: the typed form of reasons.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

STAGES: Final = ("structural", "mapping", "value", "unit", "item")


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in words for a reader who does not program."""

    id: str
    stage: str
    sentence: str
    advice: str

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            message = f"reasons.toml: {self.id} has the unknown stage {self.stage!r}"
            raise ValueError(message)


def load_reasons(path: Path) -> Mapping[str, Reason]:
    """Read the catalogue; a missing or an extra key is an error."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return MappingProxyType({name: Reason(id=name, **table) for name, table in tables.items()})


REASONS: Final = load_reasons(Path(__file__).with_name("reasons.toml"))
