"""Workbooks through calamine: .xlsx, .xlsm, .xlsb, .xls and .ods, every cell as the text that its sender sees.

The library rounds to nine decimals and shows times of day as dates of the year 1899; both are mended here.
What it keeps to itself is taken from the package, where there is one.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from etl.readers.grid import Merge
from etl.readers.package import Package, examine
from etl.readers.protection import locked
from schemas.errors import SourceUnreadable

if TYPE_CHECKING:
    from fastexcel import CellError, ExcelReader, ExcelSheet

# Cells whose text may stand for more digits: decimals as the library writes them, and a zero that may be tiny.
# A text of that form and up to 15 digits comes back as it was; "5.10" and "05.1" are of another form.
ROUNDED = r"^-?(?:0|(?:0|[1-9]\d{0,5})\.\d{0,8}[1-9])$"
LONG = r"^-?\d{16,}$"  # Excel keeps 15 digits
TIMED = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$"
MIDNIGHT = " 00:00:00"
LONG_SHOWN = r"^-?\d(?:\.\d+)?E\+\d+$"  # as `shown` writes them
ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
    "GettingData": "#GETTING_DATA",
}
ERROR = re.compile(r"Error\((\w+)\)")
ISO_TIME = re.compile(r'DurationIso\("PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?"\)')
DAY_ZERO = r"^1899-12-3[01] (\d\d:\d\d:\d\d(?:\.\d+)?)$"
DAY_ZERO_1904 = r"^1904-01-01 (\d\d:\d\d:\d\d(?:\.\d+)?)$"

_LOCK = threading.Lock()  # where the process's error output points is shared by all threads


@dataclass(frozen=True)
class Sheet:
    """A sheet: its cells as text from row 1 and `first_column` (from 0) on.

    merges is None if the format does not tell. errors: kind -> cells as (row, place in the frame).
    """

    title: str
    frame: pl.DataFrame
    first_column: int = 0
    merges: Sequence[Merge] | None = None
    is_hidden: bool = False
    errors: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    dated: tuple[int, ...] = ()  # places whose times were all midnight

    def count_errors(self, place: int, rows: range) -> Counter[str]:
        """Return how many error cells of each kind a column has in some rows."""
        counts = {
            ERRORS.get(kind, kind): sum(row in rows and at == place for row, at in cells)
            for kind, cells in self.errors.items()
        }
        return +Counter(counts)


class Workbook:
    """An open workbook. Raises SourceUnreadable, then or when a sheet is loaded."""

    def __init__(self, data: bytes, name: str) -> None:
        self._name = name
        self._package: Package = examine(data, name)
        with self._reported():
            import fastexcel

            self._reader: ExcelReader = fastexcel.read_excel(data)
            self.titles: list[str] = self._reader.sheet_names

    def sheets(self, title: str | None = None) -> Iterator[Sheet]:
        """Yield the sheets in order, or the one of a title. Chart sheets are left out."""
        charts = self._package.charts
        for each in self.titles if title is None else [title]:
            try:
                yield self._load(each)
            except SourceUnreadable:
                if not charts or title is not None:
                    raise
                charts -= 1

    def _load(self, title: str) -> Sheet:
        sheet, frame, errors = self._strings(title)
        if not frame.width:
            return Sheet(title, frame, is_hidden=sheet.visible != "visible")
        first = sheet.selected_columns[0].absolute_index
        frame = self._with_digits(title, frame, first)
        frame, dated = _with_times(frame, is_1904=self._package.is_1904)
        merges = self._package.merges
        inside = None
        if merges is not None:
            shifted = (
                replace(each, first=each.first - first, last=min(each.last - first, frame.width - 1))
                for each in merges.get(title, ())
            )
            inside = [each for each in shifted if 0 <= each.first <= each.last]
        return Sheet(title, frame, first, inside, sheet.visible != "visible", errors, dated)

    def _strings(self, title: str) -> tuple[ExcelSheet, pl.DataFrame, dict[str, list[tuple[int, int]]]]:
        with self._reported():
            sheet = self._reader.load_sheet(title, header_row=None, skip_rows=0, dtypes="string")
            if not sheet.width:
                return sheet, pl.DataFrame(), {}
            batch, wrong = sheet.to_arrow_with_errors()
            frame = pl.DataFrame(batch)
        frame.columns = [str(place) for place in range(frame.width)]
        return sheet, *_without_errors(frame, wrong.errors if wrong else ())

    def _with_digits(self, title: str, frame: pl.DataFrame, first: int) -> pl.DataFrame:
        """Give numbers their 15 digits where the text has less, and an exponent where the sheet had no more."""
        seen = frame.select(pl.all().str.contains(f"{ROUNDED}|{LONG}").any()).row(0)
        places = [place for place, is_seen in enumerate(seen) if is_seen]
        if not places:
            return frame
        numbers = self._typed(title, "float", places, first)
        seen = frame.select(pl.all().str.contains(LONG).any()).row(0)
        long = [place for place in places if seen[place]]
        is_number = self._typed(title, "boolean", long, first) if long else pl.DataFrame()
        changed = [
            _digits(frame[str(place)], numbers[str(place)], is_number[str(place)] if place in long else None)
            for place in places
        ]
        return frame.with_columns(changed)

    def _typed(self, title: str, dtype: str, places: list[int], first: int) -> pl.DataFrame:
        """Return columns as numbers, or as booleans: those are null for a text, whatever it looks like."""
        with self._reported():
            sheet = self._reader.load_sheet(
                title,
                header_row=None,
                skip_rows=0,
                dtypes="float" if dtype == "float" else "boolean",
                use_columns=[first + place for place in places],
            )
            frame = sheet.to_polars()
        frame.columns = [str(place) for place in places]
        return frame

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Turn the library's errors and panics into ours. Their texts may hold cells: none reaches the screen."""
        logging.getLogger("calamine").addHandler(logging.NullHandler())
        try:
            with _LOCK, _silent():
                yield
        except BaseException as error:
            names = {each.__name__ for each in type(error).__mro__}
            if not names & {"FastExcelError", "PanicException"}:
                raise
            if "password" in str(error).lower():
                raise locked(self._name) from None
            why = "It is damaged, cut short, or no workbook of a kind that can be read."
            fix = "open it and save it as .xlsx, or export CSV"
            raise SourceUnreadable(f"{self._name} is not a whole workbook.", why, fix) from None


