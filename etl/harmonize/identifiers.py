"""Identifiers: keyed subject ids and linkage tokens, so that no number or name of a person is stored.

id = base32(HMAC-SHA256(key, issuer | id type | normalized text)), lower case, first 26 characters (130 bits).
The three parts are joined with their lengths, so that no two different triples give one message.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import Final

import numpy as np
import polars as pl
import polars_hash as plh

_ALPHABET: Final = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", dtype=np.uint8)
_NIBBLES: Final = np.zeros(256, np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdef", dtype=np.uint8)] = np.arange(16)
_LENGTH: Final = 26
_HEX_DIGITS: Final = 35  # of a digest: 140 bits, or 28 characters of base32, of which 26 are kept

# What spreadsheets and databases write around a number to keep it text: ="0012", '0012.
_WRAPPED: Final = r'^(?:="?|\')(.*?)"?$'
_INVISIBLE: Final = "[\u200b\u200e\u200f\ufeff]"
# Words that stand in an empty identifier [M]. A site adds its own under `missing:`.
_NO_ONE: Final = (
    *("", "-", "--", "—", "/", ".", "NA", "N/A", "NULL", "NONE", "NAN", "UNKNOWN", "UNBEKANNT"),
    *("无", "空", "未知", "不详", "不明"),
)
# The first cell of a row of statistics below a table, where a subject's number would stand, and what may follow the word:
# `n = 30`, `Mean±SD`, `Mean (SD)`, `Max.`. Compared in capitals; a wide colon is a plain one by then.
_STATISTIC: Final = (
    "^(?:TOTALS?|GRAND TOTAL|SUBTOTAL|SUM|COUNT|N|MEAN|AVERAGE|AVG|MEDIAN|MODE|SD|STD|STD DEV|STDEV|STANDARD DEVIATION"
    "|SE|SEM|CV|MIN|MINIMUM|MAX|MAXIMUM|RANGE|SUMME|GESAMT|ANZAHL|MITTEL|MITTELWERT|DURCHSCHNITT|STANDARDABWEICHUNG"
    "|STABW|合计|总计|小计|共计|总数|例数|平均|平均值|平均数|均值|均数|标准差|中位数|最大值|最小值"
    r"|合計|総計|小計|平均値|標準偏差|中央値|最大値|最小値)(?:\s*[:=±(].*|\.)?$"
)

_ROUNDED: Final = r"(?i)^[+-]?\d+(?:[.,]\d+)?E\+\d+$"
_CHINESE_ID: Final = re.compile(r"\d{6}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]")
_OLD_CHINESE_ID: Final = re.compile(r"\d{8}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}")
_OTHER_ID: Final = re.compile(r"[0-9A-Z]{8,20}")
# GB 11643: the weights of the first 17 digits, and the check digit by their sum modulo 11 (ISO 7064 MOD 11-2) [M].
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"


def subject_ids(
    texts: pl.Series, key: bytes, issuer: str | pl.Series, id_type: str = "local"
) -> pl.DataFrame:
    """Turn a column of identifiers into subject ids; one row for each text, in order.

    Columns: source; subject_id; reason (`no_subject`, `long_id_rounded` or null). Leading zeros and case are kept: a
    person split in two can be linked, two persons under one id cannot be parted. A null issuer names no subject.
    """
    issuers = issuer.alias("issuer") if isinstance(issuer, pl.Series) else pl.lit(issuer).alias("issuer")
    frame = pl.DataFrame({"source": texts}).with_columns(issuers)
    spaces = frame.select(pl.col("issuer").unique()).with_columns(space=_normalized(pl.col("issuer")))
    distinct = frame.unique().with_columns(id=_normalized(pl.col("source")))
    distinct = distinct.join(spaces, on="issuer", how="left", nulls_equal=True)
    distinct = distinct.with_columns(reason=_reasons(distinct["id"], distinct["space"]))
    named = distinct.filter(pl.col("reason").is_null())
    named = named.with_columns(subject_id=_keyed(named["space"], id_type, named["id"], key))
    ids = distinct.join(named, on=["source", "issuer"], how="left", nulls_equal=True)
    ids = ids.select("source", "issuer", "subject_id", "reason")
    joined = frame.join(ids, on=["source", "issuer"], how="left", nulls_equal=True, maintain_order="left")
    return joined.select("source", "subject_id", "reason")


def is_rounded_id(text: str) -> bool:
    """Tell whether a spreadsheet rounded the identifier: 4.10123E+17, or a Chinese number of 18 digits cut to 15."""
    text = text.strip()
    return bool(re.match(_ROUNDED, text)) or (len(text) == 18 and text.endswith("000") and _fails_check(text))


def _fails_check(text: str) -> bool:
    return bool(_CHINESE_ID.fullmatch(text)) and _check_digit(text) != text[-1]


def linkage_tokens(people: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Turn names and national numbers into tokens that meet across hospitals; one row for each person, in order.

    people: any of name, birth_date (ISO text), sex (male, female), national_id. Columns: national_id and
    name_birth_sex, each null where a part is missing, masked or fails its check digit.
    """
    parts = people.select(
        pl.col(name) if name in people.columns else pl.lit(None, pl.String).alias(name)
        for name in ("name", "birth_date", "sex", "national_id")
    )
    name = parts["name"].str.normalize("NFKC").str.replace_all(r"\s+", "").str.to_lowercase()
    person = parts.with_columns(name=pl.when(name != "").then(name)).select(
        _framed(pl.col("name"), pl.col("birth_date"), pl.col("sex")).alias("person")
    )
    numbers = [national_number(text) if text else None for text in parts["national_id"]]
    return pl.DataFrame(
        {
            "national_id": _keyed("", "national_id", pl.Series(numbers, dtype=pl.String), key),
            "name_birth_sex": _keyed("", "name_birth_sex", person["person"], key),
        }
    )


