"""The reader on whole files. Expected values are written out by hand, or come from files that others wrote."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zipfile
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from etl.readers import detect
from etl.readers.archive import members
from etl.readers.base import ROW, Hints, Range, Source
from etl.readers.delimited import DelimitedReader
from schemas.errors import SourceUnreadable

SHARED = Path(__file__).parents[4] / "shared" / "data" / "tabular"
SPECTRUM = sorted((SHARED / "csv-spectrum" / "csvs").glob("*.csv"))
FRICTIONLESS = sorted((SHARED / "frictionless").glob("*.csv"))
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data folder is absent")


@needs_shared
@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
def test_csv_spectrum_reads_as_its_answers_say(path, read):
    data = path.read_bytes()
    answer = json.loads((path.parents[1] / "json" / f"{path.stem}.json").read_text("utf-8"))
    if path.stem.endswith("_crlf"):  # the copies were stored with LF; their answers have CR LF
        data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if path.stem == "location_coordinates":  # the answer's telephone number is not the file's
        answer["Contact Phone Number"] = "2095257564"
    seen = read(data)
    got = [{name: cell or "" for name, cell in row.items()} for row in seen.frame.drop(ROW).rows(named=True)]
    assert got == (answer if isinstance(answer, list) else [answer])
    assert seen.damage == []


@needs_shared
@pytest.mark.parametrize("path", FRICTIONLESS, ids=lambda path: path.stem)
def test_frictionless_files_are_read_to_the_last_line(path, read):
    assert read(path.read_bytes()).table.lines == len(path.read_bytes().splitlines())


@needs_shared
def test_original_laboratory_results_match_the_csv_module():
    path = SHARED.parent / "cdisc" / "pilot" / "lb_original.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        expected = list(csv.reader(file))
    reader, source = DelimitedReader(), Source(path)
    table = reader.inspect(source, Hints())[0]
    frame = pl.concat([batch.frame for batch in reader.read(source, table, table.ranges[0], table.columns)])
    assert table.columns == tuple(expected[0])
    assert frame.drop(ROW).fill_null("").rows() == [tuple(row) for row in expected[1:]]
    assert frame[ROW].to_list() == list(range(2, len(expected) + 1))


def large_file() -> bytes:
    lines = ["id,name,value,note"] + [f"{i:06d},Müller {i},{i / 10},维生素" for i in range(1, 100_001)]
    data = [line.encode() for line in lines]
    data[20_000] = b'020000,"M,1,x'  # opens a quote that nothing closes
    data[40_000] = b"040000,short"
    data[60_000] = b"060000,long,1,,x"
    data[80_000] = b"080000,bad \xff\xfe,1,x"
    return b"\n".join(data) + b"\n"


@pytest.mark.parametrize("block", [1 << 24, 1 << 17])
def test_a_large_file_loses_only_its_four_damaged_records(read, block):
    seen = read(large_file(), reader=DelimitedReader(block=block, range=1 << 18))
    assert seen.table.records == 100_000
    assert seen.frame.height == 99_996
    assert seen.damage == [
        (20_001, "quote_damage"),
        (40_001, "field_count"),
        (60_001, "field_count"),
        (80_001, "undecodable_line"),
    ]
    assert seen.raws[3] == b"080000,bad \xff\xfe,1,x"
    assert seen.frame.filter(pl.col(ROW) == 100_001).rows() == [
        ("100000", "Müller 100000", "10000.0", "维生素", 100_001)
    ]


TABLE = [
    ["Nr", "Name", "Größe", "Text"],
    ["007", "Jürgen", "1,5", "ein; Satz, und | mehr\tdavon"],
    ["008", "Zoë", "", 'er sagte "ja"'],
    ["009", "", "3,0", "zwei\nZeilen"],
]
CHINESE = [
    ["编号", "姓名", "项目", "备注"],
    ["001", "王芳", "维生素B12", "偏低；复查, 是|否"],
    ["002", "李娜", "", "铁蛋白\n正常"],
]
JAPANESE = [
    ["番号", "氏名", "項目", "備考"],
    ["001", "山田", "ビタミンB12", "フェリチン, 正常"],
    ["002", "佐藤", "", "総鉄結合能\n低い"],
]
ENCODED = [
    *(
        (TABLE, name)
        for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "iso-8859-1")
    ),
    *((TABLE, name) for name in ("iso-8859-15",)),
    *(
        (CHINESE, name)
        for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk")
    ),
    *((JAPANESE, name) for name in ("utf-8", "utf-16", "cp932")),
]


@pytest.mark.parametrize(
    ("table", "encoding"), ENCODED, ids=lambda each: each if isinstance(each, str) else each[0][0]
)
def test_the_same_table_in_every_dialect_gives_the_same_frame(table, encoding, read):
    expected = [tuple(cell or None for cell in row) for row in table[1:]]
    for delimiter, end in product(",;\t|", ("\n", "\r\n", "\r")):
        text = io.StringIO(newline="")
        style = csv.QUOTE_ALL if end == "\r" else csv.QUOTE_MINIMAL  # which forgets to quote an LF inside
        csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=style).writerows(table)
        seen = read(text.getvalue().encode(encoding))
        assert seen.table.columns == tuple(table[0]), (delimiter, end)
        assert seen.cells == expected, (delimiter, end)
        assert seen.damage == []


def test_cells_keep_zeros_spaces_and_quotes_that_are_text(read):
    seen = read(b"id,a\n007, x \n010,\n")
    assert seen.cells == [("007", " x "), ("010", None)]
    tabbed = read(b"id\theight\n1\t5'11\"\n2\t6'0\"\n")
    assert tabbed.cells == [("1", "5'11\""), ("2", "6'0\"")]
    assert tabbed.table.options["quote"] == ""


def test_quoting_is_decided_where_the_first_quote_stands(read):
    """The head shows no quote; far behind it, one file quotes and the other writes inches."""
    filler = b"".join(b"%d,%s\n" % (i, b"plain " * 50) for i in range(1_000))
    quoted = read(b"id,text\n" + filler + b'x,"a,b"\n')
    assert (quoted.cells[-1], quoted.damage) == (("x", "a,b"), [])
    plain = read(b"id,text\n" + filler + b"x,5'11\" tall\n")
    assert (plain.cells[-1], plain.damage) == (("x", "5'11\" tall"), [])


NASTY_BLOCK = (
    b'Report of 2021\n\nid,name,note\n1,a,plain\n2,b,"two\r\nlines, ""quoted"""\n3,c\nrest of three\n\n4,d,"open\n5,e,x\r6,f,y\r\n'
    b'id,name,note\n7,g,"text\nof three\nlines"\n8,h,long,er\n9,\xff\xfe,x\n10,j\0,x\n,,\n11,"k"x,y\n12,l,"z"\n'
    + "13,Größe,é\n14,n,".encode()
    + b'"never closed\n'
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16, 33, 64, 100])
def test_block_boundaries_change_nothing(size, read):
    large = read(NASTY_BLOCK)
    small = read(NASTY_BLOCK, reader=DelimitedReader(block=size, range=2 * size))
    assert len(small.table.ranges) > 1
    assert_frame_equal(small.frame, large.frame)
    assert_frame_equal(small.damaged, large.damaged)
    assert (small.table.structural, small.table.continuation) == (
        large.table.structural,
        large.table.continuation,
    )
    assert small.table.sha256 == hashlib.sha256(NASTY_BLOCK).hexdigest()


