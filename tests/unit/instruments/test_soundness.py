"""A shipped definition with one thing changed is refused, and the reason names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import DefinitionError
from schemas.instruments import load_instrument, load_instruments

FOLDER = Path(__file__).parents[3] / "schemas" / "instruments"
CHANGES = [
    ("irls", 'items = ["1-10"]', 'items = ["1-10", "3"]', "item '3' stands twice"),
    ("irls", 'terms = ["5", "9", "10"]', 'terms = ["5", "9", "9"]', "term '9' stands twice"),
    ("irls", 'id = "impact"', 'id = "symptoms"', "scale 'symptoms' stands twice"),
    ("irls", 'id = "irls_never_but_symptoms"', 'id = "irls_relief_without_symptoms"', "stands twice"),
    ("hama", 'profile = "western"', 'profile = "chinese"', "band profile 'chinese/total' stands twice"),
    ("sds", 'reversed = ["2",', 'reversed = ["2", "2",', "reversed item '2' stands twice"),
    ("hamd", '16 = { 3 = "not_done" }', '16 = { 2 = "not_done" }', "2 is an answer"),
    ("hamd", "high = 76", "high = 75", "its terms give 0-76"),
    ("phq9", '"nearly every day" = 3', '"nearly every day" = 4', "counts 4"),
    ("phq9", "max_missing = 2", "max_missing = 9", "all of its terms may be missing"),
    ("phq9", 'DPQ020 = "2"', 'DPQ020 = "22"', "unknown '22'"),
    ("gad7", 'version = "gad_7"', 'version = "gad_8"', "unknown version 'gad_8'"),
    ("psqi", 'zero_if_missing = ["5j"]', 'zero_if_missing = ["5k"]', "'5k' is none of its terms"),
    ("psqi", '{ 5j = "5j_text" }', '{ 5j = "5j_tex" }', "no such item: 5j_tex"),
    ("psqi", "cuts = [15, 30, 60]", "cuts = [30, 15, 60]", "its cuts do not rise"),
    ("psqi", '1 = "clock"\n', "", "needs two items of kind clock"),
    ("psqi", 'quality = "6"', 'quality = "66"', "uses '66' before it is defined"),
    ("psqi", 'terms = ["4"]', 'terms = ["1"]', "adds a time of day"),
    ("irls", 'title = "IRLS, ten items"', 'title = "x"\nneeds_declaration = true', "needs no declaration"),
]


@pytest.mark.parametrize(("name", "old", "new", "told"), CHANGES, ids=[told for *_, told in CHANGES])
def test_a_changed_definition_is_refused_and_says_why(tmp_path, name, old, new, told) -> None:
    text = (FOLDER / f"{name}.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefinitionError) as problem:
        load_instrument(path)
    assert told in problem.value.why


@pytest.mark.parametrize(
    ("old", "told"), [("", "instrument 'irls' stands twice"), ('id = "irls"', "version 'irls_10'")]
)
def test_two_definitions_that_claim_the_same_are_refused(tmp_path, old, told) -> None:
    text = (FOLDER / "irls.toml").read_text("utf-8")
    (tmp_path / "irls.toml").write_text(text, encoding="utf-8")
    (tmp_path / "copy.toml").write_text(
        text.replace(old, 'id = "other"', 1) if old else text, encoding="utf-8"
    )
    with pytest.raises(DefinitionError) as problem:
        load_instruments(tmp_path)
    assert told in problem.value.why