def national_number(text: str) -> str | None:
    """Return a national identity number in one spelling; None if it is masked, rounded or fails its check digit.

    A Chinese number of 15 digits (to 1999) becomes the one of 18 that replaced it.
    """
    number = re.sub(r"[\s-]+", "", unicodedata.normalize("NFKC", text)).upper()
    if _OLD_CHINESE_ID.fullmatch(number):
        number = f"{number[:6]}19{number[6:]}"
        return number + _check_digit(number)
    if re.fullmatch(r"\d{17}[\dX]", number):
        return number if _CHINESE_ID.fullmatch(number) and _check_digit(number) == number[-1] else None
    return number if _OTHER_ID.fullmatch(number) and not is_rounded_id(number) else None


def _check_digit(number: str) -> str:
    return _CHECK_DIGITS[
        sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11
    ]


def _normalized(text: pl.Expr) -> pl.Expr:
    """Undo width, invisible signs and what keeps a number text in a spreadsheet; leave zeros and case alone."""
    plain = text.str.normalize("NFKC").str.replace_all(_INVISIBLE, "").str.strip_chars()
    return plain.str.replace(_WRAPPED, "$1").str.strip_chars()


def _reasons(ids: pl.Series, issuers: pl.Series) -> pl.Series:
    named = ids.str.to_uppercase()
    is_statistic = named.str.contains(_STATISTIC)
    is_no_one = ids.is_null() | named.is_in(_NO_ONE) | is_statistic | issuers.is_null() | (issuers == "")
    reason = pl.when(is_no_one).then(pl.lit("no_subject")).when(_rounded(ids)).then(pl.lit("long_id_rounded"))
    return pl.select(reason.alias("reason"))["reason"]


def _rounded(ids: pl.Series) -> pl.Series:
    """Tell which identifiers a spreadsheet rounded: it keeps 15 digits, so that a Chinese number ends in 000."""
    ends_in_zeros = ids.str.contains(r"^\d{15}000$").fill_null(value=False)
    wrong = [text for text in ids.filter(ends_in_zeros).unique() if _fails_check(text)]
    return ids.str.contains(_ROUNDED).fill_null(value=False) | (ends_in_zeros & ids.is_in(wrong))


def _framed(*parts: pl.Expr) -> pl.Expr:
    """Join texts with their lengths in bytes; null if a part is null."""
    return pl.concat_str([pl.format("{}:{}", part.str.len_bytes(), part) for part in parts])


def _keyed(issuer: str | pl.Series, id_type: str, ids: pl.Series, key: bytes) -> pl.Series:
    parts = pl.DataFrame({"id": ids}).with_columns(
        issuer=issuer if isinstance(issuer, pl.Series) else pl.lit(issuer)
    )
    messages = parts.select(_framed(pl.col("issuer"), pl.lit(id_type), pl.col("id")).alias("message"))
    return keyed_ids(messages["message"], key)


def keyed_ids(messages: pl.Series, key: bytes) -> pl.Series:
    """Return base32(HMAC-SHA256(key, message))[:26] in lower case for each text; null stays null."""
    filled = messages.is_not_null()
    encoded = pl.DataFrame({"row": filled.arg_true(), "id": _base32(_digests(messages.filter(filled), key))})
    if filled.all():
        return encoded["id"]
    rows = pl.DataFrame({"row": pl.int_range(len(messages), dtype=pl.UInt32, eager=True)})
    return rows.join(encoded, on="row", how="left", maintain_order="left")["id"]


def _digests(messages: pl.Series, key: bytes) -> pl.Series:
    """Return the digests as hexadecimal text. The native function takes a key of text only, and is ten times faster."""
    if key.isascii():
        hashed = plh.col("message").chash.hmac_sha256(key=key.decode("ascii"))
        return pl.DataFrame({"message": messages}).select(hashed.alias("digest"))["digest"]
    digests = [hmac.digest(key, message.encode(), "sha256").hex() for message in messages]
    return pl.Series(digests, dtype=pl.String)


def _base32(digests: pl.Series) -> pl.Series:
    digits = (digests.str.head(_HEX_DIGITS).str.join("").item() or "").encode("ascii")
    nibbles = _NIBBLES[np.frombuffer(digits, dtype=np.uint8)].reshape(len(digests), _HEX_DIGITS // 5, 5)
    # Five hexadecimal digits are 20 bits, which are four characters of base32.
    a, b, c, d, e = (nibbles[:, :, place] for place in range(5))
    characters = np.stack(
        [a << 1 | b >> 3, (b & 7) << 2 | c >> 2, (c & 3) << 3 | d >> 1, (d & 1) << 4 | e], axis=2
    )
    kept = characters.reshape(len(digests), _HEX_DIGITS // 5 * 4)[:, :_LENGTH]
    text = _ALPHABET[kept].tobytes().decode("ascii")
    return pl.Series([text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH)], dtype=pl.String)
