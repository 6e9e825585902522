"""Words of headers: how a header is cut, and that only a whole one says anything."""

from __future__ import annotations

import pytest

from etl.sources import expand
from etl.suggest.headers import claims, is_spelt_in_initials, words_of
from etl.suggest.tables import dictionary_labels, look
from schemas.columns import COLUMNS
from schemas.wording import wording


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("PatientBirthDate", ["patient", "birth", "date"]),
        ("LAB_RESULT_VALUE", ["lab", "result", "value"]),
        ("Patientennr", ["patient", "nr"]),
        ("Blutentnahmedatum", ["blutentnahme", "datum"]),
        ("检验项目名称", ["检验", "项目", "名称"]),
        ("患者ＩＤ", ["患者", "id"]),
    ],
)
def test_a_header_is_cut_into_words(header: str, words: list[str]) -> None:
    assert [word.text for word in words_of(header)] == words


def test_one_unknown_word_leaves_a_header_unexplained() -> None:
    assert claims("date of collection")[0].field == "collected_date"
    assert claims("date of garbage collection") == []
    assert claims("collection date 2") == []


def test_a_slip_of_the_pen_is_less_sure() -> None:
    """ReusltValue stands in a public hospital interface."""
    (claim,) = [each for each in claims("ReusltValue") if each.field == "value"]
    assert (claim.strength, "slip of the pen" in claim.why) == (2, True)


def test_first_letters_of_pinyin() -> None:
    """xmmc is 项目名称, ckfw 参考范围, as a public hospital system names them; no word is read so by itself."""
    assert is_spelt_in_initials("xmmc")
    assert not is_spelt_in_initials("result")
    assert claims("ckfw") == []
    assert [each.field for each in claims("ckfw", initials=True)] == ["ref_text"]


def test_every_rule_and_form_names_a_field() -> None:
    known = {*COLUMNS.roles, *COLUMNS.attributes, "measure"}
    assert {rule.field for rule in wording().rules} | {form.field for form in wording().forms} <= known


def test_a_dictionary_beside_the_data_gives_labels(shared) -> None:
    """The label of creat_b stands in REDCap's dictionary of that project."""
    (named,) = expand([str(shared / "redcap/REDCapR/longitudinal/data.csv")])
    assert dictionary_labels(named.source)["creat_b"] == "Creatinine (mg/dL)"
    (looked,) = look(named.source)
    assert looked.labels["creat_b"] == "Creatinine (mg/dL)"