def test_the_nasty_block_reads_as_counted_by_hand(read):
    seen = read(NASTY_BLOCK)
    assert seen.rows == [4, 5, 11, 12, 14, 22, 23]
    assert seen.cells[1] == ("2", "b", 'two\r\nlines, "quoted"')
    assert seen.cells[4] == ("7", "g", "text\nof three\nlines")
    assert seen.damage == [
        (7, "field_count"),  # with the short line behind it
        (10, "quote_damage"),
        (17, "field_count"),
        (18, "undecodable_line"),
        (19, "control_bytes"),
        (21, "quote_damage"),
        (24, "quote_damage"),
    ]
    assert seen.raws[0] == b"3,c\nrest of three"
    assert seen.table.structural == {"blank": 3, "preamble": 1, "header": 1, "repeated_header": 1}
    assert (seen.table.lines, seen.table.records, seen.table.continuation) == (24, 14, 4)


def test_every_range_can_be_read_by_itself(read, tmp_path):
    data = b"id,text\n" + b"".join(b'%d,"a\nb"\n' % i for i in range(1000))
    reader = DelimitedReader(block=512, range=2048)
    seen = read(data, reader=reader)
    ranges = seen.table.ranges
    assert len(ranges) > 4
    assert [each.end for each in ranges[:-1]] == [each.start for each in ranges[1:]]
    assert max(each.end - each.start for each in ranges) <= 2048
    third = pl.concat(
        [b.frame for b in reader.read(Source(tmp_path / "a.csv"), seen.table, ranges[2], ["text", "id"])]
    )
    before = data[: ranges[2].start]
    assert before.endswith(b'b"\n')
    assert ranges[2].first_row == before.count(b"\n") + 1
    assert third.row(0) == ("a\nb", str(before.count(b'b"')), ranges[2].first_row)


