"""A line among the records that names other columns than the header does: the records below it are another table's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from etl.harmonize.spelling import unit_readings
from etl.readers.base import ROW, Decision
from etl.sites.heading import fields_named, measure_named
from etl.sites.resolution import Measure, Resolution
from schemas.columns import header_key

_NUMBER = r"^\s*[<>≤≥~]?\s*\d"


@dataclass
class OtherHeader:
    """The columns of the subject and of the results, and the first line that names others in their place."""

    subject: str
    results: Mapping[str, Measure | None]  # by column; None: results of many analytes, each named beside it
    row: int | None = None

    @classmethod
    def of(cls, resolution: Resolution) -> OtherHeader | None:
        """Return the columns to look at; None without a subject or a result."""
        subject = resolution.roles.get("subject")
        results: dict[str, Measure | None] = {m.column: m for m in resolution.measures if m.kind == "lab"}
        if "value" in resolution.roles:
            results[resolution.roles["value"]] = None
        return cls(subject, results) if subject and results else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return (self.subject, *self.results)

    def see(self, frame: pl.DataFrame, distinct: Mapping[str, pl.Series]) -> None:
        """Look for the line in some records: most have a subject with a number, and are passed over.

        distinct: the texts of columns with numbers, each once, by which most records need no look at all.
        """
        if self.row is not None or all(_are_numbers(distinct[column]) for column in self.results):
            return
        said = pl.col(self.subject).fill_null("")
        lines = frame.filter(~said.str.contains(r"\d")).with_columns(said.str.strip_chars())
        subjects = [each for each in lines[self.subject].unique() if self._is_nobody(each)]
        lines = lines.filter(pl.col(self.subject).is_in(subjects))
        texts = pl.concat([lines[column] for column in self.results]).drop_nulls().unique()
        names = [text for text in texts.filter(~texts.str.contains(_NUMBER)) if _is_name(text)]
        if not names:
            return
        named = lines.filter(pl.any_horizontal(pl.col(list(self.results)).is_in(names)))
        others = (each[ROW] for each in named.select(ROW, *self.columns).to_dicts() if self._is_other(each))
        self.row = next(others, None)

    def decision(self) -> Decision | None:
        """Say that nobody can tell whose the records below the line are."""
        return Decision("table", None, "content", {"row": self.row}) if self.row else None

    def _is_nobody(self, subject: str) -> bool:
        return self._is_again(subject) or bool(fields_named(subject))

    def _is_again(self, subject: str) -> bool:
        """Tell a blank cell or the header's own, which a mapping may have named."""
        return header_key(subject) in {"", header_key(self.subject)}

    def _is_other(self, record: dict[str, str | None]) -> bool:
        """Tell a line of nothing but names, one of which does not belong where it stands."""
        said = {column: (record[column] or "").strip() for column in self.columns}
        said = {column: cell for column, cell in said.items() if cell}
        subject = said.pop(self.subject, "")
        if not all(map(_is_name, said.values())):
            return False
        is_moved = not self._is_again(subject) and "subject" not in fields_named(subject)
        return is_moved or any(_differs(cell, self.results[column]) for column, cell in said.items())


def _are_numbers(texts: pl.Series) -> bool:
    return bool(texts.str.contains(_NUMBER).all())  # a null is none of its business


def _is_name(text: str) -> bool:
    return bool(fields_named(text) or measure_named(text) or unit_readings(text))


def _differs(cell: str, measure: Measure | None) -> bool:
    """Tell a name that is not that of a column's results, nor of their unit."""
    if named := measure_named(cell):
        if measure is None or named.analyte != measure.analyte:
            return True
        units: tuple[str, ...] = (named.unit,) if named.unit else ()
    elif fields := fields_named(cell):
        return "value" not in fields
    else:
        units = unit_readings(cell)
    return bool(units) and measure is not None and measure.unit is not None and measure.unit not in units
