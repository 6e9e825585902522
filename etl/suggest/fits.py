"""Whether the cells of a column are what a field needs: yes, no, or nothing can be seen."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from etl.suggest.content import Content

MOST, NEARLY_ALL, SOME = 0.7, 0.9, 0.3
_KNOWN = 0.15  # of the names of a laboratory, at the least
OLDEST, TALLEST, SHORTEST, LIGHTEST, HEAVIEST = 120, 250, 30, 1, 400
_FIRST_BIRTH, _LAST_BIRTH = 1890, 2100


class Fit(Enum):
    """YES: the cells speak for it by themselves. PASS: they do not speak against it. NO, or nothing to see."""

    YES = "yes"
    PASS = "pass"  # noqa: S105 - no password
    NO = "no"
    UNSEEN = "unseen"


Test = Callable[[Content, str], Fit]


def fit(need: str, content: Content, header: str) -> Fit:
    """Compare the cells with what a field needs (a name of TESTS)."""
    return Fit.UNSEEN if content.is_empty else TESTS[need](content, header)


def _when(*answers: bool) -> Fit:
    """Return YES if the first answer is yes, PASS if the second is."""
    speaks, passes = answers
    return Fit.YES if speaks else _passes(passes)


def _passes(*answers: bool) -> Fit:
    return Fit.PASS if all(answers) else Fit.NO


def _identifier(content: Content, _: str) -> Fit:
    is_dated = content.share("date") > SOME > content.share("letters") and content.share("integer") < MOST
    has_decimals = content.share("number") - content.share("integer") > SOME and not _ends_in_zero(content)
    is_text = content.share("sentence") > 0 or content.share("unit") > MOST or content.share("analyte") > MOST
    is_flat = len(content.distinct) == 1 and content.filled > 1
    return _passes(not (is_dated or has_decimals or is_text or is_flat), _has_digits(content))


def _ends_in_zero(content: Content) -> bool:
    return all(text.endswith((".0", ",0")) for text in content.some)


def _has_digits(content: Content) -> bool:
    return sum(any(letter.isdigit() for letter in text) for text in content.some) > MOST * len(content.some)


def _dates(content: Content, _: str) -> Fit:
    share = content.share("date")
    return _when(share > NEARLY_ALL and content.share("number") < SOME, share > MOST)


def _times(content: Content, header: str) -> Fit:
    return _passes(content.share("time") > MOST or _dates(content, header) is not Fit.NO)


def _birth_dates(content: Content, header: str) -> Fit:
    return _dates(content, header) if content.share("clock") < SOME or _is_midnight(content) else Fit.NO


def _is_midnight(content: Content) -> bool:
    return all("00:00" in text for text in content.some if ":" in text)


def _results(content: Content, _: str) -> Fit:
    is_ranged = content.share("range") - content.share("limit") > SOME  # `<83` is a result as well
    if _is_dated(content) or is_ranged or content.share("analyte") > MOST:
        return Fit.NO
    if content.share("flag") > MOST and content.share("result") == 0:
        return Fit.NO
    return _passes(content.share("result") > 0.5 or content.is_few)


def _is_dated(content: Content) -> bool:
    """Tell whether cells are dates; whole numbers may be days of a spreadsheet, and are numbers as long as they can."""
    return content.share("date") > SOME and content.share("integer") < MOST


def _numbers(content: Content, _: str) -> Fit:
    return _passes(content.share("result") > MOST and not _is_dated(content))


def _ranges(content: Content, _: str) -> Fit:
    return _when(content.share("range") > MOST, content.share("range") > SOME)


def _units(content: Content, _: str) -> Fit:
    return _when(content.share("unit") > MOST and content.share("number") == 0, content.share("unit") > 0.5)


def _analytes(content: Content, _: str) -> Fit:
    if content.share("number") > SOME or content.share("date") > SOME or content.share("unit") > MOST:
        return Fit.NO
    known = content.share("analyte")
    is_worded = content.share("letters") > MOST and len(content.distinct) < content.filled
    return _when(known > MOST, (known > _KNOWN or is_worded) and content.share("sentence") < SOME)


def _loinc(content: Content, _: str) -> Fit:
    return _when(content.share("loinc") > MOST, content.share("loinc") > SOME)


def _short_codes(content: Content, _: str) -> Fit:
    is_repeated = len(content.distinct) < content.filled or content.filled <= 1
    return _passes(content.share("short_code") > MOST and not _is_dated(content) and is_repeated)


def _codes(content: Content, header: str) -> Fit:
    of_loinc = _loinc(content, header)
    return _short_codes(content, header) if of_loinc is Fit.NO else of_loinc


def _condition_codes(content: Content, _: str) -> Fit:
    return _when(content.share("icd") > MOST, content.share("short_code") > MOST)


def _coded(name: str, least: int = 1) -> Test:
    def test(content: Content, header: str) -> Fit:
        share, values = content.coded(name, header)
        if share > MOST:
            is_worded = len(values) >= least and content.share("number") == 0
            return Fit.YES if is_worded else Fit.PASS
        is_numbered = content.share("integer") > MOST and len(content.distinct) <= 5
        return Fit.PASS if is_numbered and content.is_few else Fit.NO

    return test


def _ages(content: Content, _: str) -> Fit:
    ages = content.ages
    is_read = len(ages) >= MOST * content.filled and len(ages) > 0
    return _passes(is_read and float(ages.max() or 0) <= OLDEST and content.share("date") < SOME)  # type: ignore[arg-type]


def _between(low: float, high: float) -> Test:
    def test(content: Content, _: str) -> Fit:
        numbers = content.numbers
        if len(numbers) < MOST * content.filled:
            return Fit.NO
        middle = numbers.quantile(0.5)
        return _passes(middle is not None and low <= middle <= high)

    return test


def _flags(content: Content, _: str) -> Fit:
    return _when(content.share("flag") > MOST and content.share("integer") == 0, content.is_few)


def _specimens(content: Content, _: str) -> Fit:
    return _when(content.share("specimen") > MOST, content.is_few and content.share("number") < SOME)


def _entry_numbers(content: Content, header: str) -> Fit:
    return _identifier(content, header) if len(content.distinct) > 1 or content.filled == 1 else Fit.NO


def _words(content: Content, _: str) -> Fit:
    return _passes(content.share("number") < SOME and content.share("date") < SOME)


def _few_words(content: Content, _: str) -> Fit:
    is_repeated = content.is_few or len(content.distinct) * 5 <= content.filled
    return _passes(is_repeated and content.share("date") < SOME and content.share("analyte") < MOST)


def _instruments(content: Content, header: str) -> Fit:
    is_named = content.share("instrument") > 0
    return _when(content.share("instrument") > MOST, is_named or _few_words(content, header) is Fit.PASS)


def _texts(content: Content, _: str) -> Fit:
    return _passes(content.share("letters") > MOST and content.share("date") < SOME)


def _pairs(content: Content, _: str) -> Fit:
    repeats = content.filled / max(1, len(content.distinct))
    return _passes(content.share("date") < SOME and repeats >= 1.5)


def _items(content: Content, _: str) -> Fit:
    return _passes(content.share("date") < SOME and len(content.distinct) < content.filled)


def _comparators(content: Content, _: str) -> Fit:
    signs = {"<", ">", "<=", ">=", "=", "≤", "≥", "~"}
    return _when(set(content.some) <= signs, content.is_few)


TESTS: dict[str, Test] = {
    "any": lambda *_: Fit.PASS,
    "identifier": _identifier,
    "dates": _dates,
    "times": _times,
    "birth_dates": _birth_dates,
    "results": _results,
    "numbers": _numbers,
    "ranges": _ranges,
    "units": _units,
    "analytes": _analytes,
    "loinc": _loinc,
    "codes": _codes,
    "short_codes": _short_codes,
    "condition_codes": _condition_codes,
    "sexes": _coded("sex", 2),
    "groups": _coded("cohort_group", 2),
    "statuses": _coded("result_status"),
    "yes_no": _coded("yes_no", 2),
    "ages": _ages,
    "heights": _between(1, TALLEST),
    "weights": _between(LIGHTEST, HEAVIEST),
    "flags": _flags,
    "specimens": _specimens,
    "instruments": _instruments,
    "items": _items,
    "entry_numbers": _entry_numbers,
    "words": _words,
    "few_words": _few_words,
    "texts": _texts,
    "pairs": _pairs,
    "comparators": _comparators,
}
