"""The structure of blocks without quotes, against the lines as Python splits them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl.readers.audit import audit
from etl.readers.head import DELIMITERS


def expected(text: bytes, delimiter: str) -> list[tuple[int, int, int, int]]:
    """Start, end, next start and fields of each line."""
    found, at = [], 0
    for line in text.split(b"\n")[: -1 if text.endswith(b"\n") or not text else None]:
        end = at + len(line)
        found.append((at, end, min(end + 1, len(text)), line.count(delimiter.encode()) + 1))
        at = end + 1
    return found


def shown(text: bytes, delimiter: str, quote: str) -> list[tuple[int, int, int, int]]:
    lines = audit(text, delimiter, quote)
    assert not lines.is_open.any()
    assert not lines.is_misquoted.any()
    return list(
        zip(*(each.tolist() for each in (lines.starts, lines.ends, lines.nexts, lines.fields)), strict=True)
    )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*DELIMITERS, "\n", "a", "µ", "血", " ", "\x00"]), max_size=30).map("".join),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["", '"']),
)
def test_a_block_without_quotes(text: str, delimiter: str, quote: str) -> None:
    block = text.encode()
    assert shown(block, delimiter, quote) == expected(block, delimiter)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*DELIMITERS, "\n", "a", "血"]), max_size=30).map("".join),
    st.sampled_from(DELIMITERS),
)
def test_a_carriage_return_in_front_of_each_line_feed_changes_no_field(text: str, delimiter: str) -> None:
    """The two ways in which a block is looked at agree."""
    block = text.encode()
    plain, other = audit(block, delimiter, '"'), audit(block.replace(b"\n", b"\r\n"), delimiter, '"')
    assert plain.fields.tolist() == other.fields.tolist()
    assert (plain.ends - plain.starts).tolist() == (other.ends - other.starts).tolist()


@pytest.mark.parametrize("block", [b"", b"\n", b"\n\n\n", b"a", b"a\n", b",", b",\n,", b"\n,"], ids=repr)
@pytest.mark.parametrize("delimiter", DELIMITERS, ids=repr)
def test_the_edges_of_a_block(block: bytes, delimiter: str) -> None:
    assert shown(block, delimiter, '"') == expected(block, delimiter)
