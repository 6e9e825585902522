"""Parquet and Arrow: written by pyarrow and polars, whose types are the source of the expected text."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from etl.readers.base import DAMAGED_SCHEMA, Hints, Source
from etl.readers.columnar import ColumnarReader
from schemas.errors import SourceUnreadable

DATA = Path("../shared/data/tabular/frictionless")
READER = ColumnarReader(rows=2)

FRAME = pl.DataFrame(
    {
        "id": ["007", None, ""],
        "value": [331.0, 0.1 + 0.2, float("nan")],
        "small": [1e-7, 2.5e-10, -0.0],
        "count": pl.Series([1, 2, None], dtype=pl.Int32),
        "fasting": [True, False, None],
        "born": [date(1960, 2, 29), None, date(2021, 3, 5)],
        "taken": [datetime(2021, 3, 5, 8, 12), datetime(2021, 3, 5, 8, 12, 0, 667_000), None],
        "bed": [time(22, 30), None, time(1, 2, 3)],
        "exact": [Decimal("5.40"), Decimal("-0.05"), None],
    }
)
# What a person would write for these values: digits that name the double, ISO dates and times.
TEXT = pl.DataFrame(
    {
        "id": ["007", None, None],
        "value": ["331", "0.30000000000000004", None],
        "small": ["1e-7", "2.5e-10", "0"],
        "count": ["1", "2", None],
        "fasting": ["true", "false", None],
        "born": ["1960-02-29", None, "2021-03-05"],
        "taken": ["2021-03-05 08:12:00", "2021-03-05 08:12:00.667", None],
        "bed": ["22:30:00", None, "01:02:03"],
        "exact": ["5.40", "-0.05", None],
        "row_number": [1, 2, 3],
    }
)


def parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def arrow(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_ipc(stream, compression="zstd")
    return stream.getvalue()


def arrow_stream(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_ipc_stream(stream)
    return stream.getvalue()


WRITERS = {"labs.parquet": parquet, "labs.feather": arrow, "labs.arrows": arrow_stream}


@pytest.mark.parametrize("name", WRITERS)
def test_every_cell_is_text_as_a_person_writes_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(WRITERS[name](FRAME))
    assert READER.recognises(name, path.read_bytes()[:64])
    (table,) = READER.inspect(Source(path), Hints())
    assert (table.columns, table.records, table.lines, table.damaged) == (tuple(FRAME.columns), 3, None, 0)
    batches = list(READER.read(Source(path), table, table.ranges[0], table.columns))
    assert [batch.frame.height for batch in batches] == [2, 1]
    assert_frame_equal(pl.concat(batch.frame for batch in batches), TEXT)
    assert all(batch.damaged.schema == DAMAGED_SCHEMA for batch in batches)


@pytest.mark.parametrize("name", WRITERS)
def test_only_the_columns_asked_for_come_in_the_order_asked(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(WRITERS[name](FRAME))
    (table,) = READER.inspect(Source(path), Hints())
    frame = pl.concat(
        each.frame for each in READER.read(Source(path), table, table.ranges[0], ["taken", "id"])
    )
    assert_frame_equal(frame, TEXT.select("taken", "id", "row_number"))
    rows = pl.concat(each.frame for each in READER.read(Source(path), table, table.ranges[0], []))
    assert_frame_equal(rows, TEXT.select("row_number"))


def test_the_observer_sees_every_row_once(tmp_path):
    path = tmp_path / "labs.parquet"
    path.write_bytes(parquet(FRAME))
    seen = []
    READER.inspect(Source(path), Hints(), lambda columns: (["value"], seen.append))
    assert_frame_equal(pl.concat(seen), TEXT.select("value", "row_number"))


def test_cells_are_named_by_record_and_column(tmp_path):
    path = tmp_path / "labs.parquet"
    path.write_bytes(parquet(FRAME))
    (table,) = READER.inspect(Source(path), Hints())
    named = TEXT.select(READER.locate(table, "count").alias("cell"))
    assert named["cell"].to_list() == ["R1/C4", "R2/C4", "R3/C4"]


def test_instants_keep_their_offset_and_lengths_are_seconds(tmp_path):
    # Berlin was one hour ahead of UTC on 5 March 2021.
    frame = pl.DataFrame(
        {
            "at": pl.Series([datetime(2021, 3, 5, 8, 12)]).dt.replace_time_zone("Europe/Berlin"),
            "slept": pl.Series([27_000_005], dtype=pl.Duration("ms")),
        }
    )
    path = tmp_path / "labs.parquet"
    path.write_bytes(parquet(frame))
    (table,) = READER.inspect(Source(path), Hints())
    (batch,) = READER.read(Source(path), table, table.ranges[0], table.columns)
    assert batch.frame.row(0) == ("2021-03-05 08:12:00+01:00", "27000.005", 1)


def test_a_long_number_stored_as_a_double_shows_that_it_was_rounded(tmp_path):
    path = tmp_path / "ids.parquet"
    path.write_bytes(parquet(pl.DataFrame({"id": [410123198001011234.0]})))
    (table,) = READER.inspect(Source(path), Hints())
    (batch,) = READER.read(Source(path), table, table.ranges[0], ["id"])
    assert "e+17" in batch.frame["id"][0]


def test_compressed_and_archived_files_are_the_same_file(tmp_path):
    data = parquet(FRAME)
    (tmp_path / "labs.parquet").write_bytes(data)
    (tmp_path / "labs.parquet.gz").write_bytes(gzip.compress(data))
    with zipfile.ZipFile(tmp_path / "labs.zip", "w") as archive:
        archive.writestr("labs.parquet", data)
    sources = [
        Source(tmp_path / "labs.parquet"),
        Source(tmp_path / "labs.parquet.gz"),
        Source(tmp_path / "labs.zip", "labs.parquet"),
    ]
    tables = [READER.inspect(source, Hints())[0] for source in sources]
    assert len({(table.sha256, table.size, table.records) for table in tables}) == 1
    frames = [
        pl.concat(batch.frame for batch in READER.read(source, table, table.ranges[0], table.columns))
        for source, table in zip(sources, tables, strict=True)
    ]
    for frame in frames:
        assert_frame_equal(frame, TEXT)


def test_a_file_without_rows_is_a_table_without_records(tmp_path):
    path = tmp_path / "labs.parquet"
    path.write_bytes(parquet(FRAME.clear()))
    (table,) = READER.inspect(Source(path), Hints())
    assert (table.columns, table.records) == (tuple(FRAME.columns), 0)
    assert list(READER.read(Source(path), table, table.ranges[0], table.columns)) == []


@pytest.mark.parametrize(
    ("frame", "column"),
    [
        (pl.DataFrame({"id": ["a"], "codes": [["x", "y"]]}), "codes"),
        (pl.DataFrame({"id": ["a"], "who": [{"name": "x"}]}), "who"),
        (pl.DataFrame({"id": ["a"], "scan": [b"\xff\x00"]}), "scan"),
    ],
)
def test_nested_columns_are_refused_by_name(tmp_path, frame, column):
    path = tmp_path / "labs.parquet"
    path.write_bytes(parquet(frame))
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(Source(path), Hints())
    assert column in caught.value.what
    assert "1 of 2 columns" in caught.value.why
    assert caught.value.fix


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "labs.arrow"
    table = pa.table([pa.array(["a"]), pa.array(["b"])], names=["id", "id"])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(SourceUnreadable, match="no table"):
        READER.inspect(Source(path), Hints())


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.97])
def test_a_cut_file_is_refused_without_its_content(tmp_path, name, share):
    # Incompressible content, so that a cut anywhere removes some of it.
    frame = pl.DataFrame({"id": [f"secret-{number * 7919 % 10_007}" for number in range(3_000)]})
    data = WRITERS[name](frame)
    path = tmp_path / name
    path.write_bytes(data[: max(8, int(len(data) * share))])
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(Source(path), Hints(), lambda columns: (columns, lambda frame: None))
    message = caught.value.message()
    assert name in message
    assert "Try:" in message
    assert "secret" not in message


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_bytes_never_end_in_a_panic(tmp_path, capfd, name):
    chance = random.Random(3)
    data = WRITERS[name](FRAME)
    path = tmp_path / name
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 4])):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            (table,) = READER.inspect(Source(path), Hints())
            outcomes.add(len(list(READER.read(Source(path), table, table.ranges[0], table.columns))))
        except SourceUnreadable as error:
            outcomes.add(error.fix)
    assert len(outcomes) > 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pa.array(["a", None]).dictionary_encode(), ["a", None]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array([5.5, None], pa.float32()), ["5.5", None]),
        (pa.array([2**64 - 1, 0], pa.uint64()), ["18446744073709551615", "0"]),
        (pa.array([0, None], pa.date64()), ["1970-01-01", None]),
        (pa.nulls(2), [None, None]),
        (pa.array([1.5, None], pa.float16()), None),
        (pa.array([b"a", None]), None),
        (pa.array([[1], None]), None),
    ],
)
def test_each_type_is_shown_or_refused(tmp_path, cells, expected):
    path = tmp_path / "x.arrow"
    table = pa.table({"x": cells})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    if expected is None:
        with pytest.raises(SourceUnreadable, match="columns: x"):
            READER.inspect(Source(path), Hints())
    else:
        (found,) = READER.inspect(Source(path), Hints())
        (batch,) = READER.read(Source(path), found, found.ranges[0], ["x"])
        assert batch.frame["x"].to_list() == expected


def test_an_empty_file_and_an_old_feather_are_refused(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(SourceUnreadable, match="empty"):
        READER.inspect(Source(tmp_path / "a.parquet"), Hints())
    (tmp_path / "b.feather").write_bytes(b"FEA1" + bytes(60) + b"FEA1")
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(Source(tmp_path / "b.feather"), Hints())
    assert "version 1" in caught.value.why


def test_an_error_of_the_observer_stays_its_own(tmp_path):
    path = tmp_path / "labs.parquet"
    path.write_bytes(parquet(FRAME))

    def fail(frame):
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        READER.inspect(Source(path), Hints(), lambda columns: (columns, fail))


@pytest.mark.skipif(not DATA.exists(), reason="the shared data is not here")
def test_a_published_table_equals_its_csv_twin():
    source = Source(DATA / "table.parquet")
    (table,) = READER.inspect(source, Hints())
    twin = pl.read_csv(DATA / "table.csv", infer_schema=False).with_row_index("row_number", 1)
    frame = pl.concat(each.frame for each in READER.read(source, table, table.ranges[0], table.columns))
    assert_frame_equal(frame, twin.select(*table.columns, pl.col("row_number").cast(pl.Int64)))
