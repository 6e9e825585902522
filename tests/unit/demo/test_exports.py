"""The bytes of the exports: encodings, structure, counts, dates, determinism."""

from __future__ import annotations

import fnmatch
import json

import pytest
from ruamel.yaml import YAML

from etl.demo import generate

STRICT = {"yuhe": "gb18030", "lindental": "cp1252", "lakeside": "utf-8"}
DATE_COLUMNS = {
    "lindental/labor.csv": (".", ("Entnahmedatum", "Befunddatum")),
    "lindental/patienten.csv": (".", ("Geburtsdatum",)),
    "lakeside/labs_2020.csv": ("/", ("Collected",)),
    "lakeside/labs_2021.csv.gz": ("/", ("Collected", "Result Date/Time")),
    "lakeside/scales.csv": ("/", ("Visit Date",)),
    "lakeside/subjects.csv": ("/", ("DOB",)),
}


def test_files_decode_strictly_except_the_planted_line(planted):
    exports, truth = planted
    bad = set()
    for file in truth.files:
        assert file.encoding == STRICT[file.path.split("/")[0]]
        for line, content in enumerate(exports.lines(file.path), start=1):
            try:
                content.decode(file.encoding)
            except UnicodeDecodeError:
                bad.add((file.path, line))
    assert bad == {(one.file, one.line) for one in truth.defects if one.kind == "undecodable_byte"}
    assert len(bad) == 1


def test_encodings_are_told_apart_by_content(clean):
    exports, truth = clean
    for file in truth.files:
        data = exports.data(file.path)
        assert data.startswith(b"\xef\xbb\xbf") == (file.path.startswith("lakeside"))
        if file.path.startswith("yuhe") or file.path in {"lindental/labor.csv", "lindental/patienten.csv"}:
            with pytest.raises(UnicodeDecodeError):
                data.decode("utf-8")


def test_counts_are_what_the_lines_say(clean):
    exports, truth = clean
    for file in truth.files:
        lines = exports.lines(file.path)
        records = exports.records(file.path)
        assert (file.lines, file.records) == (len(lines), len(records))
        assert file.lines == file.records + sum(file.structural.values())
    structural = {file.path: file.structural for file in truth.files}
    assert structural["lindental/labor.csv"] == {"preamble": 3, "header": 1, "total": 1}
    assert structural["yuhe/lab_results.csv"] == {"header": 1}


def test_candidates_are_rows_of_long_files_and_filled_study_cells_of_wide_ones(clean):
    exports, truth = clean
    counted = {file.path: file.candidates for file in truth.files}
    for path in (
        "yuhe/lab_results.csv",
        "lindental/labor.csv",
        "lakeside/labs_2021.csv.gz",
        "lakeside/scales.csv",
    ):
        assert counted[path] == len(exports.records(path))
    for path in ("yuhe/subjects.csv", "lindental/patienten.csv", "lakeside/subjects.csv"):
        assert counted[path] == 0
    # 10 + 18 + 14 + 24 items and 4 totals a case (70), without the IRLS's 11 a control (59).
    assert counted["yuhe/scales.csv"] == 40 * 70 + 40 * 59
    assert counted["lindental/skalen.csv"] == 20 * 70 + 20 * 59
    # 16 study analytes a row; potassium, sodium, leukocytes and platelets are no part of the study.
    assert counted["lakeside/labs_2020.csv"] == 16 * len(exports.records("lakeside/labs_2020.csv"))


@pytest.mark.parametrize("seed", [20221, 1, 2, 3, 4])
def test_date_columns_show_their_order_except_where_the_mapping_declares_it(seed, tmp_path, read_exports):
    generate(tmp_path, seed, defects=False)
    exports = read_exports(tmp_path)
    for path, (separator, columns) in DATE_COLUMNS.items():
        day_part = 0 if separator == "." else 1
        for column in columns:
            days = [int(record[column].split(separator)[day_part]) for record in exports.records(path)]
            assert max(days) > 12, (path, column)
    visits = [record["Erhebungsdatum"].split(".") for record in exports.records("lindental/skalen.csv")]
    assert max(int(part) for visit in visits for part in visit[:2]) <= 12


def test_every_hospital_prints_b12_in_its_own_units(clean):
    exports, _ = clean
    units = {"yuhe": set(), "lindental": set(), "lakeside": set()}
    for (site, _), draws in exports.results("★维生素B12(VitB12)", "Vitamin B12", "B12").items():
        units[site] |= {unit for _, _, unit in draws}
    assert units == {"yuhe": {"pmol/L"}, "lindental": {"pg/ml", "ng/L"}, "lakeside": {"pg/mL"}}


