"""Identifiers and tokens. Expected ids are made with hmac, hashlib and base64; check digits are the standard's examples."""

from __future__ import annotations

import base64
import hashlib
import hmac

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.harmonize.identifiers import is_rounded_id, keyed_ids, linkage_tokens, national_number, subject_ids

TEXT_KEY = b"0123456789abcdef" * 4
BYTE_KEY = bytes(range(200, 232))
# GB 11643-1999 prints both numbers as examples.
EXAMPLES = ["11010519491231002X", "440524188001010014"]


def expected(key: bytes, issuer: str, id_type: str, text: str) -> str:
    message = "".join(f"{len(part.encode())}:{part}" for part in (issuer, id_type, text)).encode()
    return base64.b32encode(hmac.new(key, message, hashlib.sha256).digest()).decode()[:26].lower()


@pytest.mark.parametrize("key", [TEXT_KEY, BYTE_KEY, b"k", b"x" * 100])
def test_the_id_is_an_hmac(key: bytes) -> None:
    frame = subject_ids(pl.Series(["1001", "患者1", None]), key, "north")
    assert frame.columns == ["source", "subject_id", "reason"]
    assert frame["subject_id"].to_list() == [
        expected(key, "north", "local", "1001"),
        expected(key, "north", "local", "患者1"),
        None,
    ]


@settings(max_examples=40, deadline=None)
@given(
    messages=st.lists(st.none() | st.text(max_size=30), max_size=6), key=st.binary(min_size=1, max_size=80)
)
def test_keyed_ids_agree_with_hmac(messages: list[str | None], key: bytes) -> None:
    digests = [None if m is None else hmac.new(key, m.encode(), hashlib.sha256).digest() for m in messages]
    ids = [None if d is None else base64.b32encode(d).decode()[:26].lower() for d in digests]
    assert keyed_ids(pl.Series(messages, dtype=pl.String), key).to_list() == ids


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (" 1001 ", "1001"),
        ("１００１", "1001"),
        ('="0012"', "0012"),
        ("'0012", "0012"),
        ("1001\t", "1001"),
        ("\ufeff1001", "1001"),
    ],
)
def test_how_an_id_is_typed_does_not_matter(text: str, same: str) -> None:
    assert subject_ids(pl.Series([text]), TEXT_KEY, "north")["subject_id"][0] == expected(
        TEXT_KEY, "north", "local", same
    )


def test_what_makes_another_person() -> None:
    texts = ["1001", "01001", "a12", "A12", "10 01"]
    ids = subject_ids(pl.Series(texts), TEXT_KEY, "north")["subject_id"].to_list()
    ids += subject_ids(pl.Series(["1001"]), TEXT_KEY, "south")["subject_id"].to_list()
    ids += subject_ids(pl.Series(["1001"]), TEXT_KEY, "north", "study")["subject_id"].to_list()
    ids += subject_ids(pl.Series(["1001"]), BYTE_KEY, "north")["subject_id"].to_list()
    assert len(set(ids)) == len(ids) == 8


def test_parts_cannot_run_into_each_other() -> None:
    triples = [
        ("a", "b", "c"),
        ("ab", "", "c"),
        ("a", "", "bc"),
        ("a:1", "b", "c"),
        ("a", "1:b", "c"),
        ("a|b", "", "c"),
    ]
    ids = [
        subject_ids(pl.Series([text]), TEXT_KEY, issuer, kind)["subject_id"][0]
        for issuer, kind, text in triples
    ]
    assert len(set(ids)) == len(triples)


def test_the_issuer_may_be_a_column() -> None:
    issuers = pl.Series(["north", "south", None, "north", ""])
    frame = subject_ids(pl.Series(["1", "1", "1", "1", "1"]), TEXT_KEY, issuers)
    north, south = expected(TEXT_KEY, "north", "local", "1"), expected(TEXT_KEY, "south", "local", "1")
    assert frame["subject_id"].to_list() == [north, south, None, north, None]
    assert frame["reason"].to_list() == [None, None, "no_subject", None, "no_subject"]


@pytest.mark.parametrize("text", [None, "", "  ", "NA", "n/a", "NULL", "-", "无", "不详"])
def test_nobody(text: str | None) -> None:
    assert subject_ids(pl.Series([text], dtype=pl.String), TEXT_KEY, "north").row(0) == (
        text,
        None,
        "no_subject",
    )


# What spreadsheets print in the first cell below the last subject; and numbers of subjects that begin alike.
@pytest.mark.parametrize(
    "text",
    [
        "Mean",
        "SD",
        "Mean±SD",
        "mean (SD)",
        "n = 30",
        "N：30",
        "Max.",
        "Total",
        "平均值",
        "标准差",
        "Mittelwert",
    ],
)
def test_a_row_of_statistics_is_nobody(text: str) -> None:
    assert subject_ids(pl.Series([text]), TEXT_KEY, "north")["reason"].to_list() == ["no_subject"]


