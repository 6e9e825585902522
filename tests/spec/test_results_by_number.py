"""What a result says does not depend on how it is stored: subjects by number, cells by form, batches of any size.

Expected values are the cells of the exports themselves.
"""

from __future__ import annotations

import json

import pytest

from etl.engines import local
from etl.process import subjects as subjects_module
from etl.process.memo import Memo
from etl.quarantine import waive

HEADER = "subject_id,test,result,unit,collected\n"
ORPHANS = """
    select count(*) from core.lab_row
    where (select count(*) from core.lab_subject where lab_subject.subject_no = lab_row.subject_no) <> 1
        or context_id not in (select context_id from core.lab_context)
"""


def row(subject: str, value: object, day: str = "2021-03-05 08:12", unit: str = "pg/mL") -> str:
    return f"{subject},Vitamin B12,{value},{unit},{day}\n"


def sound(place) -> bool:
    """Every row has one subject and one context, and every count adds up."""
    assert place.rows(ORPHANS) == [(0,)]
    assert place.problems() == []
    return True


@pytest.fixture
def tiny(monkeypatch):
    """Batches of three records, and a memory for two subjects."""
    monkeypatch.setattr(local, "ROWS", 3)
    monkeypatch.setattr(subjects_module, "Memo", lambda key, compute: Memo(key, compute, 2))


def by_subject(place) -> list[tuple[str, list[float]]]:
    """The values of each subject, without the pseudonyms."""
    found = place.rows(
        "select list(value_source order by row_number) from core.lab_result group by subject_id order by min(row_number)"
    )
    return [values for (values,) in found]


def test_results_keep_their_subject_when_subjects_are_forgotten(place, tiny) -> None:
    people = [1, 2, 3, 4, 5, 1, 6, 7, 2, 2, 8, 9, 1, 3, 10, 11, 12, 1]
    export = "".join(row(f"P{who}", 200 + at, f"2021-03-{at + 1:02}") for at, who in enumerate(people))
    place.ingest(place.write("labs.csv", HEADER + export))
    expected: dict[int, list[str]] = {}
    for at, who in enumerate(people):
        expected.setdefault(who, []).append(str(200 + at))
    assert by_subject(place) == list(expected.values())
    assert place.rows("select count(*) = count(distinct subject_no) from core.lab_subject") == [(True,)]
    assert json.loads(place.rows("select detail from meta.load")[0][0])["subjects"] == 12
    assert sound(place)


def test_one_subject_written_in_several_ways_is_one(place) -> None:
    export = row("001", 200) + row('"001 "', 210) + row("００１", 200) + row("1", 205)
    (outcome,) = place.ingest(place.write("labs.csv", HEADER + export)).files
    assert outcome.detail.subjects == 2
    states = place.rows("select row_number, row_state from core.lab_result order by row_number")
    # 200 and 210 of one minute contradict each other, in whichever way their subject is written.
    assert states == [(2, "conflicting"), (3, "conflicting"), (4, "conflicting"), (5, "current")]
    assert sound(place)


def test_a_file_without_a_sound_result_names_no_one_else_s_subject(place) -> None:
    place.ingest(place.write("held.csv", HEADER + row("P1", 200, unit="pgs") + row("P2", 200, unit="pgs")))
    place.ingest(place.write("none.csv", HEADER))
    place.ingest(place.write("labs.csv", HEADER + row("P2", 300) + row("P3", 310)))
    assert by_subject(place) == [["300"], ["310"]]
    assert sound(place)


def test_a_dry_run_leaves_nothing_and_the_real_one_loads(place) -> None:
    export = place.write("labs.csv", HEADER + row("P1", 200) + row("P2", 300))
    place.ingest(export, is_dry_run=True)
    assert place.rows("select count(*) from core.lab_subject") == [(0,)]
    place.ingest(export)
    assert by_subject(place) == [["200"], ["300"]]
    assert sound(place)


