"""SAS, SPSS and Stata. Expected cells come from the CSV twins beside the files, or from what pyreadstat was told to write."""

from __future__ import annotations

import random
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import polars as pl
import pyreadstat
import pytest
from polars.testing import assert_frame_equal

from etl.readers.base import Hints, Source
from etl.readers.labels import codes_of, is_scale
from etl.readers.statistical import StatisticalReader
from etl.readers.statistical_file import kind_of
from schemas.errors import SourceUnreadable

DATA = Path("../shared/data/spss_sas_stata")
CDISC = Path("../shared/data/cdisc/msg2")
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the shared data is not here")
READER = StatisticalReader()


def read(source, hints=None, reader=READER):
    (table,) = reader.inspect(source, hints or Hints())
    frames = [batch.frame for batch in reader.read(source, table, table.ranges[0], table.columns)]
    return table, pl.concat(frames) if frames else pl.DataFrame()


def decision(table, about):
    return next(each for each in table.decisions if each.about == about)


def sav(tmp_path, frame, name="x.sav", **about):
    path = tmp_path / name
    pyreadstat.write_sav(frame, path, **about)
    return Source(path)


# sample.csv, with dates and times without the fraction that pandas adds, and labels by the value labels of the file.
SAMPLE = [
    ("a", "1.1", "2018-05-06", "2018-05-06 10:10:10", "Male", "1", "10:10:10"),
    ("b", "1.2", "1880-05-06", "1880-05-06 10:10:10", "Female", "2", "23:10:10"),
    ("c", "-1000.3", "1960-01-01", "1960-01-01 00:00:00", "Male", "3", "00:00:00"),
    ("d", "-1.4", "1583-01-01", "1583-01-01 00:00:00", "Female", "1", "16:10:10"),
    ("e", "1000.3", None, None, "Male", "1", None),
]


@needs_data
@pytest.mark.parametrize("name", ["sample.sav", "sample.zsav", "sample.por"])
def test_spss_files_equal_their_csv_twin(name):
    source = Source(DATA / "basic" / name)
    table, frame = read(source)
    assert (table.records, table.lines, table.damaged) == (5, None, 0)
    assert [column.lower() for column in table.columns] == list(
        pl.read_csv(DATA / "basic/sample.csv").columns
    )
    assert frame.drop("row_number").rows() == SAMPLE
    assert frame["row_number"].to_list() == [1, 2, 3, 4, 5]


@needs_data
def test_every_published_file_has_the_rows_and_columns_that_its_makers_state():
    # Source: pyreadstat's own tests and the CSV twins in the folder; sample_large repeats sample's five rows 97 times.
    expected = {
        "basic/date_test.sas7bdat": (20, 9),
        "basic/dates.sas7bdat": (50, 3),
        "basic/dates_xpt_v8.xpt": (19, 9),
        "basic/sample_large.sav": (485, 7),
        "basic/sample_missing.sav": (7, 7),
        "basic/sas.xpt5": (10, 1),
        "basic/tegulu.sav": (1, 2),
        "basic/test_file_label_win.sas7bdat": (3, 3),
        "missing_data/missing_char.sav": (2, 1),
        "missing_data/missing_test.sas7bdat": (1, 9),
        "sas_catalog/test_data_win.sas7bdat": (3, 3),
    }
    for name, shape in expected.items():
        source = Source(DATA / name)
        with source.open() as file:
            assert READER.recognises(source.name, file.read(1 << 16)), name
        table, frame = read(source)
        assert (table.records, len(table.columns)) == shape, name
        assert frame.shape == (shape[0], shape[1] + 1), name


@needs_data
def test_no_csv_is_taken_for_a_statistical_file():
    for path in DATA.rglob("*.csv"):
        assert not READER.recognises(path.name, path.read_bytes())


