"""One date as printed: which shape it has, and which moment it names.

Only the order of day and month (`05/03/2021`) is a matter of the whole column; every other shape says by itself
which part is which.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Final

from schemas.calendars import CALENDARS

_YEAR = r"(?P<y>(?:18|19|20|21)\d\d)"
_LAST_YEAR = r"(?P<y>\d{4}|\d{2})(?!\d)"
_WORD = r"(?P<word>[^\W\d_]{3,})\.?"
_ERA = "|".join(CALENDARS.eras)

# In the order of trial. Groups: y, m, d; or a, b, y where the column's order tells day from month.
_DATES: Final = tuple(
    (shape, re.compile(pattern, re.IGNORECASE))
    for shape, pattern in (
        ("year_first", r"(?P<y>\d{4})\s*(?P<s>[-/.])\s*(?P<m>\d{1,2})(?:\s*(?P=s)\s*(?P<d>\d{1,2}))?(?!\d)"),
        ("year_last", rf"(?P<a>\d{{1,2}})\s*(?P<s>[-/.])\s*(?P<b>\d{{1,2}})\s*(?P=s)\s*{_LAST_YEAR}"),
        ("compact", rf"{_YEAR}(?P<m>0\d|1[0-2])(?P<d>[0-3]\d)"),
        ("compact_last", rf"(?P<a>\d\d)(?P<b>\d\d){_YEAR}(?!\d)"),  # ddmmyyyy, as in the German LDT
        ("chinese", r"(?P<y>\d{4})\s*年\s*(?:(?P<m>\d{1,2})\s*月\s*(?:(?P<d>\d{1,2})\s*[日号]?)?)?"),
        (
            "era",
            rf"(?P<era>{_ERA})\s*(?P<y>\d{{1,2}}|元)\s*[年./-]\s*(?P<m>\d{{1,2}})\s*[月./-]\s*(?P<d>\d{{1,2}})\s*日?",
        ),
        (
            "month_name",
            rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s*[-./]?\s*(?:de\s+)?{_WORD}\s*[-./,]?\s*(?:de\s+)?{_LAST_YEAR}",
        ),
        ("month_name", rf"{_WORD}\s*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})(?!\d)"),
        ("month_name", rf"{_YEAR}\s*[-/ ]\s*{_WORD}\s*[-/ ]\s*(?P<d>\d{{1,2}})(?!\d)"),
        ("month_name", rf"{_WORD}[\s-]*(?P<y>\d{{4}})(?!\d)"),
        ("year_only", rf"{_YEAR}(?!\d)"),
    )
)
NEEDS_ORDER: Final = frozenset({"year_last", "compact_last"})

_HALF = "|".join(re.escape(word) for word in CALENDARS.afternoon)
_SECOND = r"(?P<sec>\d{2})(?:[.,](?P<frac>\d{1,9}))?"
_ZONE = r"\s*(?:(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)|(?P<after>" + _HALF + r")\.?|Uhr)?"
_START = rf"(?:T|:|,)?\s*(?:(?P<before>{_HALF})\.?)?\s*"
_CLOCKS: Final = tuple(
    re.compile(_START + clock + _ZONE, re.IGNORECASE)
    for clock in (
        rf"(?P<hour>\d{{1,2}})(?:[:.](?P<min>\d{{2}})(?::{_SECOND})?)?",
        rf"(?P<hour>\d{{2}})(?P<min>\d{{2}})(?:{_SECOND})?",
        r"(?P<hour>\d{1,2})\s*[时時点點]\s*(?:(?P<min>\d{1,2})\s*分?\s*(?:(?P<sec>\d{1,2})\s*秒)?(?P<frac>(?!))?)?",
    )
)

_INVISIBLE = re.compile("[\u200b\u200e\u200f\ufeff]")


@dataclass(frozen=True, slots=True)
class Moment:
    """What a text says: a local date and time, and how exactly."""

    at: datetime
    precision: str


@dataclass(frozen=True, slots=True)
class DateMatch:
    """The date at the start of a text; year_last shapes have first and second instead of month and day."""

    shape: str
    groups: dict[str, str | None]
    rest: str

    @property
    def first(self) -> int:
        """The first part of a shape that needs an order."""
        return int(self.groups["a"] or 0)

    @property
    def second(self) -> int:
        """The second part of a shape that needs an order."""
        return int(self.groups["b"] or 0)

    @property
    def has_two_digit_year(self) -> bool:
        """Whether the century is left to us."""
        return self.shape != "era" and len(self.groups["y"] or "") == 2


def clean(text: str) -> str:
    """Return the text without width, invisible signs and outer spaces."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip()


