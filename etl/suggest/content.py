"""What the cells of one column are, as shares of its distinct texts; no cell leaves this module."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property

import polars as pl

from etl.harmonize.ages import parse_ages
from etl.harmonize.codes import map_codes
from etl.harmonize.date_text import clean, match_date
from etl.harmonize.names import read_name
from etl.harmonize.number_text import words as code_words
from etl.harmonize.numbers import decide_decimal, decimal_evidence, parse_results
from etl.harmonize.ranges import read_range
from etl.harmonize.specimens import read_specimen
from etl.harmonize.spelling import is_unstated, unit_readings
from schemas.analytes import is_loinc
from schemas.instruments import match_instrument

LOOKED_AT = 500  # distinct texts, spread over the column: enough for a share, quick to parse
FEW = 30  # distinct texts of a list of codes or words

_CLOCK = re.compile(r"\d{1,2}:\d{2}")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_LIMIT = re.compile(r"[<>≤≥＜＞]=?\s*\d+(?:[.,]\d+)?")
_INTEGER = re.compile(r"\d+(?:[.,]0+)?")
_SHORT_CODE = re.compile(r"[A-Za-z0-9#%._/\-*+()]{1,16}")
_ICD = re.compile(r"[A-Z]\d\d(?:\.[0-9A-Zx]{1,4})?[*+!]?", re.IGNORECASE)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Content:
    """A column's cells. values: its texts without the empty ones, trimmed. records: of the table, as looked at."""

    values: pl.Series
    records: int
    _shares: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def distinct(self) -> pl.Series:
        """Return the distinct texts, in the order of the file."""
        return self.values.unique(maintain_order=True)

    @cached_property
    def some(self) -> list[str]:
        """Return distinct texts spread over the column, without those that say that nothing was found."""
        known = absent_words()
        step = max(1, len(self.distinct) // LOOKED_AT)
        texts = [clean(text) for text in self.distinct.gather_every(step).to_list()]
        return [text for text in texts if text.casefold() not in known]

    @property
    def filled(self) -> int:
        """Return how many cells are not empty."""
        return len(self.values)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing can be learned from the cells."""
        return not self.some

    @property
    def is_few(self) -> bool:
        """Tell whether the column repeats a short list."""
        return len(self.distinct) <= FEW and (len(self.distinct) * 2 <= self.filled or self.filled <= FEW)

    def share(self, name: str) -> float:
        """Return the share of the distinct texts that are of a kind (a name of KINDS)."""
        if name not in self._shares:
            texts = self.some
            self._shares[name] = sum(map(KINDS[name], texts)) / len(texts) if texts else 0.0
        return self._shares[name]

    def coded(self, name: str, header: str) -> tuple[float, set[str]]:
        """Return the share of the texts that a code set knows under this header, and the values that occur."""
        mapped = map_codes(pl.Series(self.some, dtype=pl.String), name, {}, header=header)
        values = mapped["value"].drop_nulls()
        return (len(values) / len(self.some) if self.some else 0.0), set(values.to_list())

    @cached_property
    def decimal(self) -> str:
        """Return the decimal mark that the numbers show, `.` where they show none."""
        return decide_decimal(decimal_evidence(self.distinct), None).value or "."

    @cached_property
    def numbers(self) -> pl.Series:
        """Return the numbers among the cells; each as often as it occurs."""
        read = parse_results(self.distinct, self.decimal, ()).select("source", "value")
        joined = self.values.alias("source").to_frame().join(read, on="source", how="left")
        return joined["value"].drop_nulls()

    @cached_property
    def ages(self) -> pl.Series:
        """Return the cells read as ages, in years."""
        return parse_ages(self.values)["value"].drop_nulls()


@cache
def absent_words() -> frozenset[str]:
    """Return the known words for no result, folded."""
    return frozenset(row["word"].casefold() for row in code_words("absent_words.csv")) | {"na", "nan", "null"}


def _is_date(text: str) -> bool:
    return match_date(text) is not None


def _is_range(text: str) -> bool:
    is_number = _NUMBER.fullmatch(text) is not None
    return not is_number and any(any(read_range(text, mark)) for mark in ".,")


def _is_unit(text: str) -> bool:
    is_bare = _NUMBER.fullmatch(text) is not None
    return not is_bare and (bool(unit_readings(text)) or is_unstated(text) or text == "%")


def _is_analyte(text: str) -> bool:
    return not _NUMBER.fullmatch(text) and read_name(text).hit is not None


def _is_result(text: str) -> bool:
    return not _is_date(text) and re.match(r"^[<>≤≥＜＞=~+\-]*\s*\d", text) is not None


@cache
def _flags() -> frozenset[str]:
    return frozenset(row["word"].casefold() for row in code_words("flags.csv"))


KINDS: dict[str, Callable[[str], bool]] = {
    "date": _is_date,
    "clock": lambda text: _CLOCK.search(text) is not None,
    "time": lambda text: _CLOCK.match(text) is not None,
    "number": lambda text: _NUMBER.fullmatch(text) is not None,
    "integer": lambda text: _INTEGER.fullmatch(text) is not None,
    "result": _is_result,
    "range": _is_range,
    "limit": lambda text: _LIMIT.fullmatch(text) is not None,
    "unit": _is_unit,
    "analyte": _is_analyte,
    "loinc": is_loinc,
    "icd": lambda text: _ICD.fullmatch(text) is not None,
    "short_code": lambda text: _SHORT_CODE.fullmatch(text) is not None,
    "specimen": lambda text: read_specimen(text) is not None,
    "flag": lambda text: text.casefold() in _flags() or text in {"↑", "↓"},
    "instrument": lambda text: match_instrument(text) is not None,
    "letters": lambda text: any(letter.isalpha() for letter in text),
    "wide": lambda text: _CJK.search(text) is not None,
    "sentence": lambda text: len(text) > 40,
}