@needs_data
def test_codes_that_the_file_declares_missing_are_empty_and_counted():
    # The two last rows of sample_missing.sav are Z, -1, -1, -1 and an empty text, 2500, nothing, -3.
    table, frame = read(Source(DATA / "basic/sample_missing.sav"))
    assert frame.drop("row_number").rows()[:5] == SAMPLE
    assert frame["mynum"].to_list()[5:] == [None, None]
    assert frame["myord"].to_list()[5:] == [None, None]
    assert decision(table, "missing:mynum").evidence == {"-1": 1, "2000 to 3000": 1}
    assert decision(table, "missing:mylabl").evidence == {"-1 undetermined": 1}
    assert decision(table, "missing:myord").evidence == {"-1 missing": 1, "-3": 1}
    table, frame = read(Source(DATA / "missing_data/missing_char.sav"))
    assert frame["mychar"].to_list() == [None, "labeled"]
    assert decision(table, "missing:mychar").evidence == {"Z": 1}


@needs_data
def test_letters_for_missing_numbers_of_sas_are_empty_and_counted():
    # missing_sas_formatted.csv: A,B,C,X,Y,Z,_,NaN,1.0
    table, frame = read(Source(DATA / "missing_data/missing_test.sas7bdat"))
    assert frame.row(0) == (*[None] * 8, "1", 1)
    letters = [decision(table, f"missing:var{place}").value for place in range(1, 8)]
    assert letters == ["A", "B", "C", "X", "Y", "Z", "_"]


@needs_data
def test_a_catalog_beside_the_data_brings_the_labels_also_in_an_archive(tmp_path):
    twin = pl.read_csv(DATA / "sas_catalog/sas_formatted.csv")
    table, frame = read(Source(DATA / "sas_catalog/test_data_win.sas7bdat"))
    assert_frame_equal(frame.drop("row_number"), twin)
    assert len(str(table.options["catalog"])) == 64
    with zipfile.ZipFile(tmp_path / "sas.zip", "w") as archive:
        for path in (DATA / "sas_catalog").glob("*.sas7*"):
            archive.write(path, f"export/{path.name}")
    packed, frame = read(Source(tmp_path / "sas.zip", "export/test_data_win.sas7bdat"))
    assert_frame_equal(frame.drop("row_number"), twin)
    assert packed.sha256 == table.sha256
    shutil.copy(DATA / "sas_catalog/test_data_win.sas7bdat", tmp_path / "alone.sas7bdat")
    table, frame = read(Source(tmp_path / "alone.sas7bdat"))
    assert frame["SEXA"].to_list() == ["1", "2", "1"]
    assert table.options["catalog"] is None


@needs_data
def test_a_catalog_by_itself_is_refused_with_advice():
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(Source(DATA / "sas_catalog/test_formats_win.sas7bcat"), Hints())
    assert "beside" in caught.value.fix


@needs_data
def test_text_beyond_latin_letters_is_kept():
    _, frame = read(Source(DATA / "basic/tegulu.sav"))
    assert frame.row(0)[1].startswith("నేను గతంలో")


@needs_data
def test_transport_dates_equal_the_text_beside_them():
    # dates_xpt_v8.xpt holds every date, time and instant a second time as text.
    _, frame = read(Source(DATA / "basic/dates_xpt_v8.xpt"))
    assert frame["dt"].to_list() == frame["string_dt"].to_list()
    assert frame["dates"].to_list() == frame["string_dates"].to_list()
    assert frame["times"].to_list() == frame["string_times"].to_list()


@pytest.mark.skipif(not CDISC.exists(), reason="the shared data is not here")
@pytest.mark.parametrize(
    ("name", "shape"), [("ae", (74, 37)), ("dm", (18, 26)), ("sv", (164, 10)), ("vs", (1414, 21))]
)
def test_transport_files_equal_the_same_data_in_json(name, shape):
    import json

    table, frame = read(Source(CDISC / f"{name}.xpt"))
    assert (table.records, len(table.columns), table.title) == (*shape, name.upper())
    document = json.loads((CDISC / f"{name}.json").read_text())
    assert list(table.columns) == [column["name"] for column in document["columns"]]
    for ours, theirs in zip(frame.drop("row_number").rows(), document["rows"], strict=True):
        for cell, other in zip(ours, theirs, strict=True):
            if isinstance(other, int | float):
                assert float(cell) == other
            else:
                assert cell == (other or None)


