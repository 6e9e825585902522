"""The common shapes of dates, at the speed of the machine; every other text is read by date_text.read_date.

What is read here is read the same there: this is a shorter way to the same moment, not another rule.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from schemas.calendars import CALENDARS

PRECISIONS: Final = pl.Enum(["year", "month", "day", "minute", "second"])

_SAMPLE: Final = 200
_SHAPE: Final = re.compile(
    r"(?:(?P<year>\d{4})(?P<s>[-/.])\d{1,2}(?P=s)\d{1,2}"
    r"|\d{1,2}(?P<t>[-/.])\d{1,2}(?P=t)\d{4}"
    r"|\d{1,2}(?P<u>[- ]?)[A-Za-z]{3}(?P=u)\d{4})"
    r"(?P<clock>(?P<sep>[ T:])\d{1,2}:\d{2}(?P<second>:\d{2}(?P<frac>\.\d+)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?"
)
_COMPACT: Final = {8: ("%Y%m%d", "day"), 12: ("%Y%m%d%H%M", "minute"), 14: ("%Y%m%d%H%M%S", "second")}
_OFFSET: Final = r"(?:Z|[+-]\d{2}:?\d{2})$"

_SERIAL: Final = r"^\d{1,7}(?:[.,]\d+)?$"
_YEAR: Final = r"^(?:18|19|20|21)\d\d$"
_END_OF_SERIALS: Final = 2_958_466  # 1 January 10000
_MISSING_LEAP_DAY: Final = 60  # spreadsheets count 29 February 1900, which never was


class Format(NamedTuple):
    """A strptime format, the precision that it gives, and the length of its texts if they are digits only."""

    form: str
    precision: str
    digits: int | None = None


def common_formats(texts: pl.Series, order: str | None) -> list[Format]:
    """Name the formats of a few texts spread over the column, the commonest first."""
    counts: Counter[Format] = Counter()
    for text in texts.gather_every(max(1, len(texts) // _SAMPLE)).drop_nulls():
        found = _SHAPE.fullmatch(text)
        if found and (not found["t"] or order in ("dmy", "mdy")):
            counts[_format(found, order)] += 1
        elif text.isascii() and text.isdigit() and len(text) in _COMPACT:
            counts[Format(*_COMPACT[len(text)], len(text))] += 1
    return [form for form, _ in counts.most_common()]


def _format(found: re.Match[str], order: str | None) -> Format:
    if found["year"]:
        day = found["s"].join(("%Y", "%m", "%d"))
    elif found["t"]:
        day = found["t"].join(("%d", "%m", "%Y") if order == "dmy" else ("%m", "%d", "%Y"))
    else:
        day = found["u"].join(("%d", "%b", "%Y"))
    if not found["clock"]:
        return Format(day, "day")
    if not found["second"]:
        clock, precision = "%H:%M", "minute"
    else:
        clock, precision = f"%H:%M:%S{'%.f' if found['frac'] else ''}", "second"
    return Format(f"{day}{found['sep']}{clock}{'%z' if found['zone'] else ''}", precision)


def parse_format(texts: pl.Series, form: Format, zone: ZoneInfo | None) -> pl.DataFrame:
    """Parse what has exactly this format into at and precision; the rest is null.

    strptime also takes a sign, years of any length and digits that are left out, which we do not.
    """
    source = pl.col("source")
    if not form.form.endswith("%z"):
        read = source.str.to_datetime(form.form, strict=False, time_unit="us")
    elif zone is None:
        stated = source.str.replace(_OFFSET, "")
        read = stated.str.to_datetime(form.form.removesuffix("%z"), strict=False, time_unit="us")
    else:
        stated = source.str.replace(r"Z$", "+00:00").str.to_datetime(form.form, strict=False, time_unit="us")
        read = stated.dt.convert_time_zone(zone.key).dt.replace_time_zone(None)
    at = pl.col("at")
    if form.digits:
        is_plain = _is_in(at, 1800, 2199) & (source.str.len_bytes() == form.digits)
    else:
        is_plain = _is_in(at, 1000, 9999)
    is_plain &= ~source.str.starts_with("+")
    # Read in a step of its own: within one expression it would be read again for each mention.
    frame = pl.DataFrame({"source": texts}).with_columns(at=read)
    return frame.select(at=pl.when(is_plain).then(at)).with_columns(
        precision=pl.when(pl.col("at").is_not_null()).then(pl.lit(form.precision, PRECISIONS))
    )


def _is_in(at: pl.Expr, first: int, last: int) -> pl.Expr:
    """Tell whether a moment is in some years; comparing moments costs a third of asking for their years."""
    return at.is_between(datetime(first, 1, 1), datetime(last, 12, 31, 23, 59, 59, 999_999))


def parse_serials(texts: pl.Series, day_zero: date) -> pl.DataFrame:
    """Turn days since day zero into at (to the second) and precision; a four-digit year stays a year."""
    text = pl.col("source").str.strip_chars()
    is_serial = text.str.contains(_SERIAL) & ~text.str.contains(_YEAR)
    number = text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    serial = pl.when(is_serial & number.is_between(1, _END_OF_SERIALS, closed="left")).then(number)
    if day_zero == CALENDARS.serials["excel_1900"]:
        is_real = (serial < _MISSING_LEAP_DAY) | (serial >= _MISSING_LEAP_DAY + 1)
        serial = pl.when(is_real).then(serial + (serial < _MISSING_LEAP_DAY).cast(pl.Float64))
    seconds = (serial * 86_400).round()
    at = pl.lit(datetime.combine(day_zero, datetime.min.time())) + pl.duration(seconds=seconds.cast(pl.Int64))
    precision = (
        pl.when(seconds % 86_400 == 0)
        .then(pl.lit("day"))
        .when(seconds % 60 == 0)
        .then(pl.lit("minute"))
        .when(seconds.is_not_null())
        .then(pl.lit("second"))
    )
    frame = pl.DataFrame({"source": texts})
    return frame.select(at=at.cast(pl.Datetime("us")), precision=precision.cast(PRECISIONS))