@pytest.mark.parametrize("text", ["N001", "N-1", "SD12", "Max3", "Meaney", "合1", "1001 (a)"])
def test_an_id_that_begins_like_a_statistic_is_somebody(text: str) -> None:
    assert subject_ids(pl.Series([text]), TEXT_KEY, "north")["reason"].to_list() == [None]


# The third number is a made-up one as a spreadsheet prints it: 15 digits kept, its check digit no longer right.
@pytest.mark.parametrize("text", ["4.10123E+17", "4,10123e+17", "110105194912310000", "1E+15"])
def test_a_rounded_id_is_held(text: str) -> None:
    assert is_rounded_id(text)
    assert subject_ids(pl.Series([text]), TEXT_KEY, "north").row(0) == (text, None, "long_id_rounded")


@pytest.mark.parametrize(
    "text", ["1001", "12E34", "E12", "11010519491231002X", "202103050000001000", "100000000000000", "A+17"]
)
def test_a_long_id_is_not_rounded_by_being_long(text: str) -> None:
    assert not is_rounded_id(text)
    assert subject_ids(pl.Series([text]), TEXT_KEY, "north")["reason"][0] is None


def test_rows_keep_their_places() -> None:
    texts = pl.Series(["b", "a", None, "b", "NA", "a"])
    frame = subject_ids(texts, TEXT_KEY, "north")
    assert frame["source"].to_list() == texts.to_list()
    named = [None if text in (None, "NA") else expected(TEXT_KEY, "north", "local", text) for text in texts]
    assert frame["subject_id"].to_list() == named


@pytest.mark.parametrize("number", EXAMPLES)
def test_the_standard_s_examples_pass_the_check_digit(number: str) -> None:
    assert national_number(number) == number
    assert national_number(f" {number.lower()} ") == number
    for digit in "0123456789X":
        changed = number[:-1] + digit
        assert national_number(changed) == (number if digit == number[-1] else None)


@pytest.mark.parametrize("position", range(17))
def test_one_wrong_digit_never_passes(position: int) -> None:
    number = EXAMPLES[1]
    wrong = str((int(number[position]) + 1) % 10)
    assert national_number(number[:position] + wrong + number[position + 1 :]) is None


def test_the_old_number_of_15_digits_is_the_same_person() -> None:
    assert national_number("110105491231002") == EXAMPLES[0]


@pytest.mark.parametrize("text", ["4101**********1234", "4.10123E+17", "1234", "", "110105194913310021"])
def test_a_masked_or_damaged_number_gives_no_token(text: str) -> None:
    assert national_number(text) is None


def test_tokens_meet_across_hospitals() -> None:
    people = pl.DataFrame(
        {
            "name": ["张 三", "张三", "张三", "张三", None, "Anna B"],
            "birth_date": [
                "1949-12-31",
                "1949-12-31",
                "1949-12-31",
                "1950-12-31",
                "1949-12-31",
                "1949-12-31",
            ],
            "sex": ["male", "male", "female", "male", "male", None],
            "national_id": [
                EXAMPLES[0],
                EXAMPLES[0].lower(),
                EXAMPLES[1],
                None,
                "110105491231002",
                "masked***",
            ],
        }
    )
    tokens = linkage_tokens(people, TEXT_KEY)
    assert tokens.columns == ["national_id", "name_birth_sex"]
    numbers, names = tokens["national_id"].to_list(), tokens["name_birth_sex"].to_list()
    assert numbers == [
        expected(TEXT_KEY, "", "national_id", n) if n else None
        for n in (EXAMPLES[0], EXAMPLES[0], EXAMPLES[1], None, EXAMPLES[0], None)
    ]
    assert names[0] == names[1] != names[2] != names[3]
    assert names[0] != names[3]
    assert names[4] is None
    assert names[5] is None


def test_a_missing_column_gives_no_token() -> None:
    tokens = linkage_tokens(pl.DataFrame({"name": ["A"], "birth_date": ["1949-12-31"]}), TEXT_KEY)
    assert tokens.rows() == [(None, None)]


def test_no_token_holds_what_it_was_made_of() -> None:
    people = pl.DataFrame(
        {"name": ["Anna"], "birth_date": ["1949-12-31"], "sex": ["female"], "national_id": [EXAMPLES[0]]}
    )
    shown = str(linkage_tokens(people, TEXT_KEY).rows())
    assert not any(part in shown for part in ("anna", "1949", "110105"))
