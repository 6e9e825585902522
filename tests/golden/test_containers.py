"""SDTM domains and OMOP tables are known by their columns, whatever holds them. The files are written by other libraries."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import duckdb
import polars as pl
import pytest

from etl.readers import detect
from etl.readers.base import Hints, Source
from etl.sites.resolve import resolve

DOMAINS = {
    "DM": ("subjects", "USUBJID,SEX,BRTHDTC,AGE\nS1,F,1960-01-02,61\n"),
    "LB": (
        "lab_long",
        "USUBJID,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBDTC\nS1,VITB12,Vitamin B12,310,pg/mL,2021-03-05\n",
    ),
    "QS": (
        "item_long",
        "USUBJID,QSCAT,QSTESTCD,QSTEST,QSORRES,QSDTC\nS1,GAD-7,GAD0101,Nervous,2,2021-03-05\n",
    ),
    "RS": (
        "item_long",
        "USUBJID,RSCAT,RSTESTCD,RSTEST,RSORRES,RSDTC\nS1,HAMD 17,HAMD101,Mood,2,2021-03-05\n",
    ),
    "CM": ("medication", "USUBJID,CMTRT,CMDECOD,CMSTDTC\nS1,Sifrol,PRAMIPEXOLE,2020-01-01\n"),
    "MH": (
        "condition",
        "USUBJID,MHTERM,MHDECOD,MHSTDTC\nS1,restless legs,RESTLESS LEGS SYNDROME,2019-05-06\n",
    ),
}
Write = Callable[[pl.DataFrame, str, Path], Path]


def as_csv(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    frame.write_csv(folder / f"{name}.csv")
    return folder / f"{name}.csv"


def as_parquet(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    duckdb.sql(f"copy (select * from frame) to '{folder / name}.parquet' (format parquet)")
    return folder / f"{name}.parquet"


def as_arrow(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    frame.write_ipc(folder / f"{name}.arrow", compat_level=pl.CompatLevel.oldest())
    return folder / f"{name}.arrow"


def as_xpt(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    import pyreadstat

    pyreadstat.write_xport(frame, str(folder / f"{name}.xpt"), table_name=name, file_format_version=5)
    return folder / f"{name}.xpt"


def as_xlsx(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (frame.columns, *frame.rows()):
        book.active.append(list(row))
    book.save(folder / f"{name}.xlsx")
    return folder / f"{name}.xlsx"


def _dataset(frame: pl.DataFrame, name: str) -> dict[str, object]:
    columns = [{"name": each, "dataType": "string"} for each in frame.columns]
    return {"datasetJSONVersion": "1.1.0", "records": frame.height, "name": name, "columns": columns}


def as_dataset_json(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(_dataset(frame, name) | {"rows": frame.rows()}))
    return path


def as_dataset_ndjson(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    path = folder / f"{name}.ndjson"
    path.write_text("\n".join(map(json.dumps, [_dataset(frame, name), *frame.rows()])))
    return path


def as_compressed_dataset(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    path = folder / f"{name}.dsjc"
    path.write_bytes(
        zlib.compress("\n".join(map(json.dumps, [_dataset(frame, name), *frame.rows()])).encode())
    )
    return path


def as_odm(frame: pl.DataFrame, name: str, folder: Path) -> Path:
    """A repeated group of items, one a record, as sponsors send SDTM in ODM."""
    refs = "".join(f'<ItemRef ItemOID="IT.{name}.{each}"/>' for each in frame.columns)
    items = "".join(
        f'<ItemDef OID="IT.{name}.{each}" Name="{each}" DataType="text"/>' for each in frame.columns
    )
    groups = "".join(
        f'<ItemGroupData ItemGroupOID="IG.{name}" ItemGroupRepeatKey="{number}">'
        + "".join(
            f'<ItemData ItemOID="IT.{name}.{each}" Value={quoteattr(str(cell))}/>'
            for each, cell in row.items()
        )
        + "</ItemGroupData>"
        for number, row in enumerate(frame.to_dicts(), 1)
    )
    path = folder / f"{name}.xml"
    path.write_text(
        '<?xml version="1.0"?><ODM xmlns="http://www.cdisc.org/ns/odm/v1.3"><Study OID="S"><MetaDataVersion OID="M">'
        f'<FormDef OID="F" Name="F" Repeating="No"><ItemGroupRef ItemGroupOID="IG.{name}"/></FormDef>'
        f'<ItemGroupDef OID="IG.{name}" Name="{name}" Repeating="Yes">{refs}</ItemGroupDef>{items}</MetaDataVersion></Study>'
        '<ClinicalData StudyOID="S" MetaDataVersionOID="M"><SubjectData SubjectKey="S1"><StudyEventData StudyEventOID="E">'
        f'<FormData FormOID="F">{groups}</FormData></StudyEventData></SubjectData></ClinicalData></ODM>'
    )
    return path


WRITERS: dict[str, Write] = {
    each.__name__.removeprefix("as_"): each
    for each in (
        as_csv, as_parquet, as_arrow, as_xpt, as_xlsx, as_dataset_json, as_dataset_ndjson, as_compressed_dataset, as_odm,
    )
}  # fmt: skip


@pytest.mark.parametrize("container", WRITERS)
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_of_sdtm_is_known_in_every_container(tmp_path: Path, domain: str, container: str) -> None:
    shape, text = DOMAINS[domain]
    frame = pl.read_csv(text.encode(), infer_schema=False)
    source = Source(WRITERS[container](frame, domain, tmp_path))
    reader = detect(source)
    assert reader is not None
    (table,) = reader.inspect(source, Hints())
    found, by_csv = resolve(table.columns), resolve(tuple(frame.columns))
    assert found.shape == shape
    named = {role: column for role, column in found.roles.items() if column in frame.columns}
    assert (named, found.attributes) == (by_csv.roles, by_csv.attributes)
    (batch,) = reader.read(source, table, table.ranges[0], tuple(frame.columns))
    assert batch.frame.select(frame.columns).equals(frame)


PERSON = """
person_id,gender_source_value,birth_datetime
7,F,1960-01-02
"""
MEASUREMENT = """
measurement_id,person_id,measurement_date,operator_concept_id,value_as_number,unit_source_value,measurement_source_value,value_source_value
1,7,2021-03-05,4171756,150,pg/mL,2132-9,
"""
OBSERVATION = """
observation_id,person_id,observation_date,value_as_number,value_as_string,unit_source_value,observation_source_value
1,7,2021-03-06,,310,pg/mL,2132-9
2,7,2021-03-07,290,,pg/mL,2132-9
3,7,2021-03-07,,never,,67875-5
"""
CONDITION = """
condition_occurrence_id,person_id,condition_start_date,condition_source_value
1,7,2019-05-06,G25.81
"""
DRUG = """
drug_exposure_id,person_id,drug_exposure_start_date,drug_source_value
1,7,2020-01-01,N04BC05
"""
OMOP = {
    "person": PERSON,
    "measurement": MEASUREMENT,
    "observation": OBSERVATION,
    "condition_occurrence": CONDITION,
    "drug_exposure": DRUG,
}


def _tables(*, is_upper: bool = False) -> dict[str, pl.DataFrame]:
    frames = {name: pl.read_csv(text.strip().encode(), infer_schema=False) for name, text in OMOP.items()}
    if not is_upper:
        return frames
    return {name.upper(): frame.rename(str.upper) for name, frame in frames.items()}


def lower(folder: Path) -> Path:
    for name, frame in _tables().items():
        frame.write_csv(folder / f"{name}.csv")
    return folder


def upper(folder: Path) -> Path:
    for name, frame in _tables(is_upper=True).items():
        frame.write_csv(folder / f"{name}.csv")
    return folder


def parquet(folder: Path) -> Path:
    for name, frame in _tables(is_upper=True).items():
        as_parquet(frame, name, folder)
    return folder


def archive(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "cdm.zip", "w") as packed:
        for name, frame in _tables().items():
            packed.writestr(f"cdm/{name}.csv", frame.write_csv())
    return folder / "cdm.zip"


@pytest.mark.parametrize("write", [lower, upper, parquet, archive], ids=lambda each: each.__name__)
def test_omop_tables_have_one_content_in_every_container(place, write: Callable[[Path], Path]) -> None:
    (place.folder / "cdm").mkdir()
    report = place.ingest(write(place.folder / "cdm"))
    assert [each.status for each in report.files] == ["loaded"] * 5
    assert dict(report.totals())["out_of_scope"] == 1
    assert place.rows("select comparator, value, unit from core.lab_result order by value") == [
        ("<", 150.0, "pg/mL"),
        (None, 290.0, "pg/mL"),
        (None, 310.0, "pg/mL"),
    ]
    assert place.rows("select attribute, value from core.subject_attribute order by 1") == [
        ("birth_date", "1960-01-02"),
        ("sex", "female"),
    ]
    assert place.rows("select code, strftime(started_at, '%Y-%m-%d') from core.condition") == [
        ("G25.81", "2019-05-06")
    ]
    assert place.rows("select code, strftime(started_at, '%Y-%m-%d') from core.medication") == [
        ("N04BC05", "2020-01-01")
    ]
