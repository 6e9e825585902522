"""Encodings by evidence. Expected texts are written out; bytes come from Python's codecs, an independent source."""

from __future__ import annotations

import pytest

from etl.readers.base import Decision, Hints
from etl.readers.encodings import declared_encoding, utf16_of
from etl.readers.evidence import best_encoding, plausibility
from schemas.errors import DefinitionError, SourceUnreadable


def encoding_of(table) -> Decision:
    return next(each for each in table.decisions if each.about == "encoding")


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("维生素B12,偏低", "gb18030", "gb18030"),
        ("μmol/L", "gb18030", "gb18030"),  # Greek mu is the only character beyond ASCII
        ("山田太郎,ビタミンB12", "cp932", "cp932"),
        ("ﾔﾏﾀﾞ ﾀﾛｳ", "cp932", "cp932"),
        ("Müller, Größe", "cp1252", "cp1252"),
        ("5 µg/dL", "cp1252", "cp1252"),
        ("37 °C – ‘ok’", "cp1252", "cp1252"),
        ("Preis 5 €", "iso-8859-15", "iso-8859-15"),
        ("crème brûlée", "latin-1", "cp1252"),
    ],
)
def test_the_encoding_that_makes_sense_is_found(text, encoding, found):
    assert best_encoding([text.encode(encoding)])[0] == found


@pytest.mark.parametrize("garbled", ["Î¬ÉúËØB12", "缁寸敓绱燘12"])
def test_garbled_vitamin_b12_is_implausible(garbled):
    """Vitamin B12 in Chinese: GBK read as Latin-1, and UTF-8 read as GBK."""
    assert plausibility(garbled) < 0.5 < plausibility("维生素B12")


def test_a_word_for_female_is_not_taken_for_utf8(read):
    """In GBK it is C5 AE, which is also U+016E in UTF-8; all lines beyond ASCII are such."""
    lines = "".join(f"{i},女\n" for i in range(50))
    seen = read(f"id,sex\n{lines}".encode("gbk"))
    assert seen.table.encoding == "gb18030"
    assert set(seen.frame["sex"]) == {"女"}
    mixed = read(f"id,sex\n{lines}x,男\n{lines}".encode("gbk"))
    assert set(mixed.frame["sex"]) == {"女", "男"}


@pytest.mark.parametrize("encoding", ["cp1252", "gb18030"])
def test_a_file_that_mixes_encodings_is_decoded_line_by_line(encoding, read):
    """Most lines in one encoding, some in UTF-8, and the other way round."""
    names = ["Jürgen", "Größe", "Zoë"] if encoding == "cp1252" else ["维生素", "铁蛋白", "叶酸"]
    other = [f"{i},{names[i % 3]}\n".encode(encoding) for i in range(30)]
    utf8 = [f"{i},{names[i % 3]}\n".encode() for i in range(30, 40)]
    expected = [(str(i), names[i % 3]) for i in range(40)]
    seen = read(b"id,name\n" + b"".join(other + utf8))
    assert (seen.table.encoding, seen.cells) == (encoding, expected)
    assert encoding_of(seen.table).evidence["lines_as_utf-8"] == 10
    back = read(b"id,name\n" + b"".join(utf8 * 8 + other))
    assert back.table.encoding == "utf-8"
    assert back.cells == expected[30:] * 8 + expected[:30]
    assert encoding_of(back.table).evidence[f"lines_as_{encoding}"] == 30


def test_the_first_foreign_byte_may_be_far_behind_the_head(read):
    filler = b"".join(b"%06d,%s\n" % (i, b"plain text " * 50) for i in range(1_000))
    seen = read(b"id,name\n" + filler + "x,Müller\n".encode("cp1252"))
    assert seen.table.encoding == "cp1252"
    assert seen.cells[-1] == ("x", "Müller")
    late = read(b"id,name\n1,Zo\xc3\xab\n" + filler + "x,Müller\n".encode("cp1252"))
    assert (late.cells[0], late.cells[-1]) == (("1", "Zoë"), ("x", "Müller"))