def test_a_promoted_row_keeps_its_subject_and_names_its_own_cell(place) -> None:
    """The first file leaves for good; what it shared with the second stands there, in another column."""
    place.map("site: north\nfeeds:\n  labs: {files: ['labs*.csv'], delivery: snapshot}\n")
    other = "test,result,unit,collected,subject_id\n"
    shuffled = "Vitamin B12,{},pg/mL,2021-03-05 08:12,P{}\n"
    first = place.write("labs1.csv", HEADER + row("P1", 200) + row("P2", 300))
    second = place.write("labs2.csv", other + shuffled.format(410, 4) + shuffled.format(300, 2))
    place.ingest(first, second)
    ids = dict(place.rows("select value_source, subject_id from core.lab_result"))
    duplicate = place.rows("select locator, promoted from meta.duplicate")
    assert duplicate == [("L3/C2", False)]
    place.ingest(second)
    rows = place.rows(
        "select value_source, subject_id, row_number, locator from core.lab_result order by row_number"
    )
    assert rows == [("410", ids["410"], 2, "L2/C2"), ("300", ids["300"], 3, "L3/C2")]
    assert place.rows("select count(*) from core.lab_subject") == [(2,)]
    assert sound(place)


def test_a_promoted_row_steps_back_and_comes_again(place, tiny) -> None:
    """Three files hold one result; each is read anew under two plans, and the result stays, in one of them."""
    files = [place.write(f"{at}.csv", HEADER + row(f"Q{at}", 500 + at) + row("P1", 200)) for at in range(3)]
    place.ingest(*files)
    subject = place.rows("select subject_id from core.lab_result where value_source = '200'")
    for low in (1, 2):
        place.map(
            f"site: north\nfeeds:\n  labs:\n    files: '*.csv'\n    bounds: {{vitamin_b12: [{low}, 90000]}}\n"
        )
        place.ingest(*files, is_refresh=True)
        found = place.rows("select subject_id, locator from core.lab_result where value_source = '200'")
        assert [(each,) for each, _ in found] == subject
        assert {locator for _, locator in found} == {"L3/C3"}
        assert by_subject(place).count(["200"]) == 1
        assert len(place.rows("select 1 from core.lab_row")) == 4
        assert sound(place)


WIDE = "subject_id,collected,Vitamin B12 (pg/mL),Ferritin (ug/L),Folate (ug/L)\n"


def test_every_cell_of_a_wide_record_is_named(place, tiny) -> None:
    export = WIDE + "P1,2021-03-05,200,30,\nP2,2021-03-05,pgs,31,5.5\nP1,2021-03-05,200,32,\n"
    (outcome,) = place.ingest(place.write("wide.csv", export)).files
    assert (outcome.counts.accepted, outcome.counts.held, outcome.counts.duplicate) == (5, 1, 1)
    assert place.rows("select value_source, locator from core.lab_result order by locator") == [
        ("200", "L2/C3"),
        ("30", "L2/C4"),
        ("31", "L3/C4"),
        ("5.5", "L3/C5"),
        ("32", "L4/C4"),
    ]
    assert place.rows("select locator from quarantine.record") == [("L3/C3",)]
    assert place.rows("select locator from meta.duplicate") == [("L4/C3",)]
    assert place.rows("select count(*) from core.lab_row where locator is not null") == [(0,)]
    assert sound(place)


def test_a_header_may_be_any_word(place) -> None:
    measures = "{self: {analyte: vitamin_b12, unit: pg/mL}, 'ferritin {}': {analyte: ferritin, unit: ug/L}}"
    place.map(f"site: north\nfeeds:\n  labs:\n    files: '*.csv'\n    measures: {measures}\n")
    place.ingest(place.write("wide.csv", "subject_id,collected,self,ferritin {}\nP1,2021-03-05,200,30\n"))
    rows = place.rows("select value_source, locator from core.lab_result order by locator")
    assert rows == [("200", "L2/C3"), ("30", "L2/C4")]


def test_two_tables_of_one_sheet(place) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Labor {}"  # the braces of a form are no part of its name
    first = ["subject_id,test,result,unit,collected"]
    first += [f"P{at},Vitamin B12,{200 + at},pg/mL,2021-03-05" for at in range(3)]
    second = ["Datum,Patient,Ferritin (ug/L),Folate (ug/L)"]
    second += [f"2021-03-0{at + 1},P{at},{30 + at},{7 + at}" for at in range(3)]
    for at, line in enumerate([*first, "", "", "", *second], 1):
        for column, cell in enumerate(line.split(",") if line else (), 2):
            sheet.cell(at, column, float(cell) if cell.isdigit() else cell)
    path = place.folder / "labs.xlsx"
    book.save(path)
    place.ingest(path)
    assert place.rows("select value, locator from core.lab_result order by row_number, locator") == [
        *((200 + at, f"Labor {{}}!D{2 + at}") for at in range(3)),
        *(
            (first + at, f"Labor {{}}!{column}{9 + at}")
            for at in range(3)
            for first, column in ((30, "D"), (7, "E"))
        ),
    ]
    assert place.rows("select count(distinct subject_id) from core.lab_result") == [(3,)]
    assert sound(place)


