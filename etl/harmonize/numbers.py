"""Read result texts as numbers: comparator, value, flag, unit and range glued to it, or why there is none.

A plain number takes a vectorised path; only the rest is read one by one. The decimal mark is decided for the whole
column beforehand (decide_decimal), never cell by cell: 1.234 is a number of one decision, not of two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from etl.harmonize.number_text import normal_text, read_number
from etl.harmonize.ranges import read_range
from etl.harmonize.result_text import Parsed, read_result
from etl.readers.base import Decision

__all__ = ["RESULTS", "decide_decimal", "decimal_evidence", "parse_ranges", "parse_results"]

RESULTS = {
    "source": pl.String,
    "comparator": pl.String,  # <, <=, >, >=, ~ or null
    "value": pl.Float64,
    "flag_source": pl.String,
    "unit_text": pl.String,
    "ref_text": pl.String,
    "absent_reason": pl.String,
    "specimen_quality": pl.String,
    "reason": pl.String,  # bad_number
}
RANGES = {"source": pl.String, "ref_low": pl.Float64, "ref_high": pl.Float64}

# A double holds 15 digits; anything longer goes the careful way.
_PLAIN = {".": r"^-?[0-9]{1,15}(?:\.[0-9]{1,17})?$", ",": r"^-?[0-9]{1,15}(?:,[0-9]{1,17})?$"}


def parse_results(texts: pl.Series, decimal: str, missing: Collection[str]) -> pl.DataFrame:
    """Return RESULTS, one row a distinct text, null included.

    decimal: "." or ",", as decided for the column. missing: the declared words and numbers for "no result".
    """
    distinct = texts.cast(pl.String).unique().alias("source").to_frame()
    declared = Missing.of(missing, decimal)
    number = pl.col("source").str.strip_chars()
    plain = distinct.filter(number.str.contains(_PLAIN[decimal])).with_columns(
        number.str.replace(",", ".", literal=True).cast(pl.Float64).alias("value")
    )
    plain = plain.filter(~pl.col("value").is_in(declared.numbers))
    rest = distinct.join(plain, on="source", how="anti", nulls_equal=True)["source"]
    rows = [_row(text, decimal, declared) for text in rest]
    parsed = pl.DataFrame(rows, schema=RESULTS, orient="row")
    return pl.concat([parsed, plain], how="diagonal").select(list(RESULTS))


class Missing:
    """The values a site declares to mean "no result": words, and numbers however they are printed."""

    def __init__(self, words: frozenset[str], numbers: list[float]) -> None:
        self.words = words
        self.numbers = numbers

    @classmethod
    def of(cls, missing: Collection[str], decimal: str) -> Missing:
        """Fold the declared words; a number matches -9 and -9.0 alike."""
        numbers = (read_number(word, mark) for word in missing for mark in {".", decimal})
        return cls(
            frozenset(_folded(word) for word in missing), sorted({n for n in numbers if n is not None})
        )

    def has(self, text: str, decimal: str) -> bool:
        """Tell whether a whole cell is a declared value."""
        return _folded(text) in self.words or read_number(text, decimal) in self.numbers


def _folded(text: str) -> str:
    return normal_text(text).casefold()


def _row(text: str | None, decimal: str, declared: Missing) -> tuple[object, ...]:
    if text is None or not text.strip():
        found = Parsed(absent_reason="empty")
    elif declared.has(text, decimal):
        found = Parsed(absent_reason="declared_missing")
    else:
        found = read_result(text, decimal)
    reason = None if found.value is not None or found.absent_reason else "bad_number"
    return (
        text,
        found.comparator,
        found.value,
        found.flag,
        found.unit_text,
        found.ref_text,
        found.absent_reason,
        found.specimen_quality,
        reason,
    )


def parse_ranges(ref_texts: pl.Series, decimal: str) -> pl.DataFrame:
    """Return RANGES, one row a distinct text; a range of several phases or sexes stays null."""
    distinct = ref_texts.cast(pl.String).unique()
    rows = [(text, *read_range(text, decimal)) for text in distinct]
    return pl.DataFrame(rows, schema=RANGES, orient="row")


# How the first number of a cell speaks for one decimal mark. Each entry: what proves it, from the cell's digits.
_FIRST = r"[-+]?[0-9.,]*[0-9](?:\s*[eE×xX]\s*[-+]?[0-9])?"
_EVIDENCE = {
    "plain": r"^[0-9]+$",
    # 3.8, 12.25, 0.123, 1234.567, .5, 1,234.5, 1.234e5: no thousands group looks like this.
    "dot_decimal_only_possible": r"^(?:[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})|0[0-9]*\.[0-9]{3}|\.[0-9]{3}|[0-9]{4,}\.[0-9]{3}|[1-9][0-9]{0,2}(?:,[0-9]{3})+\.[0-9]+"
    r"|[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}|[0-9]+\.[0-9]{3}[eExX×].*)(?:[eExX×].*)?$",
    "comma_decimal_only_possible": r"^(?:[0-9]*,(?:[0-9]{1,2}|[0-9]{4,})|0[0-9]*,[0-9]{3}|,[0-9]{3}|[0-9]{4,},[0-9]{3}|[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+"
    r"|[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}|[0-9]+,[0-9]{3}[eExX×].*)(?:[eExX×].*)?$",
    "ambiguous_dot": r"^[1-9][0-9]{0,2}\.[0-9]{3}$",
    "ambiguous_comma": r"^[1-9][0-9]{0,2},[0-9]{3}$",
}


def decimal_evidence(texts: pl.Series) -> dict[str, int]:
    """Count how the numbers of a column speak for its decimal mark; the counts of parts add up."""
    first = pl.col("text").str.extract(f"({_FIRST})").str.strip_chars_start("+-").str.replace_all(r"\s", "")
    frame = texts.cast(pl.String).alias("text").to_frame().select(first.alias("number"))
    counts = frame.select(pl.col("number").str.contains(p).sum().alias(name) for name, p in _EVIDENCE.items())
    return {name: int(count or 0) for name, count in counts.row(0, named=True).items()}


def decide_decimal(evidence: Mapping[str, int], declared: str | None) -> Decision:
    """Decide a column's decimal mark: declared, proven by one number, or `.` where no number has a mark."""
    counts: dict[str, int | str] = dict(evidence)
    if declared is not None:
        return Decision("decimal", declared, "declared", counts)
    has_dot = evidence.get("dot_decimal_only_possible", 0) > 0
    has_comma = evidence.get("comma_decimal_only_possible", 0) > 0
    if has_dot != has_comma:
        return Decision("decimal", "." if has_dot else ",", "content", counts)
    is_open = has_dot or evidence.get("ambiguous_dot", 0) or evidence.get("ambiguous_comma", 0)
    return Decision("decimal", None if is_open else ".", "content" if is_open else "default", counts)