def test_the_odd_forms_of_real_exports_are_there(clean):
    exports, _ = clean
    results = [record["结果"] for record in exports.records("yuhe/lab_results.csv")]
    assert any(text.endswith(" ↓") for text in results)
    assert any(text[0] in "０１２３４５６７８９" for text in results)
    american = {record["Result"] for record in exports.records("lakeside/labs_2021.csv.gz")}
    assert {"<83 L", ">2000 H"} <= american
    assert any(text.endswith(" L") and text[0].isdigit() for text in american)
    assert any("," in record["Ergebnis"] for record in exports.records("lindental/labor.csv"))


def test_the_same_seed_gives_the_same_bytes(planted, tmp_path):
    exports, truth = planted
    generate(tmp_path, truth.seed)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == 14  # ten exports, three mappings, the answer key
    for path in files:
        assert path.read_bytes() == (exports.folder.parent / path.relative_to(tmp_path)).read_bytes()


def test_another_seed_gives_another_cohort(planted, tmp_path):
    _, truth = planted
    other = generate(tmp_path, truth.seed + 1)
    assert [one.b12 for one in other.subjects] != [one.b12 for one in truth.subjects]


def test_scale_adds_later_draws_and_changes_nothing_else(planted, tmp_path, read_exports):
    exports, truth = planted
    larger = generate(tmp_path, truth.seed, scale=3)
    assert larger.subjects == truth.subjects
    assert larger.defects == truth.defects
    records = {file.path: file.records for file in truth.files}
    more = {file.path: file.records - records[file.path] for file in larger.files}
    # 20 results a draw, two more draws a subject
    assert more["yuhe/lab_results.csv"] == 2 * 80 * 20
    assert more["lindental/labor.csv"] == 2 * 40 * 20
    assert 20 * more["lakeside/labs_2020.csv"] + more["lakeside/labs_2021.csv.gz"] == 2 * 40 * 20
    assert {more[path] for path in more if "lab" not in path.split("/")[1]} == {0}
    larger_lines = read_exports(tmp_path).lines("yuhe/lab_results.csv")
    index_visits = 80 * 20
    assert larger_lines[:index_visits] == exports.lines("yuhe/lab_results.csv")[:index_visits]


@pytest.mark.parametrize("scale", [0, 525_601])
def test_scale_has_limits(scale, tmp_path):
    with pytest.raises(ValueError, match="scale must be between 1 and 525600"):
        generate(tmp_path, scale=scale)


def test_no_two_results_share_subject_analyte_and_time(tmp_path, read_exports):
    generate(tmp_path, 5, scale=5, defects=False)
    exports = read_exports(tmp_path)
    for path, columns in {
        "yuhe/lab_results.csv": ("病案号", "检验项目", "采样时间"),
        "lindental/labor.csv": ("Patientennummer", "Analyt", "Entnahmedatum"),
        "lakeside/labs_2021.csv.gz": ("MRN", "Test Name", "Collected"),
        "lakeside/labs_2020.csv": ("MRN", "Collected"),
    }.items():
        keys = [tuple(record[column] for column in columns) for record in exports.records(path)]
        assert len(set(keys)) == len(keys)


def test_sample_numbers_belong_to_one_draw(clean):
    exports, _ = clean
    for path, number, at, subject in (
        ("yuhe/lab_results.csv", "标本号", "采样时间", "病案号"),
        ("lindental/labor.csv", "Auftragsnummer", "Entnahmedatum", "Patientennummer"),
        ("lakeside/labs_2021.csv.gz", "Accession", "Collected", "MRN"),
    ):
        records = exports.records(path)
        draws = {(record[number], record[at], record[subject]) for record in records}
        assert len({draw[0] for draw in draws}) == len(draws)


def test_mappings_name_every_export_once(planted):
    exports, truth = planted
    sites = exports.folder.parent / "sites"
    for path in sites.iterdir():
        mapping = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        assert mapping["site"] == path.stem
        patterns = [pattern for feed in mapping["feeds"].values() for pattern in feed["files"]]
        names = [file.path.split("/")[1] for file in truth.files if file.path.startswith(f"{path.stem}/")]
        for name in names:
            assert sum(fnmatch.fnmatch(name, pattern) for pattern in patterns) == 1, name


def test_the_answer_key_lies_apart_from_the_exports(planted):
    exports, truth = planted
    document = json.loads((exports.folder.parent / "truth.json").read_text(encoding="utf-8"))
    assert not list(exports.folder.rglob("*.json"))
    assert len(document["subjects"]) == 160
    assert len(document["defects"]) == len(truth.defects)
    first = document["subjects"][0]
    assert first["totals"]["irls"] == sum(int(answer) for answer in first["answers"]["irls"].values())
