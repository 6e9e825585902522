"""Dates of a whole column: evidence for the order of day and month, the decision, the parsed moments."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from etl.harmonize.date_formats import PRECISIONS, common_formats, parse_format, parse_serials
from etl.harmonize.date_text import NEEDS_ORDER, DateMatch, clean, match_date, read_date
from etl.harmonize.offsets import offset_evidence
from etl.readers.base import Decision
from schemas.calendars import CALENDARS

ORDERS: Final = ("iso", "dmy", "mdy", "excel_1900", "excel_1904")

# Characters that hold any date but not the whole of a time, so that a column has few distinct ones.
_PREFIX: Final = 11
_ISO_DAY: Final = r"^\d{4}-\d\d-\d\d[T ]?$"
_SERIAL: Final = r"^[1-9]\d{4}(?:[.,]\d*)?$"  # five digits: 1927 to 2173
# Years before 69 are of this century: POSIX's rule for %y, used where the caller names no latest date.
_LATEST_YEAR: Final = 2068
# A declaration stands against a few slips of the pen, not against more counter-examples than examples.
_SLIPS: Final = 2


def date_evidence(texts: pl.Series, *, clock: bool = True) -> dict[str, int]:
    """Count shapes and witnesses of the order; two counts of one column are merged by adding them.

    first_over_12 speaks for dmy, second_over_12 for mdy; either_order says nothing, same_parts (5/5) does not matter.
    clock: False where has_clock() knows already that the column holds times.
    """
    filled = texts.drop_nulls()
    prefixes, distinct = _prefixes(filled)
    counts: Counter[str] = Counter()
    unmatched = []
    for prefix, number in distinct.iter_rows():
        for name in (names := _evidence(prefix)):
            counts[name] += number
        if prefix and not names:
            unmatched.append(prefix)
    # The start of a long date, such as `15. September 2021`, needs the whole text.
    longer = filled.filter(prefixes.is_in(unmatched)) if unmatched else filled.clear()
    for text, number in longer.value_counts().iter_rows():
        counts.update(dict.fromkeys(list(_evidence(text)) or ["unreadable"], number))
    # Most columns hold days, or times to the minute, whose length tells that nothing follows.
    is_iso = distinct[prefixes.name].str.contains(_ISO_DAY).all()
    longest = int(filled.str.len_bytes().max() or 0) if is_iso else sys.maxsize  # type: ignore[arg-type]
    if clock and longest > len("2021-03-05"):
        counts.update(_clocks(filled))
    if longest > len("2021-03-05T08:30"):
        counts.update(offset_evidence(filled))
    return {name: number for name, number in sorted(counts.items()) if number}


def _prefixes(texts: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Return the start of each text, and how often each start comes."""
    prefixes = texts.str.head(_PREFIX)
    distinct = prefixes.value_counts()
    if not distinct[prefixes.name].str.contains(r"^\s").any():
        return prefixes, distinct
    prefixes = texts.str.strip_chars_start().str.head(_PREFIX)
    return prefixes, prefixes.value_counts()


@lru_cache(maxsize=100_000)
def _evidence(text: str) -> tuple[str, ...]:
    """Return what a date shows; a file's days come back in every block of it."""
    return tuple(_shown(text))


def _shown(text: str) -> Iterator[str]:
    cleaned = clean(text)
    if re.match(_SERIAL, cleaned):
        yield "serial"
        return
    found = match_date(cleaned)
    if found is None:
        return
    yield found.shape
    if found.has_two_digit_year:
        yield "two_digit_year"
    if found.shape in NEEDS_ORDER:
        yield _witness(found)


def _witness(found: DateMatch) -> str:
    over = (found.first > 12, found.second > 12)
    if over == (True, True):
        return "impossible"
    if any(over):
        return "first_over_12" if over[0] else "second_over_12"
    return "same_parts" if found.first == found.second else "either_order"


def _clocks(texts: pl.Series) -> dict[str, int]:
    clock = texts.filter(texts.str.contains(":", literal=True))
    return {"clock": len(clock), "midnight": int(clock.str.contains_any([" 00:00", "T00:00", " 0:00"]).sum())}


