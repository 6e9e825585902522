"""Columns headed like the one that names the subject: one statement twice, or tables that stand side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from etl.readers.base import Decision
from etl.sites.resolution import Resolution
from schemas.columns import header_key

_NUMBER_OF_A_DOUBLE = re.compile(r"_\d+$")  # which readers give to a header that was there before


@dataclass
class Twins:
    """The column of the subject, those of the same header, and in how many records one of them names somebody else."""

    subject: str
    others: tuple[str, ...]
    alike: int = 0
    different: int = 0

    @classmethod
    def of(cls, resolution: Resolution) -> Twins | None:
        """Return the doubles of the subject's column; None without one, or where a mapping names the column."""
        subject = resolution.roles.get("subject")
        if subject is None or resolution.basis.get(subject) == "mapping":
            return None
        others = tuple(each for each in resolution.unmapped if _stem(each) == _stem(subject))
        return cls(subject, others) if others else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return (self.subject, *self.others)

    def see(self, frame: pl.DataFrame, _distinct: Mapping[str, pl.Series]) -> None:
        """Count the records in which another column names the same subject, or another one."""
        own = pl.col(self.subject).str.strip_chars()
        for other in self.others:
            is_other = frame.select((own != pl.col(other).str.strip_chars()).alias("is_other"))["is_other"]
            self.different += int(is_other.sum())
            self.alike += int((~is_other).sum())

    def decision(self) -> Decision:
        """Take the first of columns that agree; nobody can tell which counts where they do not."""
        seen: dict[str, int | str] = {
            "others": ", ".join(self.others),
            "alike": self.alike,
            "different": self.different,
        }
        return Decision("subject", None if self.different else self.subject, "content", seen)


def _stem(column: str) -> str:
    return header_key(_NUMBER_OF_A_DOUBLE.sub("", column))
