"""`etl profile`: what it shows, and what never leaves the file."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from etl.coverage import coverage
from etl.profile.build import profile
from etl.profile.page import page
from etl.profile.text import profile_text
from etl.readers.base import Source
from etl.suggest.draft import yaml_of
from etl.suggest.suggest import suggest
from etl.suggest.tables import look
from schemas.errors import UsageError

# What must never be shown: a name, an id, a telephone number, a rare value, a rare day, a rare code.
CANARIES = ("Wolkenstein", "P-771042", "0049-555-9981", "98765", "1931-07-19", "Kaninchenfieber", "4711.25")


def _export(header: list[str], *, canaries: bool = True) -> str:
    """Return a long export of 40 subjects, ten of them with two results, and one record full of canaries."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(header)
    for number in range(50):
        rows.writerow([
            f"P-{1000 + number % 40}", f"Name{number % 40}", f"0170-{number % 40:04d}", f"19{50 + number % 40}-03-15",
            "Vitamin B12", f"{200 + number % 40 * 10}", "pg/mL", f"2021-0{1 + number % 5}-{13 + number % 12}",
            "-9" if number % 8 == 0 else "", "M" if number % 2 else "F", "influenza",
        ])  # fmt: skip
    if canaries:
        rows.writerow(["P-771042", "Wolkenstein", "0049-555-9981", "1931-07-19", "Vitamin B12", "4711.25", "pg/mL",
                       "2021-03-17", "98765", "F", "Kaninchenfieber"])  # fmt: skip
    return text.getvalue()


KNOWN = ["patient_id", "patient name", "phone", "date of birth", "test name", "result", "unit", "collection date",
         "marker no", "sex", "ward note"]  # fmt: skip
UNKNOWN = [f"F{place}" for place in range(1, 12)]


def _everything(path: Path) -> dict[str, str]:
    files = profile([str(path)])
    return {
        "text": profile_text(files),
        "json": json.dumps([each.document() for each in files], ensure_ascii=False),
        "html": page(files).decode(),
    }


@pytest.mark.parametrize("header", [KNOWN, UNKNOWN], ids=["known headers", "unknown headers"])
def test_no_canary_is_shown(tmp_path: Path, header: list[str]) -> None:
    path = tmp_path / "export.csv"
    path.write_text(_export(header), "utf-8")
    for form, shown in _everything(path).items():
        assert [canary for canary in CANARIES if canary in shown] == [], form
        assert not re.search(r"Name\d|P-10\d\d|0170-", shown), (
            form
        )  # names and numbers that are on every second line


def test_no_canary_of_a_file_without_a_header(tmp_path: Path) -> None:
    """The first record of a file without a header stands where the names of the columns are."""
    lines = _export(KNOWN).splitlines()
    path = tmp_path / "export.csv"
    path.write_text("\n".join([lines[-1], *lines[1:-1]]) + "\n", "utf-8")
    drafts = {
        "draft": yaml_of(suggest([str(path)], "north")),
        "coverage": str(coverage([str(path)], {}, None)),
    }
    for form, shown in (_everything(path) | drafts).items():
        assert [canary for canary in CANARIES if canary in shown] == [], form


def test_a_record_of_words_only_is_no_header(tmp_path: Path) -> None:
    """Nothing in the first line is a number; that `w` is also a cell below gives it away."""
    path = tmp_path / "export.csv"
    path.write_text(
        "Wolkenstein,w,Ulm\n" + "".join(f"Name{n},{'wm'[n % 2]},Bonn\n" for n in range(20)), "utf-8"
    )
    drafts = {
        "draft": yaml_of(suggest([str(path)], "north")),
        "coverage": str(coverage([str(path)], {}, None)),
    }
    for form, shown in (_everything(path) | drafts).items():
        assert "Wolkenstein" not in shown, form