def test_labels_stand_for_names_and_numbers_for_scales(tmp_path):
    frame = pd.DataFrame(
        {
            "sex": [1.0, 2.0, 9.0],
            "pain": [0.0, 2.0, 3.0],
            "partly": [1.0, 2.0, 7.0],
            "group": ["c", "k", "c"],
        }
    )
    labels = {
        "sex": {1: "male", 2: "female", 9: "not stated"},
        "pain": {0: "none", 1: "mild", 2: "moderate", 3: "severe"},
        "partly": {1: "yes", 2: "no"},
        "group": {"c": "control", "k": "case"},
    }
    table, shown = read(sav(tmp_path, frame, variable_value_labels=labels))
    assert shown["sex"].to_list() == ["male", "female", "not stated"]
    assert shown["pain"].to_list() == ["0", "2", "3"]  # an answer is scored by its number
    assert shown["partly"].to_list() == ["1", "2", "7"]  # half labels, half codes would be neither
    assert shown["group"].to_list() == ["control", "case", "control"]
    made = {name: decision(table, f"labels:{name}") for name in labels}
    assert {name: each.value for name, each in made.items()} == {
        "sex": "labels",
        "pain": "codes",
        "partly": "codes",
        "group": "labels",
    }
    assert made["partly"].evidence == {"labels": 2, "codes_without_label": 1}


def test_labels_are_settled_by_the_whole_file_not_by_its_start(tmp_path):
    frame = pd.DataFrame({"sex": [1.0] * 2_500 + [7.0]})
    source = sav(tmp_path, frame, variable_value_labels={"sex": {1: "male", 2: "female"}})
    reader = StatisticalReader(cells=1)  # batches of a thousand rows, the least
    table, shown = read(source, reader=reader)
    assert set(shown["sex"]) == {"1", "7"}
    assert table.records == 2_501
    assert shown["row_number"].to_list() == list(range(1, 2_502))


def test_a_missing_code_does_not_make_a_scale_of_names(tmp_path):
    # 1 and 2 are values, 3 is declared missing: two names remain.
    frame = pd.DataFrame({"sex": [1.0, 2.0, 3.0]})
    labels = {"sex": {1: "male", 2: "female", 3: "refused"}}
    table, shown = read(sav(tmp_path, frame, variable_value_labels=labels, missing_ranges={"sex": [3]}))
    assert shown["sex"].to_list() == ["male", "female", None]
    assert decision(table, "missing:sex").evidence == {"3 refused": 1}


def test_letters_for_missing_numbers_of_transport_files_are_empty(tmp_path):
    """SAS writes a missing number as the character of its letter and seven zero bytes; `.` is 2E, `.A` is 41."""
    path = tmp_path / "x.xpt"
    frame = pd.DataFrame({"id": [1.0, 2.0, 3.0], "b12": [300.0, None, 310.0]})
    pyreadstat.write_xport(frame, path, file_format_version=5)
    data = path.read_bytes()
    assert data.count(b"\x2e" + bytes(7)) == 1
    path.write_bytes(data.replace(b"\x2e" + bytes(7), b"\x41" + bytes(7)))
    _, cells = read(Source(path))
    assert cells["b12"].to_list() == ["300", None, "310"]


