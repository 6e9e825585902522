"""The grammar of a number under a decimal mark, and the spellings of comparators."""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from functools import cache
from importlib.resources import files
from itertools import groupby

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_GROUP = {".": ",", ",": "."}
_APART = re.compile(
    r"(?<=[0-9])['’\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))"
)  # Swiss and typographic thousands
# x10 needs a caret, a star or a sign: `5x1000` is no 5, and `1.2x103` has lost what made its 3 an exponent.
_POWER = r"(?:(?:[eE]|\s*[xX*]\s*10\s*(?:(?:\^|\*\*?)\s*|(?=[-+])))([-+]?[0-9]{1,3}))?"


def normal_text(text: str) -> str:
    """Fold widths, superscripts, dashes and thousands apart, so that one grammar reads all."""
    if text.isascii():  # most texts; the rest below changes nothing in them
        return " ".join((_APART.sub("", text) if "'" in text else text).split())
    text = re.sub("[⁰¹²³⁴-⁹⁻⁺]+", lambda run: "^" + run.group(0).translate(_SUPERSCRIPT), text.strip())
    text = fold_width(_APART.sub("", text))
    text = text.replace("×", "x").replace("−", "-").replace("﹣", "-")
    return re.sub(r"\s+", " ", text).strip()


def fold_width(text: str) -> str:
    """Apply NFKC and drop what is invisible, but leave footnote digits as they are: 168① is not 1681."""
    if text.isascii():
        return text
    runs = groupby(text, key=unicodedata.category)
    pieces = [(kind, "".join(run)) for kind, run in runs if kind != "Cf"]
    if all(kind != "No" for kind, _ in pieces):
        return unicodedata.normalize("NFKC", "".join(piece for _, piece in pieces))
    return "".join(piece if kind == "No" else unicodedata.normalize("NFKC", piece) for kind, piece in pieces)


def group_pattern(decimal: str) -> str:
    """Return the pattern of an unsigned number under a decimal mark, thousands groups allowed."""
    mark, group = re.escape(decimal), re.escape(_GROUP[decimal])
    return rf"(?:[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+|[0-9]+)(?:{mark}[0-9]+)?(?![0-9.,]*[0-9])|{mark}[0-9]+(?![.,0-9])"


@cache
def number_pattern(decimal: str) -> re.Pattern[str]:
    """Return the pattern of a signed number with an exponent at the start of a text."""
    return re.compile(rf"([-+]?)({group_pattern(decimal)}){_POWER}")


def read_number(text: str, decimal: str) -> float | None:
    """Read a text that is a number and nothing else."""
    match = number_pattern(decimal).fullmatch(normal_text(text))
    return number_value(match, decimal) if match else None


def number_value(match: re.Match[str], decimal: str) -> float | None:
    """Return the value of a match of number_pattern, or None if it is no finite number."""
    sign, digits, power = match.groups()
    digits = digits.replace(_GROUP[decimal], "").replace(decimal, ".")
    value = float(f"{sign}{digits}e{power or 0}")
    return value if math.isfinite(value) else None


@cache
def comparators(position: str) -> dict[str, str]:
    """Return the spellings of comparators that stand before or after the number, in lower case."""
    rows = words("comparators.csv")
    return {normal_text(r["spelling"]).lower(): r["comparator"] for r in rows if r["position"] == position}


def words(name: str) -> list[dict[str, str]]:
    """Return the rows of a word list of schemas/codes."""
    return list(csv.DictReader((files("schemas.codes") / name).read_text("utf-8").splitlines()))