def test_what_five_subjects_share_is_shown_and_what_four_share_is_not(tmp_path: Path) -> None:
    """Five and four by hand: code A has five subjects, code B four (on eight records), C one."""
    records = [("A", f"s{n}") for n in range(5)] + [("B", f"s{n % 4}") for n in range(8)] + [("C", "s9")]
    path = tmp_path / "codes.csv"
    path.write_text("patient_id,ward\n" + "".join(f"{who},{code}\n" for code, who in records), "utf-8")
    (column,) = [each for each in profile([str(path)])[0].tables[0].columns if each.name == "ward"]
    assert [each.text for each in column.texts] == ["A"]
    assert column.hidden == 2


def test_without_subjects_nothing_is_shown_unless_they_are_named(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("who,ward\n" + "".join(f"s{n},A\n" for n in range(9)), "utf-8")
    table = profile([str(path)])[0].tables[0]
    assert table.subjects is None
    assert [each.texts for each in table.columns] == [(), ()]
    named = profile([str(path)], subject="who")[0].tables[0]
    assert named.subjects == 9
    assert [each.text for each in named.columns[1].texts] == ["A"]
    with pytest.raises(UsageError):
        profile([str(path)], subject="whom")


def test_what_is_found(tmp_path: Path) -> None:
    """Counts by hand: 51 records in 52 lines, 7 of 50 with -9 in every eighth, dates that settle their order."""
    path = tmp_path / "export.csv"
    path.write_text(_export(KNOWN), "utf-8")
    (file,) = profile([str(path)])
    (table,) = file.tables
    columns = {each.name: each for each in table.columns}
    assert (file.format, file.encoding, table.records, table.lines) == ("delimited", "utf-8", 51, 52)
    assert table.subjects == 41
    assert columns["date of birth"].date_order == "iso"
    assert columns["result"].decimal == "."
    assert [(each.text, each.says) for each in columns["unit"].texts] == [("pg/mL", "pg/mL")]
    assert [(each.text, each.says) for each in columns["test name"].texts] == [("Vitamin B12", "vitamin_b12")]
    assert [(each.text, each.records) for each in columns["marker no"].missing] == [("-9", 7)]
    assert [(each.name, each.unit, each.records) for each in table.analytes] == [("Vitamin B12", "pg/mL", 51)]
    assert columns["result"].plot is not None
    assert float(columns["result"].plot.edges[-1]) < 4711


def test_damage_is_counted_by_reason(tmp_path: Path) -> None:
    path = tmp_path / "damaged.csv"
    path.write_text('patient_id,result\n1,2\n2,3,4\n3,4\n4,"5\n5,6\n', "utf-8")
    (table,) = profile([str(path)])[0].tables
    assert table.damaged == {"field_count": 1, "quote_damage": 1}
    assert table.records == 5


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(_export(KNOWN), "utf-8")
    html = _everything(path)["html"]
    assert not re.search(r"""(?:src|href)=["'](?!#)|url\((?!#)|@import|<script|https?://""", html)
    assert "prefers-color-scheme: dark" in html
    assert html.count('<svg class="bars"') >= 3


def test_a_file_that_cannot_be_read_has_a_message(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(b"")
    (file,) = profile([str(path)])
    assert file.error.startswith("Error: empty.csv is empty.")
    assert "Try: " in file.error


def test_a_document_in_a_cell_is_looked_at_in_part(tmp_path: Path) -> None:
    """Reports travel in messages; to look for dates in megabytes of one takes minutes."""
    path = tmp_path / "a.hl7"
    path.write_text(
        f"MSH|^~\\&|A|B|C|D|2021||ORU^R01|1|P|2.5\rPID|1||7\rOBX|1|ED|pdf^Report||{'JVBERi' * 200_000}\r"
    )
    (looked,) = look(Source(path))
    value = looked.frame["value"].item()
    assert value == ("JVBERi" * 200)[: len(value)]
    assert len(value) == 1_000


def test_a_comment_is_not_shown_however_many_share_it(tmp_path: Path) -> None:
    rows = "".join(
        f"P{at},Vitamin B12,{200 + at},pg/mL,2021-03-05,Frau Wolkenstein informiert\n" for at in range(40)
    )
    (tmp_path / "a.csv").write_text("patient_id,test,result,unit,date,comment\n" + rows)
    (found,) = profile([str(tmp_path / "a.csv")])
    assert "Wolkenstein" not in profile_text([found]) + page([found]).decode()
