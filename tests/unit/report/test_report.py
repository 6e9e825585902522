"""Three formats say the same, nothing in them belongs to a patient, and the page stands alone."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import datetime
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import duckdb
import openpyxl
import pytest

from etl.report import build_report, document, html, workbook, write_report
from etl.report.words import languages, reason_texts
from etl.validate import validate
from schemas.analytes import registry
from schemas.errors import UsageError
from schemas.reasons import REASONS

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """The parts of a page that can be asked about."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.loaded, self.tiles = [], [], [], [], []
        self._in_tile = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"][1:]] if found.get("href", "").startswith("#") else []
        self.loaded += [
            found[name] for name in ("src", "href") if name in found and not found[name].startswith("#")
        ]
        self._in_tile = tag == "dd" and "dl" in self.open and "details" not in self.open
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        self._in_tile = False
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self._in_tile and data.strip().replace(",", "").isdigit():
            self.tiles.append(int(data.replace(",", "")))


@pytest.fixture(scope="session")
def page(report):
    return html.render(report).decode()


@pytest.fixture(scope="session")
def book(report):
    return openpyxl.load_workbook(BytesIO(workbook.render(report)))


def rows(book, sheet):
    return [list(row) for row in book[sheet].iter_rows(min_row=2, values_only=True)]


def test_what_was_broken_is_what_is_found(report):
    # By hand from the changes to the sound warehouse: 30 of 120 results without value, 7 of 600 held, 4 of 30 scores gone.
    found = {(check["id"], each["scope"]): each for check in report.checks for each in check["results"]}
    absent = found["value_absent", "site=north, analyte=homocysteine"]
    assert (absent["numerator"], absent["denominator"], absent["percentage"]) == (30, 120, 25.0)
    held = found["held_open", "site=north, feed=lab"]
    assert (held["numerator"], held["denominator"], held["percentage"]) == (7, 600, 1.17)
    scores = found["cases_have_irls", "site=north"]
    # How many cases the north has is hidden below, to protect the three of the south.
    assert (scores["status"], scores["numerator"], scores["denominator"], scores["percentage"]) == (
        "failed",
        None,
        None,
        None,
    )
    assert report.verdict == "blocked"  # 27 former cases of the south are controls with an IRLS score
    assert {"check_id": "no_irls_in_control", "scope": "site=south", "severity": "fatal"} in report.changes[
        "new"
    ]


def test_small_groups_are_hidden(report):
    # 3 cases and 57 controls in the south: both hidden, and with them the north's, or the columns' sums would tell.
    assert report.subjects["rows"] == [
        {"site": "north", "subjects": [None, None], "total": 60},
        {"site": "south", "subjects": [None, None], "total": 60},
    ]


def test_no_check_tells_the_size_of_a_hidden_group(report):
    """57 controls looked at beside 60 subjects would tell of the 3 cases."""
    told = {
        (check["id"], each["scope"]): (each["numerator"], each["denominator"], each["percentage"])
        for check in report.checks
        for each in check["results"]
        if check["counts_as"] == "subjects" and "site=south" in each["scope"]
    }
    assert {told[name, "site=south"] for name in ("no_irls_in_control", "cases_have_irls")} == {
        (None, None, None)
    }
    for group in ("case", "control"):
        assert told["cases_have_b12", f"site=south, cohort_group={group}"] == (None, None, None)
    assert told["sex_present", "site=south"] == (0, 60, 0.0)
    assert not {number for numbers in told.values() for number in numbers} & {3, 57}


def test_three_formats_say_the_same_counts(report, page, book):
    of_document = json.loads(document.render(report))
    assert of_document == json.loads(json.dumps(asdict(report), default=str))
    results = [each for check in of_document["checks"] for each in check["results"]]
    statuses = ["error", "not_applicable", "failed", "passed"]
    counts = {status: sum(each["status"] == status for each in results) for status in statuses}
    assert counts == of_document["counts"]
    assert Page(page).tiles == [of_document["blocking"], *counts.values()]
    summary = dict(row[:2] for row in rows(book, "Summary"))
    assert [summary[name] for name in ("error", "not applicable", "failed", "passed")] == list(
        counts.values()
    )
    listed = [row[4] for row in rows(book, "Results")]
    assert [listed.count(status.replace("_", " ")) for status in statuses] == list(counts.values())
    assert (
        len(rows(book, "Findings"))
        == counts["failed"] + counts["error"]
        == page.count('status failed">failed</span></td>\n<td class="text">')
    )
    files = [(row[0], row[1], *row[5:9]) for row in rows(book, "Files")]
    assert files == [
        tuple(each[name] for name in ("site", "feed", "lines", "records", "read", "accepted"))
        for each in of_document["files"]
    ]
    by_category = [sum(row[index] for row in rows(book, "Checks by category")) for index in range(3, 7)]
    assert by_category == [counts[status] for status in ("error", "failed", "not_applicable", "passed")]