def test_letters_for_missing_numbers_of_stata_are_empty_and_counted(tmp_path):
    path = tmp_path / "x.dta"
    frame = pd.DataFrame({"age": ["a", 41.0, 42.5], "id": ["x", "", "z"]})
    labels = {"age": {"a": "refused"}}
    pyreadstat.write_dta(frame, path, missing_user_values={"age": ["a"]}, variable_value_labels=labels)
    table, shown = read(Source(path))
    assert shown.rows() == [(None, "x", 1), ("41", None, 2), ("42.5", "z", 3)]
    assert decision(table, "missing:age").evidence == {"a refused": 1}


@pytest.mark.parametrize("version", [8, 10, 12, 13, 14, 15])
def test_every_version_of_stata_is_recognised(tmp_path, version):
    path = tmp_path / "x.dta"
    pyreadstat.write_dta(pd.DataFrame({"age": [41.0]}), path, version=version)
    assert kind_of(path.read_bytes()[:1024]) == "dta"
    assert read(Source(path))[1].rows() == [("41", 1)]


@pytest.mark.parametrize("version", [5, 8])
def test_the_tiny_zero_of_transport_files_is_zero(tmp_path, version):
    path = tmp_path / "x.xpt"
    pyreadstat.write_xport(
        pd.DataFrame({"A": [5.397605346934028e-79, 1e-12, 0.0]}), path, file_format_version=version
    )
    table, shown = read(Source(path))
    assert shown["A"].to_list() == ["0", "1e-12", "0"]
    assert decision(table, "tiny_numbers").evidence == {"cells": 1}


def test_the_observer_sees_labels_and_only_what_it_asked_for(tmp_path):
    frame = pd.DataFrame({"sex": [1.0, 2.0], "age": [41.0, 42.5]})
    source = sav(tmp_path, frame, variable_value_labels={"sex": {1: "male", 2: "female"}})
    seen = []
    READER.inspect(source, Hints(), lambda columns: (["age", "sex"], seen.append))
    expected = {"age": ["41", "42.5"], "sex": ["male", "female"], "row_number": [1, 2]}
    assert_frame_equal(pl.concat(seen), pl.DataFrame(expected))


def test_columns_come_in_the_order_asked_and_none_is_allowed(tmp_path):
    source = sav(tmp_path, pd.DataFrame({"a": [1.0], "b": ["x"], "c": [2.5]}))
    (table,) = READER.inspect(source, Hints())
    (batch,) = READER.read(source, table, table.ranges[0], ["c", "a"])
    assert batch.frame.columns == ["c", "a", "row_number"]
    assert batch.frame.row(0) == ("2.5", "1", 1)
    (batch,) = READER.read(source, table, table.ranges[0], [])
    assert batch.frame.rows() == [(1,)]
    assert batch.frame.select(READER.locate(table, "c").alias("cell"))["cell"].to_list() == ["R1/C3"]


def test_variable_labels_are_listed_for_whoever_maps_the_columns(tmp_path):
    source = sav(tmp_path, pd.DataFrame({"v1": [1.0]}), column_labels={"v1": "Vitamin B12 (pmol/L)"})
    (table,) = READER.inspect(source, Hints())
    assert decision(table, "variable_labels").evidence == {"v1": "Vitamin B12 (pmol/L)"}


def test_a_file_without_rows_is_a_table_without_records(tmp_path):
    table, shown = read(sav(tmp_path, pd.DataFrame({"a": pd.Series([], dtype=float)})))
    assert (table.columns, table.records, shown.height) == (("a",), 0, 0)