def test_the_decision_shows_counts_and_no_cell(read):
    made = encoding_of(read("id,name\n1,Müller\n2,Groß\n".encode("cp1252")).table)
    assert (made.value, made.basis) == ("cp1252", "content")
    assert (made.evidence["lines_not_utf-8"], made.evidence["percent_cp1252"]) == (2, 100)
    assert not any("ller" in str(value) for value in made.evidence.values())
    assert encoding_of(read(b"a,b\n1,2\n").table) == Decision("encoding", "utf-8", "default", {})


def test_a_declared_encoding_wins(read):
    seen = read("id,name\n1,Müller\n".encode("cp1252"), Hints(encoding="cp1250"))
    assert (seen.table.encoding, encoding_of(seen.table).basis) == ("cp1250", "declared")
    assert read("id,name\n1,李娜\n".encode("big5"), Hints(encoding="big5")).cells == [("1", "李娜")]
    assert read("id,name\n1,x\n".encode("utf-16"), Hints(encoding="UTF-16")).cells == [("1", "x")]
    assert read(b"\xef\xbb\xbfid\n1\n", Hints(encoding="utf8")).table.columns == ("id",)


def test_a_declared_encoding_that_fails_is_refused_with_the_place(read):
    good = b"id,name\n" + b"".join(b"%d,plain\n" % i for i in range(20))
    with pytest.raises(SourceUnreadable) as caught:
        read(good + b"20,M\xfcller\n21,Gr\xfc\xdfe\n", Hints(encoding="utf-8"), name="LAB.csv")
    offset = len(good) + len(b"20,M")
    assert caught.value.what == f"LAB.csv is not valid utf-8 (byte 0xfc at offset {offset}, line 22)."
    assert "2 of 23 lines" in caught.value.why
    assert "encoding: cp1252" in caught.value.fix
    assert "ller" not in caught.value.message()


def test_a_few_broken_lines_in_a_declared_encoding_are_damage(read):
    lines = [f"{i},维生素\n".encode() for i in range(300)]
    lines[100] = b"100,\xe7\xbb\n"
    seen = read(b"id,name\n" + b"".join(lines), Hints(encoding="utf-8"))
    assert seen.damage == [(102, "undecodable_line")]
    assert seen.raws == [b"100,\xe7\xbb"]


def test_a_file_in_no_known_encoding_is_refused(read):
    with pytest.raises(SourceUnreadable) as caught:
        read(b"id,name\n" + b"1,\xff\xfe\xff\n" * 10)
    assert "no encoding" in caught.value.what
    assert "encoding:" in caught.value.fix


def test_lone_surrogates_and_half_units_of_utf16_are_damage(read):
    data = (
        "id,name\n1,a\n2,x\n".encode("utf-16-le")
        + b"3\0,\0\x00\xd8\n\0"
        + "4,b\n5,c".encode("utf-16-le")
        + b"\0"
    )
    seen = read(b"\xff\xfe" + data)
    assert seen.damage == [(4, "undecodable_line"), (6, "undecodable_line")]
    assert seen.raws[0] == b"3\0,\0\x00\xd8"
    assert seen.cells == [("1", "a"), ("2", "x"), ("4", "b")]


def test_byte_order_marks_inside_a_joined_file_are_dropped(read):
    part = b"\xef\xbb\xbfid,name\n1,x\n"
    seen = read(part * 2)
    assert seen.cells == [("1", "x")] * 2
    assert seen.table.structural == {"header": 1, "repeated_header": 1}


@pytest.mark.parametrize(
    "name", ["klingon", "utf-7", "utf-32", "iso2022_jp", "hz", "rot13", "cp037", "base64"]
)
def test_an_encoding_whose_lines_cannot_be_told_apart_is_refused(name):
    with pytest.raises(DefinitionError, match=name):
        declared_encoding(name)


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("a,b\n".encode("utf-16-le"), "utf-16-le"),
        ("编号,姓名\r\n001,王芳\r\n".encode("utf-16-be"), "utf-16-be"),
        (b"\xff\xfea\0", "utf-16-le"),
        (b"a,b\n1,\0\n", None),
        (b"a,b\n", None),
    ],
)
def test_utf16_is_told_by_mark_or_zeros(head, found):
    assert utf16_of(head) == found
