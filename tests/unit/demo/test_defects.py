"""Each planted defect is on its line and is what it says; without the planted lines the files are the clean ones."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from etl.demo import generate

DELIMITERS = {"yuhe": ",", "lindental": ";", "lakeside": ","}
REASONS = Path(__file__).parents[3] / "schemas" / "reasons.toml"


class Site:
    """The planted files, line by line."""

    def __init__(self, exports, truth):
        self.exports = exports
        self.by_id = {defect.id: defect for defect in truth.defects}

    def line(self, name, step=0):
        defect = self.by_id[name]
        return self.exports.lines(defect.file)[defect.line - 1 + step]

    def cells(self, name, step=0):
        """Return a planted line, or one near it, by header."""
        defect = self.by_id[name]
        site = defect.file.split("/")[0]
        encoding = {"yuhe": "gb18030", "lindental": "cp1252", "lakeside": "utf-8-sig"}[site]
        header = self.exports.lines(defect.file)[3 if defect.file == "lindental/labor.csv" else 0]
        text = [one.decode(encoding) for one in (header, self.line(name, step))]
        names, values = csv.reader(text, delimiter=DELIMITERS[site])
        return dict(zip(names, values, strict=True))

    def changed(self, name):
        """Return the cells in which a planted line differs from the intact one before it."""
        before, after = self.cells(name, -1), self.cells(name)
        return {header: text for header, text in after.items() if text != before[header]}


@pytest.fixture(scope="module")
def site(planted):
    return Site(*planted)


def test_without_the_planted_lines_the_files_are_the_clean_ones(planted, clean):
    exports, truth = planted
    for file in truth.files:
        defects = {defect.line for defect in truth.defects if defect.file == file.path}
        kept = [
            line for number, line in enumerate(exports.lines(file.path), start=1) if number not in defects
        ]
        expected = clean[0].lines(file.path)
        if "total" in file.structural:  # the total line states the number of records
            assert kept.pop().startswith(b"Gesamt: ")
            assert expected.pop().startswith(b"Gesamt: ")
        assert kept == expected
    assert not clean[1].defects


@pytest.mark.parametrize("seed", range(100, 108))
def test_every_defect_finds_its_place_whatever_the_seed(seed, planted, tmp_path):
    truth = generate(tmp_path, seed)
    assert [defect.id for defect in truth.defects] == [defect.id for defect in planted[1].defects]


def test_ids_are_unique_and_reasons_are_catalogued(planted):
    _, truth = planted
    reasons = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    assert len({defect.id for defect in truth.defects}) == len(truth.defects) == 25
    assert len({(defect.file, defect.line) for defect in truth.defects}) == 25
    for defect in truth.defects:
        assert (defect.reason is not None) == (defect.bucket == "held")
        assert defect.reason is None or defect.reason in reasons
        assert defect.bucket in {"held", "duplicate", "superseded", "out_of_scope", "accepted"}


@pytest.mark.parametrize(
    "name", ["yuhe-duplicate-b12", "yuhe-duplicate-creatinine", "lindental-duplicate-b12"]
)
def test_duplicates_repeat_the_line_before(site, name):
    assert site.line(name) == site.line(name, -1)


def test_short_line_has_three_fields_less(site):
    assert site.line("yuhe-short-line").count(b",") == site.line("yuhe-short-line", -1).count(b",") - 3


def test_extra_delimiter_stands_before_an_empty_last_column(site):
    planted, before = site.line("lindental-extra-delimiter"), site.line("lindental-extra-delimiter", -1)
    assert planted.count(b";") == before.count(b";") + 1
    assert planted.endswith(b";;")


def test_open_quote_has_an_odd_number_of_quotes_and_its_neighbours_do_not(site):
    assert [site.line("lakeside-open-quote", step).count(b'"') % 2 for step in (-1, 0, 1)] == [0, 1, 0]


def test_undecodable_byte_is_the_only_thing_wrong_with_its_line(site):
    line = site.line("yuhe-undecodable-byte")
    assert line.count(b"\xff") == 1
    assert line.replace(b"\xff", b"").decode("gb18030").count(",") == 13


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("yuhe-haemolysed", {"检验项目": "★维生素B12(VitB12)", "结果": "溶血"}),
        ("yuhe-unit-missing", {"检验项目": "★维生素B12(VitB12)", "单位": "", "参考范围": ""}),
        (
            "yuhe-unit-range-conflict",
            {"检验项目": "★维生素B12(VitB12)", "单位": "pg/mL", "参考范围": "138-652"},
        ),
        ("yuhe-urine-creatinine", {"检验项目": "尿肌酐", "标本类型": "尿液"}),
        ("lindental-out-of-bounds", {"Analyt": "Vitamin B12", "Ergebnis": "250000"}),
        ("lindental-impossible-date", {"Analyt": "Vitamin B12", "Entnahmedatum": "31.02.2023 08:05"}),
        ("lindental-holotc", {"Analyt": "Holotranscobalamin", "Einheit": "pmol/l"}),
        ("lakeside-preliminary", {"Test Name": "Vitamin B12", "Result Status": "P"}),
        (
            "lakeside-final-before-correction",
            {"Test Name": "Vitamin B12", "Result Status": "F", "Result": "517"},
        ),
        ("lakeside-corrected", {"Test Name": "Vitamin B12", "Result Status": "C", "Result": "211"}),
        ("lakeside-cancelled", {"Result": "", "Result Status": "X"}),
        ("lakeside-damaged-code", {"Test Name": "", "LOINC": "Sep-32"}),
        ("lakeside-near-miss", {"Test Name": "Vitamim B12", "LOINC": ""}),
        ("lakeside-unit-loinc-conflict", {"LOINC": "2132-9", "Units": "pmol/L", "Reference Range": ""}),
        ("lakeside-item-out-of-range", {"Instrument": "IRLS", "Item": "3", "Score": "5"}),
    ],
)
def test_cells_are_as_planted(site, name, cells):
    assert cells.items() <= site.cells(name).items()


def test_preliminary_result_shares_its_key_with_a_final_one(site):
    assert set(site.changed("lakeside-preliminary")) == {"Result", "Result Date/Time", "Result Status"}
    assert site.cells("lakeside-preliminary", -1)["Result Status"] == "F"


def test_correction_follows_the_result_it_corrects(site):
    assert set(site.changed("lakeside-corrected")) == {"Result", "Result Date/Time", "Result Status"}
    assert site.by_id["lakeside-corrected"].line == site.by_id["lakeside-final-before-correction"].line + 1


def test_reported_total_is_wrong(site):
    cells = site.cells("yuhe-wrong-total")
    items = [int(cells[f"IRLS 第{item}题"]) for item in range(1, 11)]
    assert int(cells["IRLS总分"]) != sum(items)
    assert set(site.changed("yuhe-wrong-total")) == {"评估日期", "IRLS总分"}


def test_control_has_an_irls_with_a_right_total(site, planted):
    cells = site.cells("lindental-irls-in-control")
    subject = next(
        one
        for one in planted[1].subjects
        if (one.site, one.identifier) == ("lindental", cells["Patientennummer"])
    )
    assert subject.group == "control"
    assert int(cells["IRLS Summe"]) == sum(int(cells[f"IRLS Frage {item}"]) for item in range(1, 11)) == 7


def test_orphan_is_in_no_list_of_subjects(site, planted):
    subject = site.cells("lindental-orphan")["Patientennummer"]
    assert ("lindental", subject) not in planted[0].subjects()


def test_planted_days_lie_outside_the_study(site, planted):
    last = max(one.collected_at for one in planted[1].subjects)
    assert last.year == 2021
    same_key = {
        "yuhe-duplicate-b12",
        "yuhe-duplicate-creatinine",
        "lindental-duplicate-b12",
        "lakeside-preliminary",
    }
    for name, defect in site.by_id.items():
        has_day = any(day in site.line(name) for day in (b"202303", b".2023", b"/2023", b"2023/3/"))
        assert has_day == (name not in same_key), defect.id
