"""Every column of every mart of the demo leads to its cells: they stand in the files, and they are all that it takes."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import shutil
from functools import cache

import duckdb
import pytest

from etl.demo import generate
from etl.ingest import IngestOptions, ingest
from etl.mart_lineage import Cell, origins, rests_on
from etl.sites.mapping import load_sites
from etl.sql import run_sql
from etl.trace import trace_cell
from schemas.errors import UsageError
from schemas.study import load_study
from warehouse.catalogue import install_views, refresh, views
from warehouse.migrate import migrate

MARTS = {view.qualified: view for view in views() if view.schema == "mart"}
BASELINE = "mart.subject_baseline"
# As the makers of the three exports write them (the mappings in etl/demo say the same).
DIALECTS = {"yuhe": ("gb18030", ","), "lindental": ("cp1252", ";"), "lakeside": ("utf-8-sig", ",")}


def items(instrument: str, names) -> set[str]:
    return {f"{instrument}/{name}" for name in names}


# What a column of the baseline is made of, by hand: the formulas' parts, and the items that each published score counts.
MADE_OF = {
    "age": {"birth_date", "vitamin_b12"},  # of a birth date at a draw
    "age_basis": {"birth_date"},
    "egfr": {"creatinine", "sex", "birth_date"},
    "irls": items("irls", range(1, 11)),
    "hama": items("hama", range(1, 15)),
    "hamd": items("hamd", range(1, 25)),
    # Buysse 1989: questions 1 to 9; the remarks of a bed partner (10) do not count.
    "psqi": items("psqi", ["1", "2", "3", "4", *(f"5{letter}" for letter in "abcdefghij"), *"6789"]),
    "eligibility": {"cohort_group", "sex", "birth_date", "vitamin_b12", "creatinine", "ferritin"},
    "is_included": {"cohort_group", "sex", "birth_date", "vitamin_b12", "creatinine", "ferritin"},
}
MADE_OF |= {
    column: {"vitamin_b12"}
    for column in (
        "site", "lab_id", "platform", "method", "index_date", "b12", "b12_comparator", "b12_unit", "b12_unit_source",
        "b12_unit_stated", "b12_unit_basis", "b12_analysis", "b12_result_id",
    )
}  # fmt: skip
MADE_OF |= {
    column: {column}
    for column in (
        "cohort_group", "sex", "creatinine", "urea", "uric_acid", "homocysteine", "folate", "ferritin", "haemoglobin",
        "mcv", "glucose", "hba1c", "tsh", "total_cholesterol", "triglycerides", "alt", "ast", "match_set",
    )
}  # fmt: skip


# Another draw of the subject, or its statements, say the same of these; and for want of diagnoses nobody is eligible.
SAID_AGAIN = {
    "eligibility",
    "site",
    "method",
    "b12_unit",
    "b12_unit_source",
    "b12_unit_stated",
    "b12_unit_basis",
}


class Demo:
    """The demo's exports in a warehouse, and their cells read with the standard library."""

    def __init__(self, folder):
        self.warehouse = folder / "w.duckdb"
        generate(folder, 20221)
        ingest([str(folder / "exports")], self.warehouse, IngestOptions(sites=load_sites(folder / "sites")))
        self._lines = {}
        for path in folder.glob("exports/*/*"):
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
            encoding, delimiter = DIALECTS[path.parent.name]
            self._lines[hashlib.sha256(content).hexdigest()] = (
                content.decode(encoding, "replace").split("\n"),
                delimiter,
            )
        self.rows = {mart: run_sql(self.warehouse, f"from {mart}").to_dicts() for mart in MARTS}
        self.subjects = [
            next(row["subject_id"] for row in self.rows[BASELINE] if row["site"] == site and row["irls"] is not None)
            for site in DIALECTS
        ]  # fmt: skip
        # The lineage of everybody at once, for many questions.
        self.copy = folder / "copy.duckdb"
        shutil.copy(self.warehouse, self.copy)
        with duckdb.connect(self.copy) as connection:
            connection.execute("create table main.known as from intermediate.lineage")
            connection.execute("drop view intermediate.lineage")
            connection.execute("create view intermediate.lineage as from main.known")
            self.origins = {
                (mart, subject): origins(connection, Cell(mart, subject))
                for mart in MARTS
                for subject in self.subjects
            }
            self._sha256 = dict(connection.execute("select file_id, sha256 from meta.source_file").fetchall())

    def cell(self, row):
        """Return the text that stands at a row's place, such as L12/C5."""
        lines, delimiter = self._lines[self._sha256[row["file_id"]]]
        line, column = map(int, re.fullmatch(r"L(\d+)/C(\d+)", row["locator"]).groups())
        return next(csv.reader([lines[line - 1]], delimiter=delimiter))[column - 1].strip()


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    return Demo(tmp_path_factory.mktemp("demo"))


@cache
def columns() -> list[tuple[str, str]]:
    with duckdb.connect() as connection:
        migrate(connection)
        install_views(connection, load_study())
        return connection.execute(
            "select 'mart.' || table_name, column_name from information_schema.columns where table_schema = 'mart' order by all"
        ).fetchall()


@pytest.mark.parametrize(("mart", "column"), columns())
def test_a_column_leads_to_cells_that_stand_in_the_files(demo, mart, column) -> None:
    view = MARTS[mart]
    of_subjects = "subject_id" in demo.rows[mart][0]
    found = [
        (subject, each)
        for subject in demo.subjects
        for each in demo.origins[mart, subject]
        if each.cell.partition(" ")[0] == f"{mart}.{column}"
    ]
    assert found
    if not rests_on(view, column)[0]:
        assert all(not each.rows and each.note.startswith("No cell of its own: ") for _, each in found)
        return
    assert of_subjects
    for subject, each in found:
        assert {row["subject_id"] for row in each.rows} <= {subject}
        assert [demo.cell(row) for row in each.rows] == [row["value_source"] for row in each.rows]
    # The demo's unknowns are diagnoses of which no file says anything.
    values = [
        row[column] for row in demo.rows[mart] if row[column] not in (None, []) and column != "unknown_for"
    ]
    whats = {row["what"] for _, each in found for row in each.rows}
    assert whats or not values
    if mart == BASELINE and (values or whats):
        assert whats == MADE_OF[column]


