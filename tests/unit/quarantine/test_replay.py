"""Replay finds the files of open records by what they hold, wherever they are now."""

from __future__ import annotations

import shutil

import pytest

from etl.replay import replay
from etl.sites.mapping import load_sites
from warehouse.quarantine import Chosen

SETTLED = "site: north\nfeeds:\n  labs:\n    files: '*lab_*.csv'\n    units: {vitamin_b12: pg/mL}\n"


def replayed(place, *sources, **chosen):
    return replay(place.warehouse, load_sites(place.folder / "sites"), Chosen(**chosen), sources)


def test_a_file_that_was_moved_is_looked_for_by_its_hash(held) -> None:
    held.map(SETTLED)
    away = held.folder / "away"
    away.mkdir()
    shutil.move(held.folder / "lab_1.csv", away / "renamed_lab_1.csv")
    lost = replayed(held)
    assert (lost.exit_code(), lost.files, lost.before, lost.after) == (3, [], 3, 3)
    ((sha256,),) = held.rows("select sha256 from meta.source_file")
    (error,) = lost.errors()
    assert sha256 in error.message()
    assert "lab_1" not in error.message()
    found = replayed(held, away)
    assert [outcome.status for outcome in found.files] == ["refreshed"]
    assert (found.exit_code(), found.before, found.after) == (0, 3, 2)
    assert held.problems() == []


def test_another_file_at_the_same_path_is_not_taken_for_it(held) -> None:
    held.map(SETTLED)
    held.write("lab_1.csv", "subject_id,test,result,unit,collected\nP9,Ferritin,30,ng/mL,2021-03-05\n")
    assert len(replayed(held).missing) == 1
    assert held.rows("select count(*) from meta.load") == [(1,)]


@pytest.mark.parametrize(
    ("chosen", "files"), [({"site": "south"}, 0), ({"feed": "labs"}, 1), ({"reason": "bad_date"}, 0)]
)
def test_only_files_with_the_records_that_are_meant_are_read_again(held, chosen, files) -> None:
    held.map(SETTLED)
    assert len(replayed(held, **chosen).files) == files


def test_a_replay_under_the_same_plan_changes_nothing(held) -> None:
    before = held.digest()
    done = replayed(held)
    assert [outcome.status for outcome in done.files] == ["unchanged"]
    assert held.digest() == before
