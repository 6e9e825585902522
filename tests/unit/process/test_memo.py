"""The memo: each row gets the answer of its own key, however keys are spread over batches and whatever was forgotten."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.process.identity import content
from etl.process.memo import Memo

_CELLS = st.sampled_from([None, "", "a", "b", " b"])
_ROWS = st.lists(st.tuples(_CELLS, _CELLS, st.sampled_from([None, 1, 2])), max_size=12)
SCHEMA = {"one": pl.String, "two": pl.String, "three": pl.Int32}
KEY = content(["one", "two", pl.col("three").cast(pl.String)])


def joined(row: tuple[str | None, str | None, int | None]) -> str:
    """The text that stands for a row; an empty cell and none are the same."""
    return "|".join("" if cell is None else str(cell) for cell in row)


def by_key() -> Memo:
    return Memo(
        "key", lambda rows: rows.select("key", pl.col("key").str.replace_all("\x1f", "|").alias("said"))
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROWS, min_size=1, max_size=4))
def test_rows_are_numbered_by_what_they_combine(
    batches: list[list[tuple[str | None, str | None, int | None]]],
) -> None:
    grouped, plain = by_key(), by_key()
    numbers: dict[str, int] = {}
    for batch in batches:
        frame = pl.DataFrame(batch, schema=SCHEMA, orient="row")
        found = grouped.number_by(frame, ["one", "two", "three"], KEY)
        assert found.drop("answer").equals(frame)
        said = [joined(row) for row in batch]
        for text, number in zip(said, found["answer"], strict=True):
            assert numbers.setdefault(text, number) == number
        assert grouped.answer(found)["said"].to_list() == said
        assert plain.attach(frame.with_columns(KEY.alias("key")))["said"].to_list() == said
    assert sorted(numbers.values()) == list(range(len(numbers)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([None, "", *"abcdefgh"]), max_size=9), min_size=1, max_size=8),
    st.sampled_from([1, 2, 3, None]),
)
def test_what_was_forgotten_is_learnt_again(batches: list[list[str | None]], capacity: int | None) -> None:
    memo = Memo("key", lambda rows: rows.select("key", pl.col("key").alias("said")), capacity)
    for batch in batches:
        frame = pl.DataFrame({"key": batch}, schema={"key": pl.String})
        found = memo.attach(frame)["said"].to_list()
        assert found == batch


def test_an_answer_that_is_lost_is_no_answer_of_another_key() -> None:
    memo = Memo("key", lambda rows: rows.filter(pl.col("key") != "b").with_columns(pl.lit(1).alias("found")))
    assert memo.attach(pl.DataFrame({"key": ["a", "b", "c"]}))["found"].to_list() == [1, None, 1]


def test_nothing_is_answered_before_anything_was_asked() -> None:
    with pytest.raises(RuntimeError, match="no frame"):
        by_key().answers()
