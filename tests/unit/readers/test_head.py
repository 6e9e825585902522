"""Dialect and header by evidence. The files are small enough to tell by eye what is right."""

from __future__ import annotations

import pytest

from etl.readers.base import Hints
from etl.readers.layout import unique_names
from schemas.errors import DefinitionError, SourceUnreadable


def decisions(seen) -> dict[str, tuple[str | None, str]]:
    return {each.about: (each.value, each.basis) for each in seen.table.decisions}


@pytest.mark.parametrize(
    ("text", "delimiter", "columns"),
    [
        ("id,name\n1,x\n", ",", ("id", "name")),
        ("id;wert\n1;1,5\n2;2,5\n", ";", ("id", "wert")),  # decimal commas are as regular as semicolons
        ("id;a;b\n1;1,5;2,5\n2;1,5;2,5\n", ";", ("id", "a", "b")),
        ("id\tname\n1\tlast, first\n2\tlast, first\n", "\t", ("id", "name")),
        ("id|text\n1|a;b;c\n2|x, y\n", "|", ("id", "text")),
        ("value\n01\n002\n", "\x1f", ("value",)),
        ("remark\nyes, it is\nno\nno\nmaybe\n", "\x1f", ("remark",)),
        ('id,text\n1,"a;b"\n2,"c;d;e"\n', ",", ("id", "text")),
        ("id,name\n", ",", ("id", "name")),
    ],
)
def test_the_delimiter_that_makes_a_table_is_found(text, delimiter, columns, read):
    seen = read(text.encode())
    assert seen.table.options["delimiter"] == delimiter
    assert seen.table.columns == columns
    assert seen.damage == []


@pytest.mark.parametrize(
    ("text", "header_row", "structural"),
    [
        ("id,name\n1,x\n", 1, {"header": 1}),
        (
            "Hospital North\nLIS, 2021\n\nid,name,unit\n1,x,y\n2,x,y\n",
            4,
            {"preamble": 2, "blank": 1, "header": 1},
        ),
        (
            "Report,,\n,,\nid,name,unit\n1,x,y\n",
            3,
            {"preamble": 1, "blank": 1, "header": 1},
        ),  # padded by a spreadsheet
        ("2021-03-05,1,2\nid,name,unit\n1,x,3\n2,y,4\n", 2, {"preamble": 1, "header": 1}),
        ("id,100022,100025\nid1,TRUE,TRUE\nid2,FALSE,TRUE\n", 1, {"header": 1}),  # codes as names
        ("id,name,,unit\n1,x\n2,y\n", 1, {"header": 1}),  # every record too short, but no other header
        ('"id","long\nname"\n1,2\n', 1, {"header": 2}),
    ],
)
def test_the_header_is_found_behind_a_preamble(text, header_row, structural, read):
    seen = read(text.encode())
    assert seen.table.options["header_row"] == header_row
    assert seen.table.structural == structural


def test_a_declared_header_row_wins(read):
    text = b"a,b\nid,name\n1,x\n"
    assert read(text, Hints(header_row=2)).table.columns == ("id", "name")
    with pytest.raises(SourceUnreadable, match="no header in line 9"):
        read(text, Hints(header_row=9))


def test_a_file_without_a_header_is_declared_so(read):
    seen = read(b"1,x\n2,y\n", Hints(has_header=False))
    assert seen.table.columns == ("column_1", "column_2")
    assert (seen.cells, seen.rows) == ([("1", "x"), ("2", "y")], [1, 2])


@pytest.mark.parametrize(
    ("text", "columns", "cells", "damage"),
    [
        ("a;b;\n1;2;\n3;4;\n", ("a", "b"), [("1", "2"), ("3", "4")], []),
        ("a,b\n1,2,\n3,4,\n", ("a", "b"), [("1", "2"), ("3", "4")], []),
        ("a;b;\n1;2;\n3;4;5\n", ("a", "b", "column_3"), [("1", "2", None), ("3", "4", "5")], []),
        ("a,b,\n" + "1,2,\n" * 9 + "3,4\n", ("a", "b"), [("1", "2")] * 9, [11]),
        ("a,b,c\n1,2,\n1,,2,\n3,4,\n", ("a", "b", "c"), [("1", "2", None), ("3", "4", None)], [3]),
        ("a,b\n1,2,\n", ("a", "b"), [], [2]),  # one line is no habit
    ],
)
def test_a_delimiter_at_the_end_is_a_habit_of_all_lines_or_damage(text, columns, cells, damage, read):
    seen = read(text.encode())
    assert seen.table.columns == columns
    assert seen.cells == cells
    assert seen.damage == [(row, "field_count") for row in damage]


def test_text_behind_the_last_delimiter_is_damage_once_the_habit_is_known(read):
    padded = "1,2" + " " * 300 + ",\n"  # enough of them to fill what is looked at first
    seen = read(("a,b\n" + padded * 1_000 + "3,4,5\n").encode())
    assert (seen.table.columns, seen.frame.height) == (("a", "b"), 1_000)
    assert seen.damage == [(1_002, "field_count")]


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["a", "b"], ("a", "b")),
        (["x", "x", "x"], ("x", "x_2", "x_3")),
        (["x", "x", "x_2"], ("x", "x_2", "x_2_2")),
        (["", " ", "c"], ("column_1", "column_2", "c")),
        ([" a ", "long\n name"], ("a", "long name")),
        (["row_number", "locator"], ("row_number_2", "locator_2")),
    ],
)
def test_names_are_made_unique(cells, names):
    assert unique_names(cells) == names


def test_delimiter_and_quote_can_be_declared(read):
    assert read(b"a^b\n1^x\n", Hints(delimiter="^")).cells == [("1", "x")]
    assert read(b"a,b\tc\n1,2\t3\n", Hints(delimiter="tab")).table.columns == ("a,b", "c")
    plain = read(b'a,b\n"1",2\n', Hints(quote="none"))
    assert plain.cells == [('"1"', "2")]
    assert decisions(plain)["quote"] == ("none", "declared")
    assert decisions(read(b"a,b\n1,x\n", Hints(delimiter="comma")))["delimiter"] == (",", "declared")


@pytest.mark.parametrize(
    "hints", [Hints(delimiter=";;"), Hints(delimiter="，"), Hints(delimiter="x"), Hints(quote="''")]
)
def test_what_cannot_be_a_delimiter_or_quote_is_refused(hints, read):
    with pytest.raises(DefinitionError):
        read(b"a,b\n1,x\n", hints)


def test_quotes_that_open_fields_decide_for_quoting(read):
    quoted = read(b'a,b\n1,"x"\n2,y"z\n')
    assert (quoted.cells, quoted.damage) == ([("1", "x")], [(3, "quote_damage")])
    literal = read(b'a,b\n1,["x"]\n2,y"z\n')
    assert literal.cells == [("1", '["x"]'), ("2", 'y"z')]
    assert decisions(literal)["quote"] == ("none", "content")
    single = read(b'a,b\n1,"x\n2,y\n')
    assert (single.cells, single.damage) == ([("2", "y")], [(2, "quote_damage")])