MESSAGE = "MSH|^~\\&|LAB|H|||20210305||ORU^R01|{}|P|2.5\rPID|1||{}\rOBR|1|A{}||B12|||202103050812\r"
OBX = "OBX|{}|NM|2132-9^Vitamin B12^LN||{}|pg/mL|||||F|||202103050812\r"


def test_a_format_that_names_its_cells_itself(place, tiny) -> None:
    text = MESSAGE.format(1, "P1", 1) + OBX.format(1, 300) + MESSAGE.format(2, "P2", 2) + OBX.format(1, 301)
    text += MESSAGE.format(3, "P1", 1) + OBX.format(1, 300)
    (outcome,) = place.ingest(place.write("lab.hl7", text)).files
    assert (outcome.counts.accepted, outcome.counts.duplicate) == (2, 1)
    assert place.rows("select value_source, locator from core.lab_result order by locator") == [
        ("300", "msg1/OBX[1]"),
        ("301", "msg2/OBX[1]"),
    ]
    assert place.rows("select locator from meta.duplicate") == [("msg3/OBX[1]",)]
    assert sound(place)


def test_a_waived_record_stays_out_with_all_its_repeats(place) -> None:
    """The mapping learns to read what was waived; a second line of the same content is no way back in."""
    place.map("site: north\nfeeds:\n  labs:\n    files: '*.csv'\n")
    export = place.write("labs.csv", HEADER + row("P2", 300) + row("P1", 200, unit="") * 2)
    (outcome,) = place.ingest(export).files
    assert (outcome.counts.held, outcome.counts.duplicate) == (1, 1)
    (record,) = place.rows("select record_id::varchar from quarantine.record")
    waive(place.warehouse, [record[0]], "D. Manager", "not ours")
    place.map("site: north\nfeeds:\n  labs:\n    files: '*.csv'\n    units: {vitamin_b12: pg/mL}\n")
    (outcome,) = place.ingest(export).files
    assert by_subject(place) == [["300"]]
    assert (outcome.counts.accepted, outcome.counts.held, outcome.counts.duplicate) == (1, 1, 1)
    assert sound(place)


def test_a_row_that_stands_in_is_read_again_with_its_own_file(place) -> None:
    """A new mapping tells more of the first file's row, so that it is another result than the second file's."""
    more = HEADER.strip() + ",apparatus\n"
    first = place.write("a.csv", more + row("P1", 200).strip() + ",Cobas\n")
    second = place.write("b.csv", more + row("P1", 200).strip() + ",\n")
    place.ingest(first, second)
    assert place.rows("select locator from meta.duplicate") == [("L2/C3",)]
    place.map("site: north\nfeeds:\n  labs:\n    files: '*.csv'\n    columns: {platform: apparatus}\n")
    report = place.ingest(first, second, is_refresh=True)
    assert [each.error for each in report.files] == [None, None]
    assert [each.counts.accepted for each in report.files] == [1, 1]
    assert by_subject(place) == [["200", "200"]]
    assert sound(place)


@pytest.mark.parametrize("rows", [2, 7, 150_000])
def test_batches_and_the_timing_of_threads_change_no_content(place, places, monkeypatch, rows) -> None:
    tests = [("Vitamin B12", "pg/mL"), ("Ferritin", "ug/L"), ("Folate", "ug/L"), ("Sodium", "mmol/L")]
    export = "subject_id,test,result,unit,collected,status,accession\n" + "".join(
        f"P{at % 9},{test},{100 + at % 23},{unit},2021-03-{at % 27 + 1:02} 08:1{at % 3},{'FPC'[at % 3]},A{at % 40}\n"
        for at in range(60)
        for test, unit in tests
    )
    reference = places("reference")
    reference.ingest(reference.write("labs.csv", export))
    monkeypatch.setattr(local, "ROWS", rows)
    place.ingest(place.write("labs.csv", export))
    assert place.digest() == reference.digest()
    query = "select * exclude (run_id, file_id) from core.lab_result order by row_number"
    assert place.rows(query) == reference.rows(query)
    assert sound(place)
