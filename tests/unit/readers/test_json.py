"""Tables in JSON. Expected cells are read off the texts in the tests; CDISC's files are compared with each other."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from etl.readers.base import Hints, Source
from etl.readers.json_table import JsonTableReader
from schemas.errors import SourceUnreadable

CDISC = Path("../shared/data/cdisc/msg2")
FRICTIONLESS = Path("../shared/data/tabular/frictionless")
READER = JsonTableReader(rows=2)
RECORDS = '{"id": "007", "value": 5.10, "fasting": true}\n{"id": "", "value": 1e-7}\n{"value": null, "note": "x\\ny"}\n'
TABLE = pl.DataFrame(
    {
        "id": ["007", None, None],
        "value": ["5.10", "1e-7", None],
        "fasting": ["true", None, None],
        "note": [None, None, "x\ny"],
        "row_number": [1, 2, 3],
    }
)
DATASET = {
    "datasetJSONVersion": "1.1.0",
    "records": 2,
    "name": "LB",
    "columns": [{"name": "USUBJID", "dataType": "string"}, {"name": "LBORRES", "dataType": "float"}],
    "rows": [["01", 5.1], ["02", None]],
}


def written(tmp_path, text, name="labs.json"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Source(path)


def read(source, hints=None):
    tables = READER.inspect(source, hints or Hints())
    return [(table, list(READER.read(source, table, table.ranges[0], table.columns))) for table in tables]


def frame_of(batches):
    return pl.concat(batch.frame for batch in batches)


def as_list(lines):
    return "[" + ",\n ".join(lines.strip().split("\n")) + "]"


LAYOUTS = {
    "list.json": as_list(RECORDS),
    "compact.json": as_list(RECORDS).replace("\n ", ""),
    "lines.ndjson": RECORDS,
    "crlf.jsonl": RECORDS.replace("\n", "\r\n"),
    "bom.json": "\ufeff" + as_list(RECORDS),
    "member.json": '{"site": "north", "data": '
    + as_list(RECORDS)
    + ', "codes": [1, 2], "more": {"a": [{"b": 1}]}}',
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_cells_and_numbers_keep_their_digits(tmp_path, name):
    source = written(tmp_path, LAYOUTS[name], name)
    assert READER.recognises(name, source.path.read_bytes())
    ((table, batches),) = read(source)
    assert (table.columns, table.records, table.damaged, table.lines) == (
        tuple(TABLE.columns[:-1]),
        3,
        0,
        None,
    )
    assert_frame_equal(frame_of(batches), TABLE)
    assert table.title == ("data" if name == "member.json" else "")


def test_the_observer_sees_every_record_of_every_table(tmp_path):
    source = written(tmp_path, '{"a": [{"x": 1}, {"x": 2}], "b": [{"y": 3}]}')
    seen = []
    tables = READER.inspect(source, Hints(), lambda columns: (columns, seen.append))
    assert [table.title for table in tables] == ["a", "b"]
    assert_frame_equal(seen[0], pl.DataFrame({"x": ["1", "2"], "row_number": [1, 2]}))
    assert_frame_equal(seen[1], pl.DataFrame({"y": ["3"], "row_number": [1]}))


def test_cells_are_named_by_record_and_column(tmp_path):
    ((table, batches),) = read(written(tmp_path, RECORDS, "labs.ndjson"))
    named = frame_of(batches).select(READER.locate(table, "fasting").alias("cell"))
    assert named["cell"].to_list() == ["R1/C3", "R2/C3", "R3/C3"]


def test_a_member_may_have_any_name(tmp_path):
    ((table, batches),) = read(written(tmp_path, json.dumps([{"a\nb": 1, "": 2, "row_number": 3}])))
    assert table.columns == ("a b", "column_2", "row_number_2")
    assert frame_of(batches).rows() == [("1", "2", "3", 1)]


def test_rows_of_ndjson_are_physical_lines(tmp_path):
    ((table, batches),) = read(written(tmp_path, '\n{"a": 1}\n\n{"a": 2}\n', "x.ndjson"))
    assert frame_of(batches)["row_number"].to_list() == [2, 4]
    assert table.records == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "1", "value":', "broken_json"),
        ('{"id": "1"} trailing', "broken_json"),
        ('["id", "1"]', "broken_json"),
        ("12", "broken_json"),
        ('{"id": "1", "id": "2"}', "broken_json"),
        (r'{"id": "\ud83d"}', "broken_json"),
        (b'{"id": "Gr\xfcn"}', "undecodable_line"),
        (b'{"id"\x00: "1"}', "control_bytes"),
        ("[" * 100_000, "broken_json"),
    ],
)
def test_a_broken_line_is_one_damaged_record_and_takes_no_other_with_it(tmp_path, line, reason):
    raw = line if isinstance(line, bytes) else line.encode()
    ((table, batches),) = read(written(tmp_path, b'{"id": "a"}\n' + raw + b'\n{"id": "b"}\n', "x.ndjson"))
    assert (table.records, table.damaged) == (3, 1)
    assert frame_of(batches)["id"].to_list() == ["a", "b"]
    damaged = pl.concat(batch.damaged for batch in batches)
    assert damaged.rows() == [(2, "R2", reason, raw)]


def test_a_line_longer_than_any_record_is_damage(tmp_path, monkeypatch):
    monkeypatch.setattr("etl.readers.json_stream.LONGEST_RECORD", 100)
    long = '{"id": "' + "x" * 200 + '"}'
    ((_, batches),) = read(written(tmp_path, f'{{"id": "a"}}\n{long}\n{{"id": "b"}}\n', "x.ndjson"))
    assert frame_of(batches)["id"].to_list() == ["a", "b"]
    assert pl.concat(batch.damaged for batch in batches)["reason"].to_list() == ["line_too_long"]


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_of_any_size_give_the_same_cells(tmp_path, monkeypatch, block):
    monkeypatch.setattr("etl.readers.json_stream.BLOCK", block)
    monkeypatch.setattr("etl.readers.json_walk.head_of", lambda source: source.path.read_bytes())
    for name, text in LAYOUTS.items():
        if name != "bom.json":
            ((_, batches),) = read(written(tmp_path, text, name))
            assert_frame_equal(frame_of(batches), TABLE)


@pytest.mark.parametrize("block", [1, 16, 40, 1 << 16])
def test_a_damaged_element_of_a_list_is_held_with_its_own_text(tmp_path, monkeypatch, block):
    """The elements stand in one text, with brackets inside strings where a block may end."""
    monkeypatch.setattr("etl.readers.json_stream.BLOCK", block)
    elements = [
        '{"id": "a}, {"}', '{"id": "1",  "id": "2"}', "12", r'{"id": "\ud83d"}', r'{"id": "\u0000"}',
        r'{"id": "\ud83d\ude00"}', '["]"]', '{"id": "ü]"}',
    ]  # fmt: skip
    ((table, batches),) = read(written(tmp_path, f"[{' , '.join(elements)} ]"))
    assert frame_of(batches).rows() == [("a}, {", 1), ("\U0001f600", 6), ("ü]", 8)]
    assert (table.records, table.damaged) == (8, 5)
    damaged = pl.concat(batch.damaged for batch in batches)
    assert damaged["raw"].to_list() == [elements[at].encode() for at in (1, 2, 3, 4, 6)]
    assert damaged.select("row_number", "reason").rows() == [
        (2, "broken_json"),
        (3, "broken_json"),
        (4, "broken_json"),
        (5, "control_bytes"),
        (7, "broken_json"),
    ]


@pytest.mark.parametrize("cut", [1, 20, 60, 100, -2, -1])
def test_a_cut_document_is_refused_without_its_content(tmp_path, cut):
    text = as_list(RECORDS.replace("007", "secret"))
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(written(tmp_path, text[:cut]), Hints())
    assert "not whole" in caught.value.what
    assert "secret" not in caught.value.message()
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[]", "no table"),
        ('{"key": "value"}', "no table"),
        ('[{"id": 1, "codes": ["a"]}]', "nested columns: codes"),
        ('[{"id": 1, "who": {"name": "x"}}]', "nested columns: who"),
        ('[{"a": 1}] [{"a": 2}]', "not whole"),
        ('[{"a": ' + "[" * 200_000, "is refused"),
    ],
)
def test_what_is_no_table_is_refused_in_three_parts(tmp_path, text, what):
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(written(tmp_path, text), Hints())
    assert what in caught.value.what
    assert caught.value.why
    assert caught.value.fix


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "cp1252"])
def test_other_encodings_are_declared_or_told_by_their_bytes(tmp_path, encoding):
    text = "ü" if encoding == "cp1252" else "维生素"
    source = written(tmp_path, json.dumps([{"name": text}], ensure_ascii=False).encode(encoding))
    hints = Hints() if encoding == "utf-16" else Hints(encoding=encoding)
    ((_, batches),) = read(source, hints)
    assert frame_of(batches)["name"].to_list() == [text]
    if encoding != "utf-16":
        with pytest.raises(SourceUnreadable, match="not valid utf-8"):
            READER.inspect(source, Hints())


def dataset_lines():
    about = {name: value for name, value in DATASET.items() if name != "rows"}
    return "\n".join(json.dumps(each) for each in [about, *DATASET["rows"]]) + "\n"


DATASET_LAYOUTS = {
    "lb.json": json.dumps(DATASET).encode(),
    "indented.json": json.dumps(DATASET, indent=2).encode(),
    "rows_first.json": json.dumps(dict(reversed(DATASET.items()))).encode(),
    "lb.ndjson": dataset_lines().encode(),
    "lb.dsjc": zlib.compress(dataset_lines().encode()),
    "gzip.dsjc": gzip.compress(dataset_lines().encode()),
    "whole.dsjc": zlib.compress(json.dumps(DATASET).encode()),
}


@pytest.mark.parametrize("name", DATASET_LAYOUTS)
def test_dataset_json_takes_its_columns_from_the_metadata(tmp_path, name):
    source = written(tmp_path, DATASET_LAYOUTS[name], name)
    with source.open() as file:
        assert READER.recognises(name, file.read())
    ((table, batches),) = read(source)
    assert (table.title, table.columns, table.records) == ("LB", ("USUBJID", "LBORRES"), 2)
    first = 2 if table.options["kind"] == "dataset_lines" else 1  # the metadata is a line of its own
    expected = {"USUBJID": ["01", "02"], "LBORRES": ["5.1", None], "row_number": [first, first + 1]}
    assert_frame_equal(frame_of(batches), pl.DataFrame(expected))


def test_a_dataset_with_fewer_records_than_it_states_was_cut(tmp_path):
    short = "\n".join(dataset_lines().splitlines()[:-1]) + "\n"
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(written(tmp_path, short, "lb.ndjson"), Hints())
    assert caught.value.why == "Its metadata states 2 records; it holds 1."


def test_a_dataset_row_of_another_length_is_damaged(tmp_path):
    text = dataset_lines().replace('["02", null]', '["02"]')
    ((table, batches),) = read(written(tmp_path, text, "lb.ndjson"))
    assert (table.records, table.damaged) == (2, 1)
    assert pl.concat(batch.damaged for batch in batches).rows() == [(3, "R3", "field_count", b'["02"]')]


def test_compressed_data_that_ends_early_or_never_is_refused(tmp_path, monkeypatch):
    packed = zlib.compress(dataset_lines().encode())
    with pytest.raises(SourceUnreadable, match="cannot be decompressed"):
        READER.inspect(written(tmp_path, packed[:-9], "lb.dsjc"), Hints())
    monkeypatch.setattr("etl.readers.json_stream.FREE_BYTES", 1 << 20)
    bomb = zlib.compress(b'{"datasetJSONVersion": "1.1.0"' + b" " * (8 << 20))
    with pytest.raises(SourceUnreadable, match="refused"):
        READER.inspect(written(tmp_path, bomb, "bomb.dsjc"), Hints())


@pytest.mark.parametrize(
    ("head", "is_ours"),
    [
        (b'{"resourceType": "Bundle", "entry": []}', False),
        (b'[{"resourceType": "Patient"}]', False),
        (b"id,name\n1,x\n", False),
        (b"[id];[name]\n1;x\n", False),
        (b"", False),
        (b"<html>", False),
        (b'\xef\xbb\xbf[{"a": 1}]', True),
    ],
)
def test_recognition_is_by_content_and_leaves_fhir_alone(head, is_ours):
    assert READER.recognises("data.json", head) is is_ours


@pytest.mark.skipif(not CDISC.exists(), reason="the shared data is not here")
@pytest.mark.parametrize(
    ("name", "rows", "columns"), [("ae", 74, 37), ("dm", 18, 26), ("sv", 164, 10), ("vs", 1414, 21)]
)
def test_the_published_variants_hold_the_same_rows(name, rows, columns):
    found = {}
    for suffix in ("json", "ndjson", "dsjc"):
        source = Source(CDISC / f"{name}.{suffix}")
        (table,) = JsonTableReader().inspect(source, Hints())
        batches = list(JsonTableReader().read(source, table, table.ranges[0], table.columns))
        assert (table.records, len(table.columns), table.title) == (rows, columns, name.upper())
        found[suffix] = (table, frame_of(batches).drop("row_number"))
    assert_frame_equal(found["json"][1], found["ndjson"][1])
    assert_frame_equal(found["json"][1], found["dsjc"][1])
    # Source: the document itself, parsed by Python's json.
    document = json.loads((CDISC / f"{name}.json").read_text(), parse_float=str, parse_int=str)
    expected = [tuple(cell or None for cell in row) for row in document["rows"]]
    assert found["json"][1].rows() == expected


@pytest.mark.skipif(not FRICTIONLESS.exists(), reason="the shared data is not here")
@pytest.mark.parametrize("name", ["table.ndjson", "table.jsonl"])
def test_a_published_table_equals_its_csv_twin(name):
    ((_, batches),) = read(Source(FRICTIONLESS / name))
    twin = pl.read_csv(FRICTIONLESS / "table.csv", infer_schema=False)
    assert frame_of(batches)["id"].to_list() == twin["id"].to_list()
    assert frame_of(batches)["name"].to_list() == ["english", "中国人"]


@pytest.mark.skipif(not FRICTIONLESS.exists(), reason="the shared data is not here")
def test_every_published_json_is_read_or_refused_with_advice():
    outcomes = {}
    for path in sorted(FRICTIONLESS.glob("*json*")):
        if path.suffix not in {".json", ".ndjson", ".jsonl"}:
            continue
        try:
            outcomes[path.name] = sum(table.records for table, _ in read(Source(path)))
        except SourceUnreadable as error:
            outcomes[path.name] = bool(error.why and error.fix)
    assert len(outcomes) > 40
    # Counted by hand in the files.
    assert outcomes["issue-1258.json"] == 1
    assert outcomes["schema-reverse.json"] == 2
    assert outcomes["issue-494.package.json"] == 4  # two extras, a resource, a tag
    assert outcomes["data.json"] is True  # refused, with a reason and advice
    assert False not in [outcome for outcome in outcomes.values() if isinstance(outcome, bool)]
