"""Erasure: nothing of the person stays or comes back, and the counts still add up. Expected rows are counted by hand."""

from __future__ import annotations

import pytest

from etl.declarations import Signature
from etl.publish import publish
from etl.rebuild import rebuild
from etl.sites.mapping import load_sites
from etl.subject import erase, find, show
from schemas.errors import UsageError
from warehouse.published import published_path

SIGNED = Signature("Li", "consent withdrawn")
HEADER = "patient_id,sex,test,result,unit,collected\n"
# P1: two results, one held for its number, one for its name, and a statement about sex; P2: one result.
LABS = (
    HEADER
    + "P1,F,Vitamin B12,310,pg/mL,2021-03-05\nP1,F,Ferritin,20,ng/mL,2021-03-05\nP1,F,Vitamin B12,7731x,pg/mL,2021-03-06\n"
    + "P1,F,Vitamin B12 neu neu,300,pg/mL,2021-03-07\nP2,M,Vitamin B12,290,pg/mL,2021-03-05\n"
)
IRLS = "patient_id,assessment date," + ",".join(f"irls_{item}" for item in range(1, 11))


@pytest.fixture
def loaded(place):
    scales = f"{IRLS}\nP1,2021-03-05,2,3,2,1,2,2,3,2,1,2\nP2,2021-03-05,1,1,1,0,1,1,1,1,0,1\n"
    report = place.ingest(place.write("labs.csv", LABS), place.write("scales.csv", scales))
    assert report.exit_code() == 0
    return place


def places_of(place, subject_id: str) -> list[str]:
    """Return the tables of core and the marts that name a subject."""
    tables = place.rows(
        "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('core', 'mart', 'intermediate')"
    )
    return [table for (table,) in tables if subject_id in str(place.rows(f"from {table}"))]


def test_a_subject_is_found_by_the_number_of_its_hospital(loaded) -> None:
    found = find(loaded.warehouse, "P1", "north")
    ((subject_id,),) = loaded.rows(
        "select distinct subject_id from core.lab_result where analyte = 'ferritin'"
    )
    assert found.subject_id == subject_id
    assert {row["kind"]: row["rows"] for row in found.rows} == {"results": 2, "answers": 10, "attributes": 1}
    assert find(loaded.warehouse, "P1", "south").rows == []
    ((detail,),) = loaded.rows(
        "select detail from meta.run where command = 'subject find' order by started_at limit 1"
    )
    assert "P1" not in detail
    with pytest.raises(UsageError):
        find(loaded.warehouse, "", "north")


def test_what_is_erased_is_gone_everywhere_and_adds_up(loaded) -> None:
    publish(loaded.warehouse)
    subject_id = find(loaded.warehouse, "P1", "north").subject_id
    assert {place.partition(".")[0] for place in places_of(loaded, subject_id)} == {
        "core",
        "intermediate",
        "mart",
    }
    done = erase(loaded.warehouse, subject_id, SIGNED)
    assert (done.rows, done.held) == (12, 2)
    assert places_of(loaded, subject_id) == []
    assert loaded.rows("select status, raw_sealed is null, count(*) from quarantine.record group by all") == [
        ("withdrawn", True, 2)
    ]
    assert loaded.problems() == []
    assert not published_path(loaded.warehouse).exists()
    assert show(loaded.warehouse, subject_id).is_erased
    other = find(loaded.warehouse, "P2", "north")
    assert {row["kind"]: row["rows"] for row in other.rows} == {"results": 1, "answers": 10, "attributes": 1}


def test_no_load_brings_it_back(loaded) -> None:
    subject_id = find(loaded.warehouse, "P1", "north").subject_id
    erase(loaded.warehouse, subject_id, SIGNED)
    later = loaded.write("later.csv", LABS.replace("310", "311").replace("290", "291"))
    (outcome,) = loaded.ingest(later).files
    # Of P1 the name that nobody recognises is held, as it would be of anyone, but without its original.
    assert (outcome.counts.withdrawn, outcome.counts.held, outcome.counts.accepted) == (3, 1, 1)
    loaded.map(
        'site: north\nfeeds:\n  labs: {files: ["labs.csv"], missing: ["n.d."]}\n  scales: {files: ["scales.csv"]}\n'
    )
    loaded.ingest(is_refresh=True)
    for is_rekeyed in (False, True):
        assert places_of(loaded, subject_id) == []
        assert loaded.rows("select count(*) from quarantine.record where raw_sealed is not null") == [(0,)]
        assert loaded.rows("select count(distinct subject_id) from core.lab_result") == [(1,)]
        assert loaded.problems() == []
        rebuild(loaded.warehouse, load_sites(loaded.folder / "sites"), is_rekeyed=is_rekeyed)
    assert loaded.rows("select count(distinct subject_id) from core.lab_result") == [(1,)]
    assert find(loaded.warehouse, "P1", "north").is_erased


def test_an_erasure_is_signed_and_names_someone(loaded) -> None:
    with pytest.raises(UsageError, match="Nothing is loaded"):
        erase(loaded.warehouse, "nobody", SIGNED)
    with pytest.raises(UsageError, match="who decides"):
        erase(loaded.warehouse, find(loaded.warehouse, "P1", "north").subject_id, Signature("Li", " "))
