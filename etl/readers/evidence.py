"""Which encoding explains some lines best: by strict decoding, then by whether the text looks like writing.

GB18030 and cp932 decode most Latin-1 bytes, and Latin-1 decodes everything, so "it decodes" is no evidence. What is:
common Han characters and kana, as against accented letters inside Latin words and the few symbols of laboratories.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

# Tried in this order; a later one must be better, not equal. cp1252 holds all of ISO-8859-1's printable characters.
TRIALS = ("gb18030", "cp932", "cp1252", "iso-8859-15")
ENOUGH = 0.6  # share of plausible characters below which no encoding is taken without a declaration
ACCENTED = "À-ÖØ-öø-ſ"


@cache
def structure() -> dict[str, dict[str, str | list[str]]]:
    """Return the reader's data: words of totals, symbols."""
    loaded: dict[str, dict[str, str | list[str]]] = tomllib.loads(
        files("etl.readers").joinpath("structure.toml").read_text("utf-8")
    )
    return loaded


def plausibility(text: str) -> float:
    """Return the share of the characters beyond ASCII that look like writing, 0 to 1; 1 if there are none."""
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    return sum(map(len, _plausible().findall(text))) / beyond if beyond else 1.0


def best_encoding(lines: Sequence[bytes], enough: float = ENOUGH) -> tuple[str | None, dict[str, int | str]]:
    """Return the encoding that explains the lines best, or None, and each trial's plausibility in percent."""
    scores = {encoding: _score(lines, encoding) for encoding in TRIALS}
    best = max(TRIALS, key=lambda encoding: scores[encoding])
    shown: dict[str, int | str] = {f"percent_{name}": round(100 * score) for name, score in scores.items()}
    return (best if scores[best] >= enough else None), shown


def decoded(line: bytes, encoding: str) -> str | None:
    """Return the line's text, or None if the encoding does not allow it."""
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _score(lines: Sequence[bytes], encoding: str) -> float:
    """Weigh the plausibility of each line alike; a line that does not decode counts as implausible."""
    texts = (decoded(line, encoding) for line in lines)
    return sum(plausibility(text) for text in texts if text is not None) / max(len(lines), 1)


@cache
def _plausible() -> re.Pattern[str]:
    symbols = structure()["symbols"]
    common = "".join(
        (
            _characters("gb2312", 0xB0, 0xD7),  # level 1: the 3,755 most common characters
            _characters("shift_jis", 0x89, 0x97),  # the same for Japanese (JIS X 0208 level 1)
            "\u3041-\u3096\u30a1-\u30fa\uff01-\uff5e",  # kana, full-width forms
            re.escape(f"{symbols['east_asian']}{symbols['western']}"),
        )
    )
    latin = (
        rf"(?<=[A-Za-z])[{ACCENTED}]{{1,2}}(?![^\x00-\x7f])|(?<![^\x00-\x7f])[{ACCENTED}]{{1,2}}(?=[A-Za-z])"
    )
    return re.compile(rf"{latin}|[{common}]+|(?<![A-Za-z])[\uff66-\uff9f]{{2,}}")


def _characters(encoding: str, first: int, last: int) -> str:
    """Return the characters of some lead bytes of a two-byte encoding."""
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in range(0x40, 0xFF))
    texts = (pair.decode(encoding, "ignore") for pair in pairs)
    return "".join(text for text in texts if len(text) == 1 and not text.isascii())
