"""CONCEPT is looked for only beside tables with ids of concepts, and only the rows of wanted ids are kept."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from etl.readers.base import Source
from etl.readers.vocabulary import is_vocabulary, read_vocabulary, vocabulary_beside

COLUMNS = [
    "concept_id",
    "concept_name",
    "domain_id",
    "vocabulary_id",
    "concept_class_id",
    "standard_concept",
    "concept_code",
]
# Athena's own way: tabs, and marks that quote nothing. The first name is 8845's, the others are made to hurt.
ROWS = (
    ("8845", "picogram per milliliter", "Unit", "UCUM", "Unit", "S", "pg/mL"),
    ("1", '"Ringer", 5" line', "Drug", "RxNorm", "Clinical Drug", "S", "11"),
    ("2", "Größe, gemessen", "Measurement", "Hospital", "Lab Test", "", "22"),
)
KEPT = {
    "8845": ("pg/mL", "UCUM", "picogram per milliliter", "Unit"),
    "2": ("22", "Hospital", "Größe, gemessen", "Measurement"),
}


def written(mark: str) -> str:
    rows = [COLUMNS, *ROWS] if mark == "\t" else [COLUMNS, ROWS[0], [f'"{cell}"' for cell in ROWS[2]]]
    return "".join(mark.join(row) + "\n" for row in rows)


def beside(folder: Path) -> Source | None:
    return vocabulary_beside(Source(folder / "measurement.csv"), ["person_id", "UNIT_CONCEPT_ID"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("CONCEPT.csv", written("\t").encode()),
        ("concept.csv", written(",").upper().encode()),
        ("Concept.tsv", b"\xef\xbb\xbf" + written("\t").encode()),
        ("concept.csv.gz", gzip.compress(written(",").encode())),
    ],
)
def test_wanted_rows_are_read_from_any_text(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    source = beside(tmp_path)
    assert source is not None
    found = read_vocabulary(source, {"8845", "2", "77"})
    assert {key: tuple(map(str.casefold, row)) for key, row in found.items()} == {
        key: tuple(map(str.casefold, row)) for key, row in KEPT.items()
    }


def test_marks_between_tabs_quote_nothing(tmp_path: Path) -> None:
    (tmp_path / "CONCEPT.csv").write_text(written("\t"))
    source = beside(tmp_path)
    assert source is not None
    assert read_vocabulary(source, ["1"])["1"][2].endswith('Ringer", 5" line')
    assert read_vocabulary(source, []) == {}


def test_numbers_of_parquet_are_ids(tmp_path: Path) -> None:
    frame = pl.DataFrame([row for row in ROWS if row[0] != "1"], schema=COLUMNS, orient="row")
    frame.with_columns(pl.col("concept_id").cast(pl.Int32)).write_parquet(tmp_path / "CONCEPT.parquet")
    source = beside(tmp_path)
    assert source is not None
    assert read_vocabulary(source, ["8845", "2"]) == KEPT


def test_a_copy_without_domains_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "CONCEPT.csv").write_text(
        "concept_id,concept_name,vocabulary_id,concept_code\n2,Natrium,Hospital,22\n"
    )
    source = beside(tmp_path)
    assert source is not None
    assert read_vocabulary(source, ["2"]) == {"2": ("22", "Hospital", "Natrium", "")}


def test_only_tables_with_ids_of_concepts_look_beside(tmp_path: Path) -> None:
    nowhere = Source(tmp_path / "gone" / "labs.csv")
    assert vocabulary_beside(nowhere, ["patient_id", "concept", "value"]) is None
    with pytest.raises(FileNotFoundError):
        vocabulary_beside(nowhere, ["patient_id", "unit_concept_id"])


@pytest.mark.parametrize("name", ["concept_ancestor.csv", "my_concept.csv", "concept.xlsx"])
def test_other_names_are_no_vocabulary(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(written(","))
    assert beside(tmp_path) is None


def test_what_is_called_so_and_is_none_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "concept.csv").write_text("concept,meaning\n1,one\n")
    assert beside(tmp_path) is None
    assert is_vocabulary(COLUMNS)
    assert not is_vocabulary([*COLUMNS, "PERSON_ID"])