def test_no_patient_is_in_any_format(warehouse, report, page, book):
    cells = " ".join(str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)
    subjects = [
        name for (name,) in warehouse.execute("select distinct subject_id from core.lab_result").fetchall()
    ]
    for text in (page, cells, document.render(report).decode()):
        assert "1234.5678" not in text
        assert "1970-01-01" not in text
        assert not [name for name in subjects if name in text]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_whole_and_stands_alone(report, language):
    text = html.render(report, language).decode()
    page = Page(text)
    assert page.open == []
    assert page.loaded == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.links) <= set(page.ids)
    assert "<built-in" not in text
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    assert f'<html lang="{language}">' in text


def test_the_page_speaks_the_reader_s_language(report, page):
    chinese = html.render(report, "zh").decode()
    assert (">site north, analyte homocysteine<" in page, ">中心 north, 项目 homocysteine<" in chinese) == (
        True,
        True,
    )
    for text in (page, chinese):
        assert not re.search(
            r">[^<]*(site|analyte|instrument)=", text
        )  # the workbook and the JSON keep these
    assert ("Homocysteine, total<br><code>homocysteine</code>" in page) is True
    assert "同型半胱氨酸<br><code>homocysteine</code>" in chinese
    # What someone has to type is set apart, and a chart says where it begins and ends.
    assert "<code>etl quarantine list</code>" in page
    assert not re.search(r"`[^`<>]+`", page.partition("<script>")[0])
    low, high = registry()["homocysteine"].soft
    assert f"<span>{low:g}</span><span>{high:g}</span>" in page


def test_a_large_report_stays_small(report):
    many = [
        dict(result, scope=f"site=site{n}, analyte=a")
        for result in report.checks[0]["results"]
        for n in range(2000)
    ]
    checks = [dict(check, results=many) for check in report.checks]
    analytes = [dict(report.analytes[0], histogram=[40] * 26) for _ in range(40 * 30)]  # sites x analytes
    large = replace(report, checks=checks, analytes=analytes)
    assert len(html.render(large)) < 3_000_000


def test_text_from_outside_is_escaped(report):
    row = dict(report.files[0], site="<script>alert(1)</script>", resembling=["=1+1"])
    odd = replace(report, files=[row])
    assert "<script>alert" not in html.render(odd).decode()
    book = openpyxl.load_workbook(BytesIO(workbook.render(odd)))
    cell = book["Files"].cell(row=2, column=17)
    assert (cell.value, cell.data_type) == ("=1+1", "s")


def test_every_reason_is_told_in_every_language():
    for name in REASONS:
        texts = reason_texts(name)
        assert texts["en"] == {"sentence": REASONS[name].sentence, "advice": REASONS[name].advice}
        assert all(re.search("[一-鿿]", text) for text in texts["zh"].values()), name


def test_every_language_has_every_word():
    keys = {name: set(said) for name, said in languages().items()}
    assert keys["en"] == keys["zh"]
    assert len(languages()["en"]["words"]) == len(languages()["zh"]["words"])


def test_a_check_that_is_newer_than_the_run_is_said_not_to_have_run(report):
    new = dict(report.checks[0], results=[], counts=dict.fromkeys(report.counts, 0))
    page = html.render(replace(report, checks=[new, *report.checks[1:]])).decode()
    assert f"<summary>did not run<span>{new['text']['en']['sentence']}</span>" in page


def test_the_ending_chooses_the_format(report, tmp_path):
    for name, start in (("r.html", b"<!doctype html>"), ("r.json", b"{"), ("r.xlsx", b"PK")):
        write_report(report, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    with pytest.raises(UsageError, match="docx"):
        write_report(report, tmp_path / "r.docx")
    with pytest.raises(UsageError, match="fr"):
        write_report(report, tmp_path / "r.html", "fr")


def test_an_empty_warehouse_can_be_reported():
    with duckdb.connect() as connection:
        for migration in sorted((Path(__file__).parents[3] / "warehouse" / "migrations").glob("*.sql")):
            connection.execute(migration.read_text())
        empty = build_report(connection, validate(connection, run_id="run1", as_of=datetime(2024, 3, 2)))
    assert empty.verdict == "nothing"
    for module in (html, document, workbook):
        assert module.render(empty)
