"""A rebuilt warehouse holds what the old one held; expected states are those of the old one, read before."""

from __future__ import annotations

import shutil

import duckdb
import pytest

from etl import rebuild as module
from etl.demo.build import generate
from etl.ingest import IngestOptions, ingest
from etl.quarantine import waive
from etl.rebuild import rebuild
from etl.sites.mapping import load_sites
from schemas.errors import ReconciliationError, SourceUnreadable, UsageError, WarehouseDamaged

HELD = "select status, reasons, count(*) from quarantine.record group by all order by all"
CELLS = """
    select
        file.sha256, lab.row_number, lab.locator, lab.subject_id, lab.analyte, lab.value, lab.unit, lab.collected_at, lab.row_state
    from core.lab_result as lab inner join meta.source_file as file using (file_id) order by all
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo's three hospitals, loaded; one held and one accepted record are waived."""
    folder = tmp_path_factory.mktemp("demo")
    generate(folder)
    sites = load_sites(folder / "sites")
    for name in (path.name for path in (folder / "exports").iterdir()):
        report = ingest([str(folder / "exports" / name)], folder / "w.duckdb", IngestOptions(name, sites))
        assert report.exit_code() == 0
    with duckdb.connect(folder / "w.duckdb", read_only=True) as connection:
        (held,) = connection.execute("select record_id::varchar from quarantine.record limit 1").fetchall()[0]
    waive(folder / "w.duckdb", [held], "Li", "asked")
    return folder


@pytest.fixture
def loaded(demo, place):
    """A place with the demo's exports and a copy of its warehouse."""
    for path in demo.iterdir():
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, place.folder / path.name, **({"dirs_exist_ok": True} if path.is_dir() else {}))
    return place


def remade(place, **options):
    return rebuild(place.warehouse, load_sites(place.folder / "sites"), **options)


def names(place) -> set[str]:
    return {path.name for path in place.folder.iterdir()}


def test_a_rebuild_holds_the_same_with_its_decisions_and_its_ledger(loaded) -> None:
    before, held, cells, there = loaded.digest(), loaded.rows(HELD), loaded.rows(CELLS), names(loaded)
    entries = loaded.rows("select hash from meta.decision")
    done = remade(loaded)
    assert done.digest == before == loaded.digest()
    assert loaded.rows(HELD) == held
    assert ("waived",) in {row[:1] for row in held}
    assert loaded.rows(CELLS) == cells
    assert loaded.rows("select hash from meta.decision") == entries
    assert loaded.problems() == []
    assert names(loaded) == there
    lines = (loaded.folder / "w.duckdb.ledger.jsonl").read_text().splitlines()
    known = loaded.rows(
        "select count(*) from (select hash from meta.run union all select hash from meta.decision)"
    )
    assert known == [(len(lines),)]


def test_under_a_new_key_every_id_changes_and_nothing_else(loaded) -> None:
    held, cells = loaded.rows(HELD), loaded.rows(CELLS)
    old_key = (loaded.folder / "w.duckdb.key").read_bytes()
    done = remade(loaded, is_rekeyed=True)
    assert (done.translated, done.untranslated) == (1, 0)
    after = loaded.rows(CELLS)
    assert [row[:3] + row[4:] for row in after] == [row[:3] + row[4:] for row in cells]
    pairs = {(old[3], new[3]) for old, new in zip(cells, after, strict=True)}
    assert len(pairs) == len({old for old, _ in pairs}) == len({new for _, new in pairs}) > 100
    assert not {old for old, _ in pairs} & {new for _, new in pairs}
    assert loaded.rows(HELD) == held
    assert loaded.problems() == []
    assert done.old_key is not None
    assert (loaded.folder / done.old_key).read_bytes() == old_key
    assert (loaded.folder / "w.duckdb.key").read_bytes() != old_key
    assert (loaded.folder / "w.duckdb.key").stat().st_mode & 0o777 == 0o600
    # The decision binds the record under its new name: the file is loaded again and the record stays out.
    loaded_again = remade(loaded)
    assert loaded_again.digest == done.digest
    (loaded.folder / "w.duckdb.key").write_bytes(old_key)
    with pytest.raises(WarehouseDamaged, match="not the key"):
        remade(loaded)


def test_a_missing_file_is_named_by_its_content_and_found_elsewhere(demo, loaded) -> None:
    before, there = loaded.warehouse.read_bytes(), names(loaded)
    (sha256,) = loaded.rows(
        "select sha256[:12] from meta.source_file where site = 'yuhe' and feed = 'scales'"
    )[0]
    moved = loaded.folder / "elsewhere"
    (demo / "exports" / "yuhe").rename(moved)
    try:
        with pytest.raises(SourceUnreadable, match=f"3 of 10 source files.*yuhe/scales {sha256}"):
            remade(loaded)
        assert loaded.warehouse.read_bytes() == before
        assert names(loaded) == there | {"elsewhere"}
        digest = loaded.digest()
        assert remade(loaded, sources=[moved]).digest == digest
    finally:
        moved.rename(demo / "exports" / "yuhe")


def test_a_changed_mapping_is_refreshed_first(loaded) -> None:
    mapping = next((loaded.folder / "sites").glob("yuhe*"))
    mapping.write_text(mapping.read_text("utf-8").replace("feeds:", 'missing: ["-77"]\nfeeds:', 1), "utf-8")
    with pytest.raises(UsageError, match="yuhe/"):
        remade(loaded)


def test_what_differs_is_not_put_in_place(loaded) -> None:
    with duckdb.connect(loaded.warehouse) as connection:
        connection.execute("update core.lab_row set value = value + 1 where row_number = 2")
    before, there = loaded.warehouse.read_bytes(), names(loaded)
    with pytest.raises(ReconciliationError, match="the content digest"):
        remade(loaded)
    assert loaded.warehouse.read_bytes() == before
    assert names(loaded) == there


def test_an_interrupted_rebuild_leaves_nothing_behind(loaded, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before, there = loaded.warehouse.read_bytes(), names(loaded)
    monkeypatch.setattr(module, "_compare", interrupt)
    with pytest.raises(KeyboardInterrupt):
        remade(loaded, is_rekeyed=True)
    assert loaded.warehouse.read_bytes() == before
    assert names(loaded) == there
