"""Read one answer text: a number, a clock time, a duration. None means: not readable."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s?(?:分|点|points?|punkte?|pts?)?")
_LETTERED = re.compile(r"([0-3])[a-d]?")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h点时](\d{2})?(?::\d{2}(?:\.0+)?)?)?(?:分|m|min)?")
_FLAT_CLOCK = re.compile(r"([01]?\d|2[0-4])([0-5]\d)")
_DECIMAL = re.compile(r"(\d{1,2})[.,](\d+)")
_HALF_DAY = re.compile(
    r"^(?P<before>am|pm|上午|下午|傍晚|早上|早晨|清晨|凌晨|晚上|夜里|夜间|半夜|午夜|深夜|中午|正午|早|晚)?"
    r"(?P<time>.*?)(?P<after>am|pm|a\.m\.|p\.m\.|uhr)?$"
)
_SPREADSHEET_DAY = re.compile(r"^(?:1899-12-3[01]|1900-01-0[01])[t ]")
_RANGE = re.compile(r"(\d.*?)(?:to|bis|至|到|[-~–—])(\d.*)")
_PARTS = re.compile(
    r"(?:(\d+(?:[.,]\d+)?)(?:h|hrs?|hours?|小时|个小时|钟头|std|stunden?|时))?(?:(\d+(?:[.,]\d+)?)(?:m|min|mins|minutes?|minuten?|分|分钟)?)?"
)
_NIGHT = {"晚上", "夜里", "夜间", "半夜", "午夜", "深夜", "晚"}
_EVENING, _NOON = {"晚上", "晚"}, {"中午", "正午"}
_AFTERNOON = {"pm", "p.m.", "下午", "傍晚", *_NIGHT}
_MORNING = {"am", "a.m.", "上午", "早上", "早晨", "清晨", "凌晨", "早"}
_NAMED = {
    "midnight": 0.0,
    "mitternacht": 0.0,
    "午夜": 0.0,
    "零点": 0.0,
    "noon": 12.0,
    "mittag": 12.0,
    "正午": 12.0,
}
_HALF_PAST = re.compile(r"(?<=[点时])半")
# A number with its label: 2 = often, 2. 经常, (2) often, often (2).
_LABELLED = re.compile(
    r"(?P<before>\d)\s*[-–=:.,、)]\s*(?P<said>[^\d\s].*)|\((?P<first>\d)\)\s*(?P<then>[^\d\s].*)|(?P<words>[^\d\s]\D*?)\s*\((?P<last>\d)\)"
)


def fold(text: str) -> str:
    """Return the text in one spelling: NFKC, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def read_number(text: str) -> float | None:
    """Read a number, with or without a word for points behind it."""
    match = _NUMBER.fullmatch(fold(text))
    return float(match[1].replace(",", ".")) if match else None


def read_labelled(text: str) -> tuple[float, str] | None:
    """Read a number and the label beside it: 2 = often, 2、经常, often (2)."""
    match = _LABELLED.fullmatch(fold(text))
    if not match:
        return None
    number = match["before"] or match["first"] or match["last"]
    return float(number), match["said"] or match["then"] or match["words"]


def read_lettered(text: str) -> float | None:
    """Read an option such as 1a as its digit."""
    match = _LETTERED.fullmatch(fold(text))
    return float(match[1]) if match else None


def read_clock(text: str) -> float | None:
    """Read a time of day as decimal hours in [0, 24).

    23:00, 23h30, 2330, 11pm, 晚上11点半, 半夜12点, midnight and 22.5 are read. 23.30 is not: it is 23:30 or 23:18. Nor is
    0.96, which is a minute before one or a spreadsheet's fraction of a day.
    """
    plain = _SPREADSHEET_DAY.sub("", fold(text)).replace(" ", "")
    if plain in _NAMED:
        return _NAMED[plain]
    plain = _HALF_PAST.sub("30分", plain)
    match = _HALF_DAY.fullmatch(plain)
    if not match:
        return None
    words = {word for word in (match["before"], match["after"]) if word}
    hours = _time_of_day(match["time"], is_clock=bool(words))
    return None if hours is None else _on_24_hours(hours, words)


def _time_of_day(time: str, *, is_clock: bool) -> float | None:
    decimal = _DECIMAL.fullmatch(time)
    if decimal and not is_clock:
        return _decimal_hours(int(decimal[1]), decimal[2])
    match = _FLAT_CLOCK.fullmatch(time)
    if match and len(time) == 2:  # 30: half an hour, or a quarter to four without its first digit
        return None
    match = match or _CLOCK.fullmatch(time)
    if not match or int(match[2] or 0) > 59:
        return None
    hours = int(match[1]) + int(match[2] or 0) / 60
    return hours if hours <= 24 else None


def _decimal_hours(whole: int, digits: str) -> float | None:
    is_minutes_like = len(digits) == 2 and 0 < int(digits) <= 59
    if is_minutes_like or whole == 0 or whole > 23:
        return None
    return whole + float(f"0.{digits}")


def _on_24_hours(hours: float, words: set[str]) -> float | None:
    """Apply the words for a half of the day; 12 am and 晚上12点 are midnight."""
    if words & _MORNING:
        return hours % 12 if hours < 13 else None
    late = 4 if words & _EVENING else 6
    if words & _NIGHT and (hours < late or 12 <= hours < 13):
        return hours % 12  # 夜里1点 is one o'clock in the morning
    if words & _NOON and hours < late:
        return hours + 12
    return (hours + 12 if words & _AFTERNOON and hours < 12 else hours) % 24


def read_minutes(text: str) -> float | None:
    """Read a duration in minutes; a bare number is minutes; of a range, the middle."""
    return _middle(text, lambda part: _duration(part, bare_unit=1))


def read_hours(text: str) -> float | None:
    """Read a duration in hours; a bare number is hours, 7:30 is 7.5; of a range, the middle."""
    minutes = _middle(text, lambda part: _duration(part, bare_unit=60))
    return None if minutes is None else minutes / 60


def _middle(text: str, read: Callable[[str], float | None]) -> float | None:
    plain = fold(text).replace(" ", "")
    match = _RANGE.fullmatch(plain)
    if not match:
        return read(plain)
    unit = re.sub(r"^[\d.,]+", "", match[2])
    first = (
        match[1] if re.search(r"[^\d.,]", match[1]) else match[1] + unit
    )  # the unit may stand once, at the end
    low, high = read(first), read(match[2])
    return None if low is None or high is None or low > high else (low + high) / 2


def _duration(text: str, *, bare_unit: int) -> float | None:
    """Return minutes."""
    if re.fullmatch(r"\d+(?:[.,]\d+)?", text):
        return float(text.replace(",", ".")) * bare_unit
    if clock := re.fullmatch(r"(\d{1,2}):([0-5]\d)(?::00)?", text):
        return int(clock[1]) * 60 + int(clock[2])
    text = re.sub(r"(\d+)个?半(小时|钟头)", r"\1.5\2", text)
    text = re.sub(r"半(?:个)?(小时)", r"0.5\1", text)
    text = re.sub(r"(\d+)(?:个)?(小时)半", r"\1.5\2", text)
    match = _PARTS.fullmatch(text)
    if not match or not text or not (match[1] or match[2]):
        return None
    return float((match[1] or "0").replace(",", ".")) * 60 + float((match[2] or "0").replace(",", "."))
