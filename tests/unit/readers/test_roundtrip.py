"""What the csv module writes, the reader reads back. Expected values are what was written."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.readers.base import Hints
from etl.readers.delimited import DelimitedReader
from schemas.errors import SourceUnreadable

CELLS = st.text("ab1 ,;\t|\"'\n\ré维", max_size=6)
STYLES = {"minimal": csv.QUOTE_MINIMAL, "all": csv.QUOTE_ALL, "text": csv.QUOTE_NONNUMERIC}


@dataclass(frozen=True)
class Written:
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    delimiter: str
    data: bytes


@st.composite
def written(draw: st.DrawFn) -> Written:
    """A table whose first column is filled (a line without any content is no record)."""
    width = draw(st.integers(1, 4))
    first = st.text("xyz维", min_size=1, max_size=3)
    rows = draw(st.lists(st.tuples(first, *[CELLS] * (width - 1)), max_size=8))
    delimiter = draw(st.sampled_from(",;\t|"))
    columns = tuple(f"c{place}" for place in range(width))
    text = io.StringIO(newline="")
    style = STYLES[draw(st.sampled_from(sorted(STYLES)))]
    csv.writer(text, delimiter=delimiter, quoting=style, lineterminator="\r\n").writerows([columns, *rows])
    data = text.getvalue()
    if draw(st.booleans()):
        data = data.removesuffix("\r\n")
    return Written(columns, rows, delimiter, data.encode())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=written(), block=st.sampled_from([4, 37, 1 << 20]))
def test_every_quoting_style_reads_back(table, block, read):
    hints = Hints(delimiter=table.delimiter, quote='"', header_row=1)
    seen = read(table.data, hints, DelimitedReader(block=block, range=block))
    assert seen.table.columns == table.columns
    assert seen.cells == [tuple(cell or None for cell in row) for row in table.rows]
    assert seen.damage == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=120), block=st.sampled_from([3, 1 << 20]))
def test_any_bytes_are_counted_line_by_line(data, block, read):
    """Lines add up (the fixture checks the identity) and equal what splitting at line ends gives."""
    seen = read(
        b"a,b\n" + data,
        Hints(encoding="latin-1", delimiter=",", quote='"', header_row=1),
        DelimitedReader(block=block),
    )
    assert seen.table.lines == len((b"a,b\n" + data).splitlines())


PIECES = [
    b"a,b,c\n", b"1,x,y\n", b'2,"q",z\n', b'3,"m\nn",z\n', b'3,"m\r\n,""k"",n",z\r\n', b"\n", b",,\n", b"short\n", b"1,2,3,4\n",
    b'"', b"5'11\",x,y\n", b"\r", b"\r\n", b"x,\xff,\xfe\n", b"n,\0,m\n", "女,男,1\n".encode("gbk"), "维生素,ü,c\n".encode(),
    "Müller,ß,c\n".encode("cp1252"), "合计,,\n".encode(), b"Total: 5\n", b"1;2;3\n", b"1,2,3,\n", b"\xef\xbb\xbf", b'1,"x"y,z\n',
    b"  \n", b'7,"open,9\n', b'7,8,"9\n', b'",,\n',
]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=15), block=st.sampled_from([1, 7, 40]))
def test_any_mess_gives_the_same_with_any_block(pieces, block, read):
    """Dialect, encoding and quoting are all found by content; ranges are as small as blocks."""
    data = b"id,name,note\n" + b"".join(pieces)
    try:
        large = read(data)
    except SourceUnreadable as error:
        with pytest.raises(SourceUnreadable, match=re.escape(error.what)):
            read(data, reader=DelimitedReader(block=block, range=block))
        return
    small = read(data, reader=DelimitedReader(block=block, range=block))
    assert large.table.lines == len(data.splitlines())
    assert small.frame.equals(large.frame)
    assert small.damaged.equals(large.damaged)
    assert replace(small.table, ranges=()) == replace(large.table, ranges=())


@pytest.mark.parametrize("quote", ["'", "`"])
def test_another_quote_can_be_declared(quote, read):
    seen = read(f"a,b\n1,{quote}x,y{quote}\n2,z\n".encode(), Hints(quote=quote))
    assert seen.cells == [("1", "x,y"), ("2", "z")]