def test_archives_are_one_range_and_read_the_same(read, tmp_path):
    data = b"id,text\n" + b"".join(b"%d,x%d\n" % (i, i) for i in range(500))
    plain = read(data, reader=DelimitedReader(block=256, range=512))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/a.csv", data)
        archive.writestr("inner/b.csv.gz", gzip.compress(data))
    reader = DelimitedReader(block=256, range=512)
    for source in (Source(tmp_path / "a.csv.gz"), *members(tmp_path / "a.zip")):
        table = reader.inspect(source, Hints())[0]
        assert table.ranges == (Range(0, len(data), 1),)
        assert table.sha256 == plain.table.sha256
        frame = pl.concat(
            [batch.frame for batch in reader.read(source, table, table.ranges[0], table.columns)]
        )
        assert_frame_equal(frame, plain.frame)


def test_inspection_shows_the_wanted_columns_while_it_reads(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'id,date,value\n1,01.02.2021,\n2,bad\n3,"13.02.2021",5\n')
    shown: list[pl.DataFrame] = []
    asked: list[tuple[str, ...]] = []

    def observe(columns):
        asked.append(columns)
        return ["value", "date"], shown.append

    DelimitedReader(block=8).inspect(Source(path), Hints(), observe)
    assert asked == [("id", "date", "value")]
    expected = pl.DataFrame({"value": [None, "5"], "date": ["01.02.2021", "13.02.2021"], ROW: [2, 4]})
    assert_frame_equal(pl.concat(shown), expected)
    DelimitedReader().inspect(Source(path), Hints(), lambda _columns: None)
    assert len(asked) == 1


def test_cells_are_named_by_row_and_column(read):
    seen = read(b"id,a,b\n1,2,3\n4,5,6\n")
    named = seen.frame.select(DelimitedReader().locate(seen.table, "b").alias("at"))
    assert named["at"].to_list() == ["L2/C3", "L3/C3"]
    assert read(b"id,a\n1\n2,3\n").damaged["locator"].to_list() == ["L2"]


@pytest.mark.parametrize(
    ("name", "head", "is_ours"),
    [
        ("a.csv", b"id;x\n", True),
        ("a.TXT", b"value\n1\n", True),
        ("export", b"id\tname\n1\tx\n", True),
        ("export", "id\tname\n".encode("utf-16"), True),
        ("a.csv.gz", b"one column\n", True),
        ("notes", b"just words\n", False),
        ("a.csv", b"PK\x03\x04rest", False),
        ("a.txt", b"MSH|^~\\&|LAB\r", False),
        ("a.csv", bytes(range(256)) * 8, False),
        ("a.json", b'{"a": 1, "b": 2}', False),
        ("a.csv", b"\n <html><table><tr><td>a,b", False),
    ],
)
def test_a_file_is_recognised_by_content(name, head, is_ours):
    assert DelimitedReader().recognises(name, head) is is_ours


def test_detect_finds_the_reader_of_a_file(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "noise.bin").write_bytes(bytes(range(256)) * 100)
    found = detect(Source(tmp_path / "a.csv"))
    assert found is not None
    assert found.name == "delimited"
    assert detect(Source(tmp_path / "noise.bin")) is None


def test_an_endless_line_is_refused_and_a_very_long_one_held(read, monkeypatch):
    monkeypatch.setattr("etl.readers.blocks.LONGEST_LINE", 1 << 16)
    with pytest.raises(SourceUnreadable, match="not a table in lines"):
        read(b"a,b\n" + b"x" * (1 << 20), reader=DelimitedReader(block=1 << 12))
    monkeypatch.setattr("etl.readers.scan.LONGEST_RECORD", 1000)
    seen = read(b"a,b\n1,2\n3," + b"x" * 2000 + b"\n5,6\n")
    assert seen.damage == [(3, "line_too_long")]
    assert seen.rows == [2, 4]


def test_a_stray_quote_cannot_swallow_the_file(read, monkeypatch):
    """Two stray quotes far apart would make one well-formed record of everything between them."""
    lines = [b"%d,x,y" % i for i in range(1, 201)]
    lines[9], lines[149] = b'10,x,"y', b'150,x,y"'
    quoted = b'a,"b","c"\n'  # a quoted header and a record that settle the dialect
    seen = read(quoted + b"\n".join(lines) + b"\n")
    assert seen.damage == [(11, "quote_damage"), (151, "quote_damage")]
    assert seen.frame.height == 198