def test_a_total_is_the_sum_of_its_cells(demo) -> None:
    """IRLS and both Hamilton scales are plain sums of their items as published."""
    for subject in demo.subjects:
        row = next(row for row in demo.rows[BASELINE] if row["subject_id"] == subject)
        by_column = {each.cell.rpartition(".")[2]: each for each in demo.origins[BASELINE, subject]}
        for scale in ("irls", "hama", "hamd"):
            assert sum(int(demo.cell(each)) for each in by_column[scale].rows) == row[scale]


def test_the_cells_of_a_column_are_all_that_it_takes(demo) -> None:
    """One subject a column: with only its cells the column is what it was; without them it is not."""
    cases = iter([row for row in demo.rows[BASELINE] if row["irls"] is not None])
    known = [name for name in MADE_OF if any(row[name] is not None for row in demo.rows[BASELINE])]
    assert len(known) > 30
    with duckdb.connect(demo.copy) as connection:
        wanted = []
        for name, row in zip(known, cases, strict=False):
            cells = {
                each.cell.rpartition(".")[2]: {cell["id"] for cell in each.rows}
                for each in origins(connection, Cell(BASELINE, row["subject_id"]))
            }
            # Which draw's covariate it is depends on the draw, which score on the group.
            wanted.append((name, row, cells[name], cells[name] | cells["index_date"] | cells["cohort_group"]))
        for is_kept in (True, False):
            connection.execute("begin")
            for _, row, own, needed in wanted:
                _leave(connection, row["subject_id"], needed if is_kept else own, is_kept=is_kept)
            refresh(connection)
            now = {row["subject_id"]: row for row in connection.sql(f"from {BASELINE}").pl().to_dicts()}
            for name, row, *_ in wanted:
                if name in SAID_AGAIN and not is_kept:
                    continue
                value = now.get(row["subject_id"], {}).get(name)
                assert (value == row[name]) == is_kept, (name, is_kept)
            connection.execute("rollback")


def _leave(connection, subject, ids, *, is_kept) -> None:
    """Leave of a subject only these rows, or all but these; a score goes with its answers, a set with its statement."""
    inside = "not in" if is_kept else "in"
    numbered = "subject_no in (select subject_no from core.lab_subject where subject_id = ?)"
    for table, key, whose in (
        ("core.lab_row", "result_id", numbered),
        ("core.subject_attribute", "record_id", "subject_id = ?"),
        ("core.response", "record_id", "subject_id = ?"),
    ):
        query = f"delete from {table} where {whose} and {key} {inside} (select unnest(?::uuid[]))"
        connection.execute(query, [subject, list(ids)])
    for table, key, left in (
        ("core.score", "administration_id", "core.response where item <> 'total'"),
        ("core.match_set", "subject_id", "core.subject_attribute where attribute = 'match_set'"),
    ):
        query = f"delete from {table} where subject_id = ? and {key} not in (select {key} from {left})"
        connection.execute(query, [subject])


def test_a_column_shows_its_cells_when_asked_to(demo, tmp_path) -> None:
    for ending in ("", ".key"):
        shutil.copy(f"{demo.warehouse}{ending}", tmp_path / f"w.duckdb{ending}")
    wanted = Cell(BASELINE, demo.subjects[0], "b12")
    (found,) = trace_cell(tmp_path / "w.duckdb", wanted)
    (hidden,) = found.steps
    assert (found.kind, found.target, hidden.cells) == ("column", "mart.subject_baseline.b12", {})
    (found,) = trace_cell(tmp_path / "w.duckdb", wanted, reveal=True)
    (shown,) = found.steps
    ((result,),) = [
        each.rows for each in demo.origins[BASELINE, demo.subjects[0]] if each.cell == found.target
    ]
    assert shown.cells["value_source"] == demo.cell(result)
    assert "out_of_bounds" in {each["check_id"] for each in shown.rules}
    with duckdb.connect(tmp_path / "w.duckdb", read_only=True) as connection:
        ((ids,),) = connection.execute(
            "select detail ->> 'ids' from meta.run where command = 'trace'"
        ).fetchall()
    assert json.loads(ids) == [shown.id]


def test_the_rows_of_a_subject_are_told_apart(demo) -> None:
    subject = demo.subjects[0]
    with duckdb.connect(demo.copy, read_only=True) as connection:
        (found,) = origins(
            connection, Cell("mart.subject_measure", subject, "value", {"measure": "ferritin"})
        )
    assert found.cell == "mart.subject_measure.value (measure=ferritin)"
    assert [row["what"] for row in found.rows] == ["ferritin"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (Cell("mart.subject_baselin"), "no mart called"),
        (Cell(BASELINE), "rows of many subjects"),
        (Cell(BASELINE, "nobody"), "no such row"),
        (Cell(BASELINE, "nobody", "b12_pg_ml"), "no column b12_pg_ml"),
        (Cell(BASELINE, "nobody", "b12", {"prof": "x"}), "no column prof"),
    ],
)
def test_a_cell_that_is_not_there_is_said(demo, cell, said) -> None:
    with duckdb.connect(demo.copy, read_only=True) as connection, pytest.raises(UsageError, match=said):
        origins(connection, cell)
