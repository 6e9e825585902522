"""The draft as a file: it loads, ingest works by it, and what is not sure is left open."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from etl.demo import generate
from etl.sites.mapping import load_mapping
from etl.suggest.draft import yaml_of
from etl.suggest.model import TableDraft
from etl.suggest.settle import questions, settled
from etl.suggest.suggest import suggest
from tests.unit.suggest.exports import write_hospital


def _write(path: Path, columns: dict[str, list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return path


def _table(path: Path) -> TableDraft:
    (table,) = suggest([str(path)], "north").tables
    return table


DAYS = [f"2021-03-{13 + at % 15:02d}" for at in range(60)]
CORE = {
    "patient_id": [f"P{at // 3}" for at in range(60)],
    "test name": ["Vitamin B12", "Ferritin", "Folate"] * 20,
    "result": [str(200 + at) for at in range(60)],
    "unit": ["pg/mL", "ng/mL", "ng/mL"] * 20,
    "collection date": DAYS,
}
NUMBERS = [str(40 + at % 30) for at in range(60)]
# Headers that nearly say what they do not mean; written down before they were tried.
NEARLY = {
    "Date of death": DAYS, "Mother's age": NUMBERS, "Age at diagnosis": NUMBERS, "sample weight": NUMBERS,
    "Admission Date": DAYS, "Unit price": ["mg/dL"] * 60, "Group therapy": ["yes", "no"] * 30, "Test order date": DAYS,
    "Doctor name": ["Dr A", "Dr B"] * 30, "Previous result": NUMBERS, "Delta result": NUMBERS,
    "Sample collector": ["AB", "CD"] * 30, "Birth weight": [str(3000 + at) for at in range(60)],
    "Partner sex": ["M", "F"] * 30, "Sex of baby": ["M", "F"] * 30, "Height of bed": NUMBERS,
    "Vitamin B12 supplement": ["yes", "no"] * 30, "B12 dose (ug)": ["500", "1000"] * 30, "Ferritin date": DAYS,
    "Hb electrophoresis": ["AA", "AS"] * 30, "IRLS date": DAYS, "Bed number": NUMBERS, "Invoice number": NUMBERS,
    "Test kit lot": ["L1", "L2"] * 30, "Reference laboratory": ["A", "B"] * 30, "Reference date": DAYS,
    "Validated by": ["x", "y"] * 30, "送检医生": ["赵", "钱"] * 30, "检验者": ["赵", "钱"] * 30, "上次结果": NUMBERS,
    "单价": ["12.5"] * 60, "配偶年龄": NUMBERS, "出生体重": NUMBERS, "参考文献": ["a", "b"] * 30, "申请日期": DAYS,
    "母亲姓名": ["王", "李"] * 30, "项目单价": NUMBERS, "标本数量": ["1", "2"] * 30, "Aufnahmegewicht": NUMBERS,
    "Geburtsort": ["Bonn", "Ulm"] * 30, "Einheitspreis": NUMBERS, "Befundtext": ["ok", "unauffällig"] * 30,
    "Probenmenge": NUMBERS, "Alter der Probe": NUMBERS, "Gruppenleiter": ["x", "y"] * 30,
}  # fmt: skip


def test_a_header_that_nearly_says_it_is_left_alone(tmp_path: Path) -> None:
    for base in ({"patient_id": CORE["patient_id"]}, CORE):
        table = _table(_write(tmp_path / "nearly.csv", {**base, **NEARLY}))
        taken = {each.column for each in table.choices} | {each.measure.column for each in table.measures}
        assert taken & NEARLY.keys() == set()


@pytest.mark.parametrize("name", ["varied_german", "varied_english", "varied_chinese", "varied_wide"])
def test_ingest_works_by_the_draft(name: str, place) -> None:
    """60 records by hand: the long tables have ten of each of six tests, one of them (leukocytes) out of scope."""
    path = write_hospital(place.folder, name)
    refused = place.ingest(path, is_dry_run=True).files[0].status
    place.map(yaml_of(suggest([str(path)], "north")))
    (outcome,) = place.ingest(path).files
    assert (refused, outcome.status) == ("unmapped", "loaded")
    if name == "varied_wide":  # three measures and one total a record
        assert outcome.counts.read == 240
    else:
        assert (outcome.counts.read, outcome.counts.out_of_scope) == (60, 10)
        assert outcome.counts.held <= 10  # homocysteine in serum, where the specimen makes it so


def test_two_headers_that_say_the_same_are_left_open(tmp_path: Path) -> None:
    columns = {**CORE, "NormalRangeLow": ["1"] * 60, "RangeMinimum": ["1"] * 60}
    table = _table(_write(tmp_path / "two.csv", columns))
    (asked,) = [each for each in table.open if each.about == "ref_low"]
    assert asked.columns == ("NormalRangeLow", "RangeMinimum")
    assert all(each.field != "ref_low" for each in table.choices)
    done = settled(table, asked, "NormalRangeLow")
    assert [each.column for each in done.choices if each.field == "ref_low"] == ["NormalRangeLow"]
    assert asked in questions(table)
    assert asked not in questions(done)


def test_cells_that_contradict_a_known_header_leave_it_open(tmp_path: Path) -> None:
    columns = CORE | {"unit": DAYS}
    table = _table(_write(tmp_path / "wrong.csv", columns))
    assert all(each.field != "unit" for each in table.choices)
    assert any(each.about == "unit" and "do not look like it" in each.why for each in table.open)


def test_open_questions_of_the_whole_file(tmp_path: Path) -> None:
    columns = {
        **CORE, "collection date": ["05/03/2021"] * 60, "sex": ["1", "2"] * 30, "test name": ["VB-12 neu"] * 60,
        "result": [*["-9"] * 20, *NUMBERS[:40]],
    }  # fmt: skip
    text = yaml_of(suggest([str(_write(tmp_path / "open.csv", columns))], "north"))
    for line in ("# dates: {collected_date: ORDER}", '# values: {sex: {"1": VALUE, "2": VALUE}}',
                 '# analytes: {"VB-12 neu": vitamin_b12}', '# missing: ["-9"]'):  # fmt: skip
        assert line in text
    path = tmp_path / "north.yaml"
    path.write_text(text, "utf-8")
    assert load_mapping(path).feeds["labs"].dates == {}


def test_names_with_signs_survive(tmp_path: Path) -> None:
    columns = {**CORE, 'he said: "a # b"': NUMBERS}
    path = _write(tmp_path / "LAB [2021] #1.csv", columns)
    mapping = tmp_path / "north.yaml"
    mapping.write_text(yaml_of(suggest([str(path)], "north")), "utf-8")
    assert load_mapping(mapping).claims(path.name)


def test_a_name_that_few_share_is_not_written(tmp_path: Path) -> None:
    columns = CORE | {"test name": ["B12 Wolkenstein", *["Vitamin B12"] * 59]}
    text = yaml_of(suggest([str(_write(tmp_path / "rare.csv", columns))], "north"))
    assert "Wolkenstein" not in text
    assert "1 more names, each of fewer than five subjects, resemble a study analyte" in text


def test_the_draft_asks_for_what_the_demo_declares(tmp_path: Path) -> None:
    """The demo's mappings were written by hand: what they declare beyond known headers is what a draft must ask."""
    generate(tmp_path, 20221)
    asked = {
        site: {
            each.about
            for table in suggest([str(tmp_path / "exports" / site)], site).tables
            for each in table.open
        }
        for site in ("lakeside", "lindental", "yuhe")
    }
    # lakeside: no header names the version, 1 and 0 for the group, one planted name that resembles an analyte.
    assert asked["lakeside"] == {"version of psqi", "version of hamd", "values of cohort_group", "analytes"}
    assert asked["lindental"] == {"version of psqi", "version of hamd", "dates"}
    assert asked["yuhe"] == {"version of psqi", "version of hamd"}


