"""Read a specimen's name, and decide whether the study measures an analyte in it."""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from schemas.analytes import Analyte

# A panel's title names the specimen only where it can mean nothing else: 尿素 and 尿酸 are blood tests.
_CATEGORY = {
    "urine": re.compile(
        r"urinal|\burine?\b|urinstatus|尿(?:常规|液|生化|沉渣|检|分析|干化学|蛋白)", re.IGNORECASE
    ),
    "csf": re.compile(r"\bcsf\b|\bliquor\b|脑脊液", re.IGNORECASE),
    "stool": re.compile(r"\bstool\b|\bstuhl\b|大便|粪便", re.IGNORECASE),
}


@cache
def specimen_words() -> dict[str, str]:
    """Return the known words for specimens, as word -> specimen."""
    text = (files("schemas.codes") / "specimen.csv").read_text("utf-8")
    return {row["word"].casefold(): row["specimen"] for row in csv.DictReader(text.splitlines())}


@lru_cache(maxsize=4096)
def read_specimen(text: str) -> str | None:
    """Return the specimen that a text names, by the whole text or by its longest known word."""
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    known = specimen_words()
    if plain in known:
        return known[plain]
    words = sorted((word for word in known if _contains(plain, word)), key=len, reverse=True)
    return known[words[0]] if words else None


def _contains(text: str, word: str) -> bool:
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text) is not None


def specimen_of_category(category: str) -> str | None:
    """Return the specimen that a panel's title names, or None."""
    return next((specimen for specimen, words in _CATEGORY.items() if words.search(category)), None)


def is_measured_in(analyte: Analyte, specimen: str) -> bool:
    """Tell whether the study measures an analyte in a specimen; `blood` alone only says how it was drawn."""
    return not analyte.specimens or specimen in {*analyte.specimens, "blood"}
