"""Files of answers. Real files: totals that their authors printed; GDS and BDI key: LCBC-UiO/questionnaires."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from etl.instrument_file import examine_file, score_file
from etl.instruments import list_instruments, show_instrument
from schemas.errors import DeclarationNeeded, DefinitionError, SourceUnreadable, UsageError
from schemas.instruments import INSTRUMENTS, match_items

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "scales"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public files are not beside the project")
GDS, BDI, QS = (
    DATA / "lcbc" / "data" / "gds.tsv",
    DATA / "lcbc" / "data" / "bdi.tsv",
    DATA / "admiral" / "example_qs.csv",
)


@needs_data
def test_the_printed_gds_30_totals_are_reproduced():
    scores = score_file(GDS)
    printed = pl.read_csv(GDS, separator="\t")["gds"].cast(pl.Float64)
    assert scores["version"].unique().to_list() == ["gds_30"]
    assert scores["value"].to_list() == printed.to_list()
    assert scores["value_reported"].to_list() == printed.to_list()
    assert examine_file(GDS).findings.is_empty()


@needs_data
def test_planted_wrong_totals_are_named_by_line_and_cell(tmp_path):
    lines = GDS.read_text(encoding="utf-8").splitlines()
    for at in (2, 7):
        first, rest = lines[at].split("\t", 1)
        lines[at] = f"{int(first) + 3}\t{rest}"
    path = tmp_path / "gds.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = examine_file(path).findings
    assert found.select("check_id", "administration_id").sort("administration_id").rows() == [
        ("reported_score_disagrees", "L3"),
        ("reported_score_disagrees", "L8"),
    ]
    assert {places[0] for places in found["origin"].to_list()} == {"L3/C1", "L8/C1"}


@needs_data
def test_the_printed_gad_7_totals_are_reproduced_though_the_total_is_coded_like_an_eighth_item():
    scores = score_file(QS).filter(pl.col("instrument") == "gad7")
    assert scores["value"].to_list() == [15, 14, 13, 7]
    assert scores["value_reported"].to_list() == [15, 14, 13, 7]
    assert scores["score_status"].unique().to_list() == ["complete"]


@needs_data
def test_the_short_gds_is_told_from_its_code_and_the_sleep_questions_are_left_alone():
    examined = examine_file(QS)
    assert examined.versions["gds"].version == "gds_15"
    assert examined.unclaimed == tuple(f"SLEEPING PROBLEMS SP010{item}" for item in (1, 2, 3))


@needs_data
def test_the_bdi_file_is_bdi_ia_and_refused_as_bdi_ii_with_the_reason():
    accepted, refused = examine_file(BDI), examine_file(BDI, {"bdi": "bdi_ii"})
    assert accepted.versions["bdi"].version == "bdi_ia"
    assert accepted.scores["value"].to_list() == [5, 7.5, None, 11, None, None, 3, 4.5, 16.5, None]
    assert refused.versions["bdi"].version is None
    assert refused.versions["bdi"].problems == (
        "BDI-II (1996) has no item 19b",
        "9 answers are not whole numbers, and BDI-II (1996) has only whole numbers",
    )
    assert refused.scores["value"].is_null().all()
    assert refused.held["reason"].unique().to_list() == ["version_unresolved"]


@needs_data
@pytest.mark.parametrize("name", ["bprs", "ymrs", "chronotype"])
def test_scales_that_are_not_ours_are_not_claimed(name):
    with (DATA / "ucla-cnp-ds000030" / "phenotype" / f"{name}.tsv").open(encoding="utf-8") as file:
        assert match_items(file.readline().strip().split("\t")) == {}


def _write(folder: Path, text: str, name: str = "scales.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_wide_file_is_scored_line_by_line(tmp_path, delimiter):
    header = ["subject", *(f"irls_{n}" for n in range(1, 11)), "irls_total", "note"]
    lines = [header, ["p1", *["2"] * 10, "20", "x"], ["p2", *["1"] * 9, "", "9", "y"]]
    path = _write(tmp_path, "\n".join(delimiter.join(line) for line in lines) + "\n")
    totals = score_file(path).filter(pl.col("scale") == "total")
    assert totals.select(
        "administration_id", "subject_id", "value", "value_reported", "score_status"
    ).rows() == [
        ("L2", "p1", 20, 20, "complete"),
        ("L3", "p2", None, 9, "incomplete"),
    ]
    assert examine_file(path).unclaimed == ("note",)


def test_a_long_file_gives_the_same_scores_as_a_wide_one(tmp_path):
    items = "\n".join(f"p1,IRLS,{n},3" for n in range(1, 11))
    long = score_file(_write(tmp_path, f"subject,instrument,item,score\n{items}\np1,IRLS,total,30\n"))
    total = long.filter(pl.col("scale") == "total")
    assert total.select("subject_id", "value", "value_reported", "basis").rows() == [("p1", 30, 30, "items")]


def test_held_answers_are_counted_by_reason_without_showing_them(tmp_path):
    header = ",".join(f"irls_{n}" for n in range(1, 11))
    held = examine_file(_write(tmp_path, f"{header}\n7,x,1.5,2,2,2,2,2,2,2\n")).held
    assert held.rows() == [
        ("irls", "1", "item_out_of_range", 1),
        ("irls", "2", "bad_number", 1),
        ("irls", "3", "item_not_integer", 1),
    ]


def test_damaged_lines_and_unknown_items_are_counted_with_what_is_held(tmp_path):
    text = "subject,instrument,item,score\np1,IRLS,1,2\np1,IRLS,2,3,secret\np1,IRLS,11,2\n"
    held = examine_file(_write(tmp_path, text)).held
    assert held.rows() == [("irls", None, "unrecognised_item", 1), (None, None, "field_count", 1)]


def test_a_file_without_records_has_no_scores(tmp_path):
    assert examine_file(_write(tmp_path, "irls_1,irls_2\n")).scores.is_empty()


def test_a_chinese_export_is_scored_as_it_is(tmp_path):
    """HAMA, fourteen items of 2: 28, twice, on two days."""
    days = ("2021-03-05", "2021-06-05")
    rows = [f"P1,{day},汉密尔顿焦虑量表,第{item}项,2" for day in days for item in range(1, 15)]
    path = tmp_path / "scales.csv"
    path.write_bytes("\n".join(["患者编号,评估日期,量表,条目,得分", *rows, ""]).encode("gb18030"))
    found = score_file(path).select("administration_id", "subject_id", "value", "score_status").rows()
    assert found == [("L2", "P1", 28, "complete"), ("L16", "P1", 28, "complete")]


def test_a_workbook_is_scored_as_it_is(tmp_path):
    path = tmp_path / "scales.xlsx"
    names = ["Patientennummer", *(f"PHQ-9 Frage {item}" for item in range(1, 10)), "PHQ-9 Summe"]
    pl.DataFrame([["P1", *[2] * 9, 18], ["P2", *[1] * 9, 10]], schema=names, orient="row").write_excel(path)
    examined = examine_file(path)
    assert examined.scores.select("subject_id", "value", "value_reported").rows() == [
        ("P1", 18, 18),
        ("P2", 9, 10),
    ]
    assert examined.findings["check_id"].to_list() == ["reported_score_disagrees"]


def test_visits_and_raters_of_a_long_file_stay_apart(tmp_path):
    rows = [
        f"p1,{visit},{rater},IRLS,{item},{score}"
        for visit, rater, score in (("V1", "A", 1), ("V1", "B", 2), ("V2", "A", 3))
        for item in range(1, 11)
    ]
    path = _write(tmp_path, "\n".join(["subject,visit,rater,instrument,item,score", *rows, ""]))
    scores = score_file(path).filter(pl.col("scale") == "total")
    assert scores.select("administration_id", "value").rows() == [("L2", 10), ("L12", 20), ("L22", 30)]


def test_psqi_needs_its_order_declared(tmp_path):
    names = [
        "psqi_1",
        "psqi_2",
        "psqi_3",
        "psqi_4",
        *(f"psqi_5{c}" for c in "abcdefghij"),
        *(f"psqi_{n}" for n in "6789"),
    ]
    row = ["23:00", "10", "07:00", "7", *["0"] * 10, "1", "2", "1", "3"]
    path = _write(tmp_path, ",".join(names) + "\n" + ",".join(row) + "\n")
    totals = {
        order: score_file(path, {"psqi": order} if order else None).filter(pl.col("scale") == "total")[
            "value"
        ][0]
        for order in (None, "order_a", "order_b")
    }
    assert totals == {None: None, "order_a": 5, "order_b": 6}
    assert examine_file(path).held["reason"].unique().to_list() == ["order_undeclared"]


def test_errors_name_the_file_and_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="no column"):
        score_file(_write(tmp_path, "a,b\n1,2\n"))
    with pytest.raises(SourceUnreadable, match=r"missing\.csv"):
        score_file(tmp_path / "missing.csv")
    with pytest.raises(UsageError, match="2 files"):
        score_file(
            tmp_path.joinpath("a.csv").write_text("irls_1\n1\n") and _write(tmp_path, "irls_1\n1\n").parent
        )
    with pytest.raises(DefinitionError, match="irlz"):
        score_file(_write(tmp_path, "irls_1\n1\n"), {"irlz": "irls_10"})
    with pytest.raises(DefinitionError, match="irls_99"):
        score_file(_write(tmp_path, "irls_1\n1\n"), {"irls": "irls_99"})


def test_tables_side_by_side_are_not_scored(tmp_path):
    items = [f"IRLS{item}" for item in range(1, 11)]
    lines = [["ID", *items, "ID", "IRLS total"], ["1", *"1" * 10, "2", "20"], ["2", *"2" * 10, "1", "10"]]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(map(",".join, lines)))
    with pytest.raises(DeclarationNeeded, match="different subjects in one record"):
        score_file(path)


def test_list_and_show():
    listed = list_instruments()
    assert listed.height == sum(len(i.versions) for i in INSTRUMENTS.values())
    assert listed.filter(pl.col("version") == "hamd_24")["scales"].to_list() == ["hamd_17 0-52, total 0-76"]
    assert list(show_instrument("psqi", "order_b")["versions"]) == ["order_b"]
    with pytest.raises(DefinitionError, match="There is no instrument 'nothing'"):
        show_instrument("nothing")
