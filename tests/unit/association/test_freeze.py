from __future__ import annotations

import json

import pytest

from etl.freeze import cuts, freeze, matching_cut
from schemas.errors import UsageError, WarehouseMissing
from warehouse.connection import open_warehouse
from warehouse.digest import content_digest
from warehouse.ledger import broken_links

LABS = """
    Patient ID,Collected,Test,Result,Unit
    1001,2021-03-04 08:15,Vitamin B12,250,pg/mL
"""


@pytest.fixture
def filled(place):
    place.ingest(place.write("labs.csv", LABS))
    return place


def test_a_cut_names_the_content_and_is_in_the_ledger(filled):
    cut = freeze(filled.warehouse, "first", "A. Manager")
    with open_warehouse(filled.warehouse, read_only=True) as connection:
        assert cut.digest == content_digest(connection)
        assert [(c.label, c.who) for c in cuts(connection)] == [("first", "A. Manager")]
        assert broken_links(connection) == []
    lines = filled.warehouse.with_name("w.duckdb.ledger.jsonl").read_text("utf-8").splitlines()
    entry = next(json.loads(line) for line in lines if json.loads(line)["entry"] == "data_cut")
    assert (entry["label"], entry["digest"]) == ("first", cut.digest)


def test_the_same_label_for_the_same_data_changes_nothing(filled):
    first = freeze(filled.warehouse, "first", "A. Manager")
    again = freeze(filled.warehouse, "first", "B. Manager")
    assert (again.digest, again.who, again.made_at) == (first.digest, "A. Manager", first.made_at)
    assert (first.is_new, again.is_new) == (True, False)
    assert filled.rows("select count(*) from meta.data_cut") == [(1,)]


def test_a_label_never_names_other_data(filled):
    freeze(filled.warehouse, "first", "A. Manager")
    filled.ingest(filled.write("more.csv", LABS.replace("1001", "1002")))
    with pytest.raises(UsageError, match="holds other data"):
        freeze(filled.warehouse, "first", "A. Manager")
    second = freeze(filled.warehouse, "second", "A. Manager")
    with open_warehouse(filled.warehouse, read_only=True) as connection:
        assert matching_cut(connection, second.digest).label == "second"
        assert matching_cut(connection, "0" * 64) is None


def test_the_newest_matching_cut_counts(filled):
    freeze(filled.warehouse, "first", "A. Manager")
    digest = freeze(filled.warehouse, "z-last", "A. Manager").digest
    with open_warehouse(filled.warehouse, read_only=True) as connection:
        assert matching_cut(connection, digest).label == "z-last"


@pytest.mark.parametrize(("label", "who"), [(" ", "A. Manager"), ("first", "")])
def test_a_cut_has_a_label_and_a_maker(filled, label, who):
    with pytest.raises(UsageError):
        freeze(filled.warehouse, label, who)


def test_nothing_to_freeze(tmp_path):
    with pytest.raises(WarehouseMissing):
        freeze(tmp_path / "none.duckdb", "first", "A. Manager")
