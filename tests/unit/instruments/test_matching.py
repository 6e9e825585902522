"""Which columns and codes are claimed, and above all which are not. The names are as exports print them."""

from __future__ import annotations

import pytest

from schemas.instruments import match_instrument, match_item_codes, match_items


def _read(header: str):
    ref = match_items([header]).get(header)
    return (ref.instrument, ref.version, ref.item, ref.kind) if ref else None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("irls1", ("irls", None, "1")),
        ("IRLS_01", ("irls", None, "1")),
        ("IRLS 第1题", ("irls", None, "1")),
        ("IRLS第十题", ("irls", None, "10")),
        ("IRLS(不宁腿严重程度量表)第1题", ("irls", None, "1")),
        ("irls_q1_score", ("irls", None, "1")),
        ("ＩＲＬＳ＿３", ("irls", None, "3")),
        ("psqi_5a", ("psqi", None, "5a")),
        ("PSQI_Q5a", ("psqi", None, "5a")),
        ("psqi_bedtime", ("psqi", None, "1")),
        ("psqi_5j_text", ("psqi", None, "5j_text")),
        ("HAMD17_3", ("hamd", "hamd_17", "3")),
        ("HAM-D 3", ("hamd", None, "3")),
        ("汉密尔顿抑郁量表 第3项", ("hamd", None, "3")),
        ("汉密尔顿抑郁量表(24项)第3项", ("hamd", "hamd_24", "3")),
        ("HAMD-24_18B", ("hamd", None, "18b")),
        ("HADS Frage 3", ("hads", None, "3")),
        ("gad7_q1", ("gad7", None, "1")),
        ("GAD0201", ("gad7", "gad_7", "1")),
        ("DPQ010", ("phq9", None, "1")),
        ("HAMD116A", ("hamd", "hamd_17", "16")),
        ("PHQ-9_1", ("phq9", None, "1")),
        ("BDI-II_5", ("bdi", "bdi_ii", "5")),
        ("bdi_19b", ("bdi", None, "19b")),
        ("isi1a", ("isi", None, "1a")),
        ("RLS-6_1", ("rls6", None, "1")),
        ("rls_criteria_1", ("irlssg_2012", None, "1")),
        ("贝克抑郁量表_7", ("bdi", None, "7")),
    ],
)
def test_items_are_claimed_in_english_chinese_and_german(header, expected):
    assert _read(header) == (*expected, "item")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("irls_total", ("irls", None, "total", "total")),
        ("PSQI总分", ("psqi", None, "total", "total")),
        ("hamd_sum", ("hamd", None, "total", "total")),
        ("HAMD24总分", ("hamd", "hamd_24", "total", "total")),
        ("IRLS Gesamtwert", ("irls", None, "total", "total")),
        ("IRLS", ("irls", None, "total", "total")),
        ("PHQ9", ("phq9", None, "total", "total")),
        ("GAD0208", ("gad7", "gad_7", "total", "total")),
        ("HAMD118", ("hamd", "hamd_17", "total", "total")),
        ("psqi_c1", ("psqi", None, "c1", "component")),
        ("PSQI成分3", ("psqi", None, "c3", "component")),
        ("HADS_A", ("hads", None, "anxiety", "component")),
        ("HADS-D", ("hads", None, "depression", "component")),
        ("SDS标准分", ("sds", None, "index", "component")),
        ("SDS总分", ("sds", None, "total", "total")),
    ],
)
def test_totals_and_components_are_never_items(header, expected):
    assert _read(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        "irls_1_date", "irls_12", "irls_week12", "irls_2_weeks", "irls_1_v2", "hamd_baseline", "irls_change",
        "irls_date", "irls1.1", "IRLS-1.0", "irls_pv_3", "IRLSPV_3", "gds_coded", "bdi_coded", "assessqsymptom",
        "bro5", "esser", "essay1", "saskia", "isin1", "iron", "sex", "B12 (pg/mL)", "HADS", "SDS", "SAS", "rls6",
        "hamd_2021", "psqi_11", "phq_1", "phq2_1", "phq15_3", "gad2_1", "isi_8", "hads_15", "评分", "total", "1", "",
        "CRP", "madrs_1", "ymrs_score", "bprs1", "sds_index_date",
    ],
)  # fmt: skip
def test_names_that_merely_look_alike_are_not_claimed(header):
    assert _read(header) is None


def test_a_number_at_the_end_is_an_item_only_beside_its_neighbour():
    alone = match_items(["id", "IRLS", "HAMD17"])["HAMD17"]
    among = match_items([f"hamd{n}" for n in range(1, 18)])["hamd17"]
    assert (alone.version, alone.item, alone.kind) == ("hamd_17", "total", "total")
    assert (among.version, among.item, among.kind) == (None, "17", "item")
    beck = match_items(["bdi1", "bdi2", "bdi3"])
    assert [ref.item for ref in beck.values()] == ["1", "2", "3"]


def test_a_known_label_is_kept_as_evidence_of_the_order():
    refs = match_items(["psqi_6_quality", "PSQI 9 热情", "psqi_6_price"])
    assert {header: (ref.item, ref.label) for header, ref in refs.items()} == {
        "psqi_6_quality": ("6", "quality"),
        "PSQI 9 热情": ("9", "热情"),
    }


@pytest.mark.parametrize(
    ("instrument", "text", "expected"),
    [
        ("GAD-7 V2", "GAD0201", ("gad7", "gad_7", "1", "item")),
        ("GAD-7 V2", "GAD0208", ("gad7", "gad_7", "total", "total")),
        ("GAD-7 V2", "GAD02-Total Score", ("gad7", None, "total", "total")),
        ("GDS SHORT FORM", "GDS0203", ("gds", "gds_15", "3", "item")),
        ("IRLS", "3", ("irls", None, "3", "item")),
        ("irls", "item 3", ("irls", None, "3", "item")),
        ("PSQI", "5a", ("psqi", None, "5a", "item")),
        ("HAMD-24", "第3项", ("hamd", "hamd_24", "3", "item")),
        ("HAMD 17", "total", ("hamd", "hamd_17", "total", "total")),
        ("HADS", "anxiety", ("hads", None, "anxiety", "component")),
        ("IRLS", "IRLS_3", ("irls", None, "3", "item")),
        (None, "irls_3", ("irls", None, "3", "item")),
        ("GAD-7", "8", None),
        ("SLEEPING PROBLEMS", "SP0101", None),
        ("COEQ", "COEQ01", None),
        ("", "x", None),
    ],
)
def test_codes_of_long_files(instrument, text, expected):
    ref = match_item_codes([(instrument, text)]).get((instrument, text))
    assert ((ref.instrument, ref.version, ref.item, ref.kind) if ref else None) == expected


def test_instrument_texts():
    assert match_instrument("HAMD 17") == ("hamd", "hamd_17")
    assert match_instrument("匹兹堡睡眠质量指数") == ("psqi", None)
    assert match_instrument("GAD-7 V2") == ("gad7", None)
    assert match_instrument("Young Mania Rating Scale") is None