def merge_evidence(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Add two counts of one column."""
    return dict(sorted((Counter(counts) + Counter(more)).items()))


def has_clock(evidence: Mapping[str, int | str]) -> bool:
    """Tell whether the times of a column are times: a column in which all are midnight holds days only."""
    midnight = int(evidence.get("midnight", 0))
    return not midnight or int(evidence.get("clock", 0)) > midnight


def decide_dates(about: str, evidence: Mapping[str, int], declared: str | None) -> Decision:
    """Settle the order of a column; value None if neither a declaration nor a witness does.

    iso: each date says by itself which part is which. Excel serials are taken for the 1900 system, as all but old
    Macintosh workbooks use it, and never beside dates in an order: a spreadsheet has then swapped some of them.
    """
    shown: dict[str, int | str] = dict(evidence)
    if declared is not None:
        if declared not in ORDERS:
            message = f"unknown date order {declared!r}"
            raise ValueError(message)
        contradicted = _contradicts(declared, evidence)
        return Decision(about, None if contradicted else declared, "declared", shown | {"declared": declared})
    ordered = sum(evidence.get(shape, 0) for shape in NEEDS_ORDER)
    serials = evidence.get("serial", 0)
    if not ordered:
        value, basis = ("excel_1900" if serials else "iso"), ("content" if evidence else "default")
        return Decision(about, value, basis, shown)
    return Decision(about, None if serials else _order(evidence), "witness", shown)


def _order(evidence: Mapping[str, int]) -> str | None:
    day_first, month_first = evidence.get("first_over_12", 0), evidence.get("second_over_12", 0)
    if bool(day_first) == bool(month_first):
        # Without a witness the order does not matter only if no date would change with it.
        return None if day_first or evidence.get("either_order", 0) else "dmy"
    return "dmy" if day_first else "mdy"


def _contradicts(declared: str, evidence: Mapping[str, int]) -> bool:
    witnesses = {"dmy": evidence.get("first_over_12", 0), "mdy": evidence.get("second_over_12", 0)}
    if declared not in witnesses:
        return False
    support = witnesses.pop(declared)
    against = sum(witnesses.values())
    return against > max(support, _SLIPS)


def collection_dates(today: date) -> tuple[date, date]:
    """Return the first and the last day on which a specimen can have been taken: 1900 to a year from now."""
    return date(1900, 1, 1), today + timedelta(days=366)


def parse_dates(
    texts: pl.Series,
    order: str | None,
    *,
    tz: str | None = None,
    within: tuple[date, date] | None = None,
    clock: bool = True,
) -> pl.DataFrame:
    """Parse a column in its decided order; one row for each text, in order.

    Columns: source; at (Datetime us, local, no zone); precision; reason (`bad_date` or null). Null and empty texts are
    null without a reason. tz: the zone to which stated offsets are converted. within: other days are bad dates.
    clock: False for a column whose times are all midnight (see has_clock).
    """
    latest_year = within[1].year if within else _LATEST_YEAR
    zone = ZoneInfo(tz) if tz else None
    day_zero = CALENDARS.serials.get(order or "")
    parts = [parse_serials(texts, day_zero)] if day_zero else []
    parts += [parse_format(texts, form, zone) for form in common_formats(texts, order)]
    first = parts[0] if parts else pl.DataFrame(schema={"at": pl.Datetime("us"), "precision": PRECISIONS})
    if len(parts) == 1:  # most columns have one format
        frame = pl.DataFrame({"source": texts}).hstack(first)
    else:
        nothing = (pl.lit(None, each) for each in first.schema.values())
        frame = pl.DataFrame({"source": texts}).with_columns(
            pl.coalesce(*(part[name] for part in parts), null).alias(name)
            for name, null in zip(first.columns, nothing, strict=True)
        )
    return _finish(_parse_rest(frame, order, zone, latest_year), within, clock=clock)


def _finish(frame: pl.DataFrame, within: tuple[date, date] | None, *, clock: bool) -> pl.DataFrame:
    if within:
        inside = pl.col("at").dt.date().is_between(*within)
        frame = frame.with_columns(
            pl.when(inside).then(pl.col(name)).alias(name) for name in ("at", "precision")
        )
    if not clock:
        day = pl.lit("day", PRECISIONS)
        frame = frame.with_columns(
            precision=pl.when(pl.col("precision") > day).then(day).otherwise("precision")
        )
    is_bad = pl.lit(value=False)
    if frame["at"].null_count() > frame["source"].null_count():
        is_bad = pl.col("at").is_null() & (pl.col("source").str.strip_chars() != "")
    return frame.with_columns(
        pl.col("precision").cast(pl.String),
        reason=pl.when(is_bad).then(pl.lit("bad_date")),
    )


def _parse_rest(
    frame: pl.DataFrame, order: str | None, zone: ZoneInfo | None, latest_year: int
) -> pl.DataFrame:
    rest = frame.filter(pl.col("at").is_null())["source"].unique()
    rest = rest.filter(rest.str.strip_chars() != "")
    if rest.is_empty():
        return frame
    moments = [read_date(text, order, zone, latest_year) for text in rest]
    read = pl.DataFrame(
        {
            "source": rest,
            "read_at": pl.Series([m.at if m else None for m in moments], dtype=pl.Datetime("us")),
            "read_precision": pl.Series([m.precision if m else None for m in moments], dtype=PRECISIONS),
        }
    )
    return frame.join(read, on="source", how="left", maintain_order="left").select(
        "source",
        at=pl.coalesce("at", "read_at"),
        precision=pl.coalesce("precision", "read_precision"),
    )


def join_date_time(dates: pl.Series, times: pl.Series) -> pl.Series:
    """Join a column of dates and one of clock times; a time that already carries its date stands alone."""
    frame = pl.DataFrame({"date": dates.str.strip_chars(), "time": times.str.strip_chars()})
    carries_date = pl.col("time").str.contains(r"\d{4}|\d[-/.月]\d{1,2}[-/.日]")
    day = pl.col("date").str.replace(r"[ T]0{1,2}:00(?::00(?:\.0+)?)?$", "")
    joined = pl.when(carries_date).then("time").otherwise(pl.concat_str(day, pl.col("time"), separator=" "))
    return frame.select(pl.coalesce(joined, "date").alias("joined"))["joined"]
