"""Numbers of subjects: each is handed out once, and leads to the id of its rows, also after the memo forgot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.harmonize.identifiers import subject_ids
from etl.process import subjects as module
from etl.process.memo import Memo
from etl.process.subjects import SubjectIds
from warehouse.keys import Keys

KEYS = Keys(b"k" * 32)
_TEXTS = st.sampled_from([None, "", "1", "1 ", "１", "01", "2", "3", "4", "5", "6", "4.1E+17"])
_SITES = st.sampled_from([None, "east", "west"])
_BATCHES = st.lists(st.tuples(st.booleans(), st.lists(st.tuples(_TEXTS, _SITES), max_size=6)), max_size=7)


def ids(texts: list[str | None], spaces: list[str]) -> list[str | None]:
    found = subject_ids(pl.Series(texts, dtype=pl.String), KEYS.pseudonym, pl.Series(spaces, dtype=pl.String))
    return found["subject_id"].to_list()


def subjects_of(*, has_site: bool, erased: tuple[str, ...] = ()) -> SubjectIds:
    roles = {"subject": "id"} | ({"source_site": "hospital"} if has_site else {})
    plan: Any = SimpleNamespace(
        resolution=SimpleNamespace(roles=roles, constants={}), issuer=None, site="north", id_type="local"
    )
    return SubjectIds(plan, KEYS, erased)


@pytest.mark.parametrize("has_site", [False, True])
@pytest.mark.parametrize("capacity", [1, 2, 4, 1_000_000])
def test_every_number_is_handed_out_once_and_is_the_row_s_subject(capacity: int, has_site: bool) -> None:
    """A batch may also be attached only, as attributes are; those numbers are handed out with the next results."""

    @settings(max_examples=15, deadline=None)
    @given(_BATCHES)
    def check(batches: list[tuple[bool, list[tuple[str | None, str | None]]]]) -> None:
        erased = (ids(["6"], ["east" if has_site else "north"])[0] or "",)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "Memo", lambda key, compute: Memo(key, compute, capacity))
            subjects = subjects_of(has_site=has_site, erased=erased)
        handed: dict[int, str] = {}
        hashes: dict[str, int] = {}
        for is_numbered, batch in batches:
            frame = pl.DataFrame(
                batch, schema={"subject_text": pl.String, "source_site_text": pl.String}, orient="row"
            )
            spaces = [(site or "north") if has_site else "north" for _, site in batch]
            expected = ids([text for text, _ in batch], spaces)
            if not is_numbered:
                assert subjects.attach(frame)["subject_id"].to_list() == expected
                continue
            found = subjects.number(frame, with_ids=True)
            assert found["subject_id"].to_list() == expected
            assert found["reason_subject"].is_null().to_list() == [each is not None for each in expected]
            if found.is_empty():
                continue
            for number, subject_id in subjects.fresh().iter_rows():
                assert number not in handed
                handed[number] = subject_id
            for number, subject_id, hashed in zip(
                found["subject"], expected, found["subject_hash"], strict=True
            ):
                if subject_id is not None:
                    assert handed.get(number) == (None if subject_id in erased else subject_id)
                    assert hashes.setdefault(subject_id, hashed) == hashed
        assert len(set(hashes.values())) == len(hashes)

    check()


def test_nothing_is_handed_out_twice() -> None:
    subjects = subjects_of(has_site=False)
    subjects.number(pl.DataFrame({"subject_text": ["1", "2"]}), with_ids=False)
    assert subjects.fresh().height == 2
    assert subjects.fresh().height == 0
    subjects.number(pl.DataFrame({"subject_text": ["2", "3"]}), with_ids=False)
    assert subjects.fresh()["subject_id"].to_list() == ids(["3"], ["north"])
