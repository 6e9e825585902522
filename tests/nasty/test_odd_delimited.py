"""A folder of odd delimited files, one table: what is in the file, which records come out, what is held and counted.

Expected values were told by eye from the contract: a damaged record ends before the first later line that alone has
the full number of fields and balanced quotes, and every line is a record, a continuation or structure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pytest

from etl.readers.base import ROW, Hints, Source
from etl.readers.delimited import DelimitedReader
from schemas.errors import SourceUnreadable


@dataclass(frozen=True)
class Odd:
    name: str
    data: bytes
    rows: list[int]  # physical lines of the good records
    damage: list[tuple[int, str]] = field(default_factory=list)
    structural: dict[str, int] = field(default_factory=dict)
    continuation: int = 0
    last: tuple[str | None, ...] | None = None  # cells of the last good record


H = b"id,name,note\n"
ODD = [
    Odd("header_only.csv", b"id,name,note\n", []),
    Odd("header_only_no_line_end.csv", b"id,name,note", []),
    Odd("no_line_end.csv", H + b"1,a,b", [2], last=("1", "a", "b")),
    Odd("blank_lines.csv", H + b"1,a,b\n\n \n,,\n2,a,b\n\n", [2, 6], structural={"blank": 4}),
    Odd("carriage_returns.csv", b"id,name,note\r1,a,b\r2,a,c\r", [2, 3], last=("2", "a", "c")),
    Odd("mixed_line_ends.csv", b"id,name,note\r\n1,a,b\n2,a,b\r3,a,c\r\n", [2, 3, 4], last=("3", "a", "c")),
    Odd(
        "doubled_returns.csv",
        b"id,name,note\r\r\n1,a,b\r\r\n",
        [3],
        structural={"blank": 2},
        last=("1", "a", "b"),
    ),
    Odd(
        "quoted_line_ends.csv",
        H + b'1,"a\r\nb\rc\nd",x\n2,a,b\n',
        [2, 6],
        continuation=3,
        last=("2", "a", "b"),
    ),
    Odd("quoted_blank_line.csv", H + b'1,"a\n\nb",x\n', [2], continuation=2, last=("1", "a\n\nb", "x")),
    Odd(
        "quoted_record_inside.csv",
        H + b'1,"see\n2,a,b\nend",x\n',
        [2],
        continuation=2,
        last=("1", "see\n2,a,b\nend", "x"),
    ),
    Odd("long_row.csv", H + b"1,a,b\n2,a,b,c\n3,a,b\n", [2, 4], [(3, "field_count")]),
    Odd("two_long_rows.csv", H + b"1,a,b,c\n2,a,b,c\n3,a,b\n", [4], [(2, "field_count"), (3, "field_count")]),
    Odd(
        "shifted_by_one.csv", H + b"1,a,\n2,,a,\n3,a,\n", [2, 4], [(3, "field_count")], last=("3", "a", None)
    ),
    Odd("broken_by_a_line_end.csv", H + b"1,a\nb,c\n2,a,b\n", [4], [(2, "field_count")], continuation=1),
    Odd("truncated.csv", H + b"1,a,b\n2,a", [2], [(3, "field_count")]),
    Odd("truncated_in_quotes.csv", H + b'1,"a",b\n2,"a', [2], [(3, "quote_damage")]),
    Odd(
        "truncated_double_spaced.csv",
        H + b"\n1,a,b\n\n2,a,b\n\n3",
        [3, 5],
        [(7, "field_count")],
        {"blank": 3},
    ),
    Odd("open_quote.csv", H + b'1,"a,b\n2,a,b\n3,"c",d\n', [3, 4], [(2, "quote_damage")]),
    Odd(
        "open_quote_over_rest.csv",
        H + b'1,"a\nrest\nmore,x\n2,a,b\n',
        [5],
        [(2, "quote_damage")],
        continuation=2,
    ),
    Odd("text_behind_quote.csv", H + b'1,"a"x,b\n2,"a",b\n', [3], [(2, "quote_damage")]),
    Odd("quote_inside.csv", H + b'1,a"b,c\n2,"a",b\n', [3], [(2, "quote_damage")]),
    Odd("quotes_doubled.csv", H + b'1,"a ""b""",""""\n', [2], last=("1", 'a "b"', '"')),
    Odd("quoted_nothing.csv", H + b'"","",""\n1,"",x\n', [2, 3], last=("1", None, "x")),
    Odd("inches.tsv", b"id\theight\n1\t5'11\"\n2\t6'1\" or 6'2\"\n", [2, 3], last=("2", "6'1\" or 6'2\"")),
    Odd("nul_bytes.csv", H + b"1,a\0b,c\n2,a,b\n", [3], [(2, "control_bytes")]),
    Odd("undecodable.csv", H + b"1,a,b\n2,\xff\xfe,b\n3,a,b\n", [2, 4], [(3, "undecodable_line")]),
    Odd(
        "undecodable_in_text.csv",
        H + b'1,"a\n\xff\xfe\nb",c\n2,a,b\n3,a,b\n',
        [5, 6],
        [(2, "undecodable_line")],
        continuation=2,
    ),
    Odd("repeated_header.csv", H + b"1,a,b\n" + H + b"2,a,b\n", [2, 4], structural={"repeated_header": 1}),
    Odd("header_as_text.csv", b"id,name\nid,names\nid,name \n", [2, 3]),
    Odd(
        "totals.csv",
        b"id,name,sum,x\n1,a,b,c\n" + "小计,,1,\n2,a,b,c\n合计：2\n".encode(),
        [2, 4],
        structural={"total": 2},
    ),
    Odd(
        "total_in_german.csv",
        b"Nr;Wert;Text;x\n1;2;x;y\nSumme;2;;\n;Gesamt;;\n",
        [2],
        structural={"total": 2},
    ),
    Odd("total_is_an_item.csv", b"scale,id,value\nTotal,7,12\nTotal bilirubin,8,3\nTotal,9,\n", [2, 3, 4]),
    Odd("total_truncated.csv", b"scale,id,value\nTotal,7,12\nTotal bilirubi", [2], [(3, "field_count")]),
    Odd("footer.csv", H + b"1,a,b\n\nPrinted by LIS\n(1 row)\n", [2], structural={"blank": 1, "footer": 2}),
    Odd("no_footer.csv", H + b"1,a,b\nPrinted by LIS\n", [2], [(3, "field_count")]),
    Odd("blank_in_the_middle.csv", H + b"1,a,b\n\nx\n2,a,b\n", [2, 5], [(4, "field_count")], {"blank": 1}),
    Odd("comment.csv", b"# Author: x\nid;name;note\n1;a;b\n", [3], structural={"preamble": 1}),
    Odd("leading_zeros.csv", b"id\n007\n010\n", [2, 3], last=("010",)),
    Odd("numbers_like_words.csv", H + b"1e5,NaN,NULL\nTRUE,-0,1_000\n", [2, 3], last=("TRUE", "-0", "1_000")),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
@pytest.mark.parametrize("block", [1 << 24, 5])
def test_odd_file(odd: Odd, block: int, tmp_path):
    path = tmp_path / odd.name
    path.write_bytes(odd.data)
    reader, source = DelimitedReader(block=block, range=block), Source(path)
    table = reader.inspect(source, Hints())[0]
    batches = [batch for part in table.ranges for batch in reader.read(source, table, part, table.columns)]
    frame, damaged = (
        pl.concat([each.frame for each in batches]),
        pl.concat([each.damaged for each in batches]),
    )
    assert frame[ROW].to_list() == odd.rows
    assert damaged.select(ROW, "reason").rows() == odd.damage
    expected = {"header": 1} | odd.structural
    assert table.structural == {kind: count for kind, count in expected.items() if count}
    assert (table.records, table.damaged) == (len(odd.rows) + len(odd.damage), len(odd.damage))
    assert table.continuation == odd.continuation
    assert table.lines == len(odd.data.splitlines())
    assert b"\n".join(damaged["raw"]) in odd.data or len(odd.damage) > 1
    if odd.last is not None:
        assert frame.drop(ROW).row(-1) == odd.last


@pytest.mark.parametrize(
    "data",
    [b"", b"\x1f\x8b", b"\xef\xbb\xbf", b"  \n \r\n", b"\n" * 70_000],
    ids=["empty", "cut gzip", "a byte order mark", "spaces", "line ends"],
)
def test_a_file_without_content_is_refused(data, tmp_path):
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(SourceUnreadable):
        DelimitedReader().inspect(Source(tmp_path / "a.csv"), Hints())


def test_an_undecodable_header_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"id,\xff\xfe\n" + b"1,x\n" * 50)
    with pytest.raises(SourceUnreadable, match="line 1"):
        DelimitedReader().inspect(Source(tmp_path / "a.csv"), Hints())
