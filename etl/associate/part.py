"""What one part of an analysis adds to the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from etl.associate.model import CountTable, Curve, Diagnostics, Estimate, Summary, Trend


@dataclass
class Part:
    """Results in the making."""

    estimates: list[Estimate] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    tables: list[CountTable] = field(default_factory=list)
    diagnostics: list[Diagnostics] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    trends: list[Trend] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def join_parts(parts: Sequence[Part]) -> Part:
    """Put parts together in order."""
    whole = Part()
    for part in parts:
        for slot in fields(Part):
            getattr(whole, slot.name).extend(getattr(part, slot.name))
    return whole
