"""What one hospital has to export, before it is written down in the hospital's own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from etl.demo.cohort import Subject
from etl.demo.panel import Draw, Panel
from etl.demo.scales import ITEMS


@dataclass(frozen=True)
class Hospital:
    """One hospital: its laboratory's panel, an index draw a subject, and a stream of later draws."""

    panel: Panel
    draws: tuple[Draw, ...]
    follow_ups: Callable[[], Iterator[Draw]]  # a new stream a call

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The subjects in the order of their index draws."""
        return tuple(draw.subject for draw in self.draws)


@dataclass(frozen=True)
class ScaleHeaders:
    """How a wide export names items and totals: by instrument, {} standing for the item."""

    item: Mapping[str, str]
    total: Mapping[str, str]

    def all(self) -> tuple[str, ...]:
        """Return every header: an instrument's items, then its total."""
        return tuple(
            header
            for instrument, items in ITEMS.items()
            for header in (*map(self.item[instrument].format, items), self.total[instrument])
        )

    def cells(self, subject: Subject) -> dict[str, str]:
        """Return a subject's answers and totals by header; an instrument not answered is not there."""
        cells: dict[str, str] = {}
        for instrument, answers in subject.answers.items():
            cells |= {self.item[instrument].format(item): answer for item, answer in answers.items()}
            cells[self.total[instrument]] = str(subject.total(instrument))
        return cells