@pytest.mark.parametrize("writer", ["write_sav", "write_dta", "write_xport", "write_por"])
@pytest.mark.parametrize("share", [0.02, 0.4, 0.8])
def test_a_cut_file_is_refused_without_its_content(tmp_path, writer, share):
    path = tmp_path / "cut.bin"
    getattr(pyreadstat, writer)(pd.DataFrame({"ID": [f"secret{row:05}" for row in range(2_000)]}), path)
    whole = path.read_bytes()
    size = max(100, int(len(whole) * share))
    path.write_bytes(whole[: size - size % 80 + 1])
    with pytest.raises(SourceUnreadable) as caught:
        read(Source(path))
    assert "cut.bin" in caught.value.what
    assert caught.value.why
    assert "secret" not in caught.value.message()


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_name_that_crashes_the_library_is_refused(tmp_path, packed):
    # Found by changing bytes at random: this one ends the process that reads it.
    frame = pd.DataFrame({"id": ["a", "b", "c"], "x": [1.0, 2.0, -9.0], "y": [1.0, 2.0, 3.0]})
    labels = {"x": {1: "male", 2: "female", -9: "refused"}, "y": {1: "low"}}
    source = sav(
        tmp_path, frame, variable_value_labels=labels, missing_ranges={"x": [-9]}, column_labels={"x": "Sex"}
    )
    data = bytearray(source.path.read_bytes())
    data[352] = 199
    source.path.write_bytes(data)
    if packed:
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            archive.write(source.path, "x.sav")
        source = Source(tmp_path / "x.zip", "x.sav")
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(source, Hints())
    assert "names or labels" in caught.value.why


@needs_data
@pytest.mark.parametrize("name", ["sample.por", "sas.xpt5", "dates_xpt_v8.xpt"])
def test_damaged_bytes_are_read_or_refused(tmp_path, name):
    chance = random.Random(4)
    data = (DATA / "basic" / name).read_bytes()
    path = tmp_path / name
    outcomes = set()
    for _ in range(25):
        damaged = bytearray(data)
        for _ in range(chance.choice([1, 4])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            outcomes.add(read(Source(path))[0].records)
        except SourceUnreadable as error:
            outcomes.add(error.what)
    assert outcomes


def test_a_date_beyond_the_calendar_is_refused_without_its_value(tmp_path):
    frame = pd.DataFrame({"day": [1.0e15]})
    source = sav(tmp_path, frame, variable_format={"day": "DATE11"})
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(source, Hints())
    assert "beyond" in caught.value.why
    assert "e15" not in caught.value.message()


def test_several_datasets_in_one_transport_file_are_refused(tmp_path):
    path = tmp_path / "x.xpt"
    pyreadstat.write_xport(pd.DataFrame({"A": [1.0]}), path, file_format_version=5)
    whole = path.read_bytes()
    member = whole[whole.index(b"HEADER RECORD*******MEMBER  ") :]
    path.write_bytes(whole + member)
    with pytest.raises(SourceUnreadable) as caught:
        READER.inspect(Source(path), Hints())
    assert "2 datasets" in caught.value.why


def test_a_text_outside_the_stated_encoding_asks_for_a_declaration(tmp_path):
    path = tmp_path / "x.xpt"
    pyreadstat.write_xport(pd.DataFrame({"A": ["Gruen"]}), path, file_format_version=5)
    path.write_bytes(path.read_bytes().replace(b"Gruen", b"Gr\xfcn "))
    with pytest.raises(SourceUnreadable) as caught:
        read(Source(path))
    assert "encoding:" in caught.value.fix
    _, shown = read(Source(path), Hints(encoding="cp1252"))
    assert shown["A"].to_list() == ["Grün"]


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "x.sav").write_bytes(b"")
    with pytest.raises(SourceUnreadable, match="empty"):
        READER.inspect(Source(tmp_path / "x.sav"), Hints())


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["0", "1", "2", "3"], True),
        (["1", "2", "3"], True),
        (["1", "2"], False),
        (["1", "2", "9"], False),
        (["a", "b", "c"], False),
        (["0", "0.5", "1"], False),
        ([], False),
    ],
)
def test_three_consecutive_whole_numbers_are_a_scale(codes, expected):
    assert is_scale(codes) is expected


def test_a_label_of_blanks_is_no_label():
    assert codes_of({1.0: " ", 2.0: "female "}, (), is_number=True).labels == {"2": "female"}
