"""Code maps. Expected values come from the code systems named beside them, or from the study's own seed list."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from etl.harmonize.codes import map_codes
from schemas.codes import VALUES, code_key, code_set

REAL = Path(__file__).parents[4] / "shared" / "data" / "cdisc" / "pharmaversesdtm"

KNOWN = {
    "sex": {
        "male": "M m male Male MALE 男 男性 männlich maschio varón mand",
        "female": "F f female 女 Ｆ w W weiblich femmina mujer kvinde",
    },
    "cohort_group": {
        "case": "case RLS 病例 患者组 RLS组 Fall 症例 caso",
        "control": "control HC 对照 健康组 HC组 Kontrolle 対照 健康对照 kontroll",
    },
    "yes_no": {"yes": "yes Y ja J 是 有 はい sì sí true", "no": "no N nein 否 无 いいえ nej false"},
    "fasting": {"yes": "Y fasting 空腹 nüchtern digiuno", "no": "N non-fasting 餐后 random 非空腹"},
    "result_status": {  # HL7 table 0085, FHIR observation-status, CDISC
        "final": "F final 已审核 Endbefund validiert",
        "preliminary": "P preliminary 初步报告 vorläufig R",
        "corrected": "C corrected 更正 korrigiert",
        "amended": "amended",
        "pending": "I registered 待检",
        "cancelled": "X cancelled canceled 取消 storniert",
        "entered_in_error": "D W entered-in-error 作废",
    },
}
NO_MATCH = {
    "sex": ["d", "divers", "未知", "U", "X", "unbekannt", "unknown"],
    "cohort_group": ["实验组", "excluded"],
    "yes_no": ["unknown", "不详"],
    "fasting": ["U", "不详"],
    "result_status": ["O", "N", "unknown"],
}
UNKNOWN = {
    "sex": ["1", "2", "0", "9", "Q", "male?", "男女"],
    "cohort_group": ["1", "0", "A"],
    "yes_no": ["1", "0", "maybe"],
    "fasting": ["1", "8h"],
    "result_status": ["E", "1", "ok?"],
}


def mapped(name: str, text: str | None, header: str = "", **extra: str) -> tuple[str | None, str | None]:
    row = map_codes(pl.Series([text], dtype=pl.String), name, extra, header=header).row(0, named=True)
    assert row["source"] == text
    return row["value"], row["reason"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (name, text, value)
        for name, sets in KNOWN.items()
        for value, texts in sets.items()
        for text in texts.split()
    ],
)
def test_known_codes(name: str, text: str, value: str) -> None:
    assert mapped(name, text) == (value, None)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in NO_MATCH.items() for text in texts]
)
def test_a_reviewed_code_without_counterpart_is_null_and_not_held(name: str, text: str) -> None:
    assert mapped(name, text) == (None, None)


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in UNKNOWN.items() for text in texts]
)
def test_an_unknown_or_bare_code_is_held(name: str, text: str) -> None:
    assert mapped(name, text) == (None, "bad_code")


@pytest.mark.parametrize("text", [None, "", " "])
def test_nothing_is_not_a_bad_code(text: str | None) -> None:
    assert mapped("sex", text) == (None, None)


def test_bare_numbers_of_sex_need_a_context() -> None:
    # GB/T 2261.1: 0 unknown, 1 male, 2 female, 9 unstated. NHANES RIAGENDR: 1 male, 2 female.
    assert [mapped("sex", text, header="性别")[0] for text in "1290"] == ["male", "female", None, None]
    assert mapped("sex", "9", header="性别")[1] is None
    assert mapped("sex", "1", header="RIAGENDR") == ("male", None)
    assert mapped("sex", "9", header="RIAGENDR") == (None, "bad_code")
    assert mapped("sex", "1", header="Sex") == (None, "bad_code")
    assert mapped("sex", "K", header="Køn") == ("female", None)
    assert mapped("sex", "K") == (None, "bad_code")
    assert mapped("cohort_group", "1", header="组别") == (None, "bad_code")


def test_the_site_s_own_map_wins() -> None:
    texts = pl.Series(["1", "0", "M", "Ｍ"])
    frame = map_codes(texts, "sex", {"1": "female", "0": "male", "m": "female"})
    assert frame["value"].to_list() == ["female", "male", "female", "female"]
    assert frame["reason"].null_count() == 4


def test_a_part_of_a_column_is_read_as_the_whole() -> None:
    texts = pl.Series(["男", "1", None, "女", "2", "x"])
    whole = map_codes(texts, "sex", {}, header="Geschlecht")
    parts = [map_codes(texts[start : start + 2], "sex", {}, header="Geschlecht") for start in (0, 2, 4)]
    assert_frame_equal(pl.concat(parts), whole)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_every_code_set_is_reviewed_data(name: str) -> None:
    codes = code_set(name)
    assert {code.value for code in codes} == {
        None,
        *VALUES[name],
    }  # every value is reachable, and no match is stated
    assert all(code.language and code.source and code.reviewer for code in codes)
    assert all(code.note for code in codes if code.value is None)
    assert not any(code_key(code.text).isdigit() for code in codes if not code.when)


@pytest.mark.skipif(not REAL.exists(), reason="the real data are not here")
def test_a_trial_s_codes_are_all_known() -> None:
    with (REAL / "dm.csv").open(newline="") as lines:
        sexes = [row["SEX"] for row in csv.DictReader(lines)]
    frame = map_codes(pl.Series(sexes), "sex", {}, header="SEX")
    assert frame["value"].to_list() == [{"M": "male", "F": "female"}[sex] for sex in sexes]