def match_date(text: str) -> DateMatch | None:
    """Find the shape of the date with which a cleaned text starts."""
    for shape, pattern in _DATES:
        found = pattern.match(text)
        if found and (shape != "month_name" or found["word"].casefold() in CALENDARS.months):
            return DateMatch(shape, found.groupdict(), text[found.end() :])
    return None


def read_date(text: str, order: str | None, zone: tzinfo | None, latest_year: int) -> Moment | None:
    """Read one text; None if it is no possible date in this order.

    A two-digit year is the last such year that is not after latest_year. A stated offset is converted to `zone`,
    or dropped if the zone is unknown, so that the clock stays as printed.
    """
    found = match_date(clean(text))
    if found is None:
        return None
    try:
        day = _day(found, order, latest_year)
        return _with_clock(day, found.rest, zone) if day else None
    except (ValueError, OverflowError):  # 31 February, 25 o'clock
        return None


def _day(found: DateMatch, order: str | None, latest_year: int) -> Moment | None:
    month, day = found.groups.get("m"), found.groups.get("d")
    if found.shape in NEEDS_ORDER:
        if order not in ("dmy", "mdy"):
            return None
        first, second = found.groups["a"], found.groups["b"]
        day, month = (first, second) if order == "dmy" else (second, first)
    if word := found.groups.get("word"):
        month = str(CALENDARS.months[word.casefold()])
    return _moment(_year(found, latest_year), int(month or 0), int(day or 0), found.groups.get("era"))


def _year(found: DateMatch, latest_year: int) -> int:
    printed = found.groups["y"] or ""
    if era := found.groups.get("era"):
        return CALENDARS.eras[era.upper()].year + (1 if printed == "元" else int(printed)) - 1
    year = int(printed)
    if len(printed) == 2:
        return latest_year - (latest_year - year) % 100
    if year < 1000:
        raise ValueError  # 0001-01-01, an empty date of some databases
    return year


def _moment(year: int, month: int, day: int, era: str | None) -> Moment | None:
    """Keep the precision of a date whose day, or month and day, is missing or 0."""
    if not month:
        return Moment(_midnight(year, 1, 1), "year") if not day else None
    if not day:
        return Moment(_midnight(year, month, 1), "month")
    at = _midnight(year, month, day)
    if era and at.date() < CALENDARS.eras[era.upper()]:
        return None
    return Moment(at, "day")


def _midnight(year: int, month: int, day: int) -> datetime:
    return datetime.combine(date(year, month, day), time())


def _with_clock(day: Moment, rest: str, zone: tzinfo | None) -> Moment | None:
    if not rest.strip():
        return day
    clock = next((found for pattern in _CLOCKS if (found := pattern.fullmatch(rest.strip()))), None)
    if clock is None or day.precision != "day":
        return None
    if clock["min"] is None:
        return day  # an hour alone is less than a time
    hour = _hour(int(clock["hour"]), clock["before"] or clock["after"])
    second = int(clock["sec"] or 0)
    microsecond = int((clock["frac"] or "0")[:6].ljust(6, "0"))
    if hour > 24 or int(clock["min"]) > 59 or second > 60 or (hour == 24 and (int(clock["min"]) or second)):
        return None
    at = day.at + timedelta(hours=hour, minutes=int(clock["min"]), seconds=second, microseconds=microsecond)
    return Moment(_local(at, clock["zone"], zone), "minute" if clock["sec"] is None else "second")


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if CALENDARS.afternoon[half.casefold()]:
        return hour + 12 if hour < 12 else hour
    if hour > 12:
        raise ValueError
    return hour % 12


def _local(at: datetime, offset: str | None, zone: tzinfo | None) -> datetime:
    if offset is None or zone is None:
        return at
    digits = offset[1:].replace(":", "").ljust(4, "0") if offset[0] in "+-" else "0000"
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    stated = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    return at.replace(tzinfo=stated).astimezone(zone).replace(tzinfo=None)