def test_a_long_table_of_unknown_headers_is_drafted_by_its_cells(tmp_path: Path) -> None:
    """Only some of the records are compared, and the same ones of each column."""
    names = [
        ("Vitamin B12", "pg/mL", 300),
        ("Ferritin", "ng/mL", 80),
        ("Creatinine", "mg/dL", 1),
        ("ALT", "U/L", 30),
    ]
    rows = [(f"K{at // 4}", *names[at % 4]) for at in range(24_000)]
    columns = dict(zip(("wer", "was", "worin", "wieviel"), map(list, zip(*rows, strict=True)), strict=True))
    table = _table(_write(tmp_path / "a.csv", {**columns, "wann": ["2021-03-13"] * len(rows)}))
    drafted = {choice.field: choice.column for choice in table.choices}
    assert drafted == {"analyte": "was", "unit": "worin"}
    assert {each.about: each.columns for each in table.open}["value"] == ("wieviel",)


def test_what_a_dictionary_explains_is_not_asked(tmp_path):
    """The unit in a field's label and the meaning of its codes are read with the file, as ingest reads them."""
    fields = [
        ("record_id", "text", "Record ID", ""),
        ("sex", "radio", "Sex", "1, Male | 2, Female"),
        ("b12", "text", "Vitamin B12 (pmol/L)", ""),
        ("ferritin", "text", "Ferritin", ""),
    ]
    lines = [
        'Variable / Field Name,Form Name,Field Type,Field Label,"Choices, Calculations, OR Slider Labels"'
    ]
    lines += [f'{name},form,{kind},{label},"{choices}"' for name, kind, label, choices in fields]
    (tmp_path / "DataDictionary.csv").write_text("\n".join(lines) + "\n")
    rows = "".join(f"{n},{1 + n % 2},{200 + n},{30 + n},2\n" for n in range(20))
    export = tmp_path / "data.csv"
    export.write_text(f"record_id,sex,b12,ferritin,form_complete\n{rows}")
    (draft,) = suggest([str(export)], "north").tables
    assert [each.about for each in draft.open if each.about != "collected_at"] == ["unit of ferritin"]


def test_a_file_of_subjects_is_drafted_but_for_the_number_that_no_header_names(place) -> None:
    path = place.write(
        "people.csv", "Lopende,Sex,Date of Birth\n17,F,1961-03-05\n18,M,1961-03-15\n19,F,1965-03-16\n"
    )
    draft = suggest([str(path)], "north")
    (table,) = draft.tables
    assert (table.shape, table.feed) == ("subjects", "subjects")
    assert {each.field: each.column for each in table.choices} == {
        "sex": "Sex",
        "birth_date": "Date of Birth",
    }
    assert [(each.about, each.columns) for each in table.open] == [("subject", ("Lopende",))]
    place.map(yaml_of(draft).replace("# subject: HEADER", "subject: Lopende"))
    assert place.ingest(path).files[0].status == "loaded"
    assert place.rows("select count(*) from core.subject_attribute where attribute = 'sex'") == [(3,)]