@contextmanager
def _silent() -> Iterator[None]:
    """Discard what native code writes to the process's error output: a panic prints its stack and its data."""
    kept = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def _without_errors(
    frame: pl.DataFrame, cells: Iterable[CellError]
) -> tuple[pl.DataFrame, dict[str, list[tuple[int, int]]]]:
    """Sort out the cells that the library could not show as text: errors by kind, and times of day, put back."""
    errors: dict[str, list[tuple[int, int]]] = {}
    times: dict[int, dict[int, str]] = {}
    for each in cells:
        row, place = each.position
        if time := ISO_TIME.search(each.detail):
            hours, minutes, seconds = time.groups(default="0")
            times.setdefault(place, {})[row] = f"{hours:0>2}:{minutes:0>2}:{seconds:0>2}"
        else:
            kind = ERROR.search(each.detail)
            errors.setdefault(kind[1] if kind else "other", []).append((row + 1, place))
    shown = [frame[str(place)].scatter(list(texts), list(texts.values())) for place, texts in times.items()]
    return frame.with_columns(shown), errors


def _digits(texts: pl.Series, numbers: pl.Series, is_number: pl.Series | None) -> pl.Series:
    """Write the numbers again whose text may have lost digits."""
    is_wanted = texts.str.contains(ROUNDED)
    if is_number is not None:
        is_wanted |= texts.str.contains(LONG) & is_number.is_not_null()
    rows = (is_wanted & numbers.is_not_null()).fill_null(value=False).arg_true()
    pairs = zip(texts.gather(rows), numbers.gather(rows), strict=True)
    return texts.scatter(rows, [_better(text, number) for text, number in pairs]) if len(rows) else texts


def _better(text: str, number: float) -> str:
    """Keep a text that names the number to 15 digits already."""
    digits = shown(number)
    return text if abs(number) < 1e15 and float(text) == float(digits) else digits


def shown(number: float) -> str:
    """Write a number with up to 15 digits, as spreadsheets do; with an exponent from 1E+15 on, where digits are lost."""
    if abs(number) >= 1e15:
        mantissa, _, exponent = f"{number:.14E}".partition("E")
        return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"
    text = f"{number:.15g}"
    return "0" if text == "-0" else text


def _with_times(frame: pl.DataFrame, *, is_1904: bool) -> tuple[pl.DataFrame, tuple[int, ...]]:
    """Take the day off times of day, and the midnight off columns in which every time is midnight."""
    pattern = DAY_ZERO_1904 if is_1904 else DAY_ZERO
    is_timed = pl.all().str.contains(TIMED)
    seen = frame.select(is_timed.any()).row(0)
    frame = frame.with_columns(
        pl.col(frame.columns[place]).str.replace(pattern, "$1")
        for place, any_timed in enumerate(seen)
        if any_timed
    )
    counts = frame.select(is_timed.sum()).row(0)
    midnights = frame.select((is_timed & pl.all().str.ends_with(MIDNIGHT)).sum()).row(0)
    dated = tuple(place for place, count in enumerate(counts) if count and count == midnights[place])
    changes = [
        pl.when(pl.col(name).str.contains(TIMED))
        .then(pl.col(name).str.strip_suffix(MIDNIGHT))
        .otherwise(pl.col(name))
        .alias(name)
        for name in (frame.columns[place] for place in dated)
    ]
    return frame.with_columns(changes), dated
