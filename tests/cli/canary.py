"""A subject whose every trace is unmistakable, in every format that is read: in cells, sheets, files and archive members."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import polars as pl
import pyreadstat

# What stands in cells, in the name of a sheet, and in the names of files and archive members.
CELLS = ("ZZYZX-7731", "Zzyzx Wonderly", "1101051949123100", "98761.25", "7731x7731")
SHEET = "Sheetwood"
FILES = ("Quillfeather", "Membrandt")
HEADER = "patient_id,patient_name,national_id,sex,test,result,unit,collected,accession"
WHO = "ZZYZX-7731,Zzyzx Wonderly,110105194912310021,f"
CANARY = [
    f"{WHO},Vitamin B12,98761.25,pg/mL,2021-03-05 08:12,A1",  # accepted
    f"{WHO},Ferritin,7731x7731,ng/mL,2021-03-05 08:12,A2",  # held for its value
    f"{WHO},Vitamin B12,98761.25,pg/mL,Zzyzx Wonderly,A3",  # held for its date
    f"{WHO},Vitamin B12,98761.25,Zzyzx Wonderly,2021-03-05 08:13,A4",  # held for its unit
    f"{WHO},Vitamin B12",  # damaged
    f'{WHO},"Vitamin B12,98761.25,pg/mL,2021-03-05 08:12,A6',  # damaged by a quote
]
OTHERS = [f"N{at:02},Nemo,,m,Vitamin B12,{300 + at},pg/mL,2021-03-05 08:12,B{at}" for at in range(12)]
WHOLE = [*CANARY[:4], *OTHERS[:2]]  # rows with as many fields as the header


def rows(mark: str) -> list[dict[str, str]]:
    """Return the whole rows with accession numbers of their own, so that no file repeats another."""
    names = HEADER.split(",")
    found = [dict(zip(names, line.split(","), strict=True)) for line in WHOLE]
    return [row | {"accession": f"{mark}-{row['accession']}"} for row in found]


def text(mark: str = "") -> str:
    """Return a delimited file."""
    lines = "\n".join([HEADER, *CANARY, *OTHERS]) + "\n"
    return lines.replace(",A1\n", f",{mark}A1\n").replace(",A4\n", f",{mark}A4\n")


def shifted() -> str:
    """Return a file whose names stand where the analytes are: of one subject in many rows, and beside known words."""
    names = ["Zzyzx Wonderly"] * 7 + [
        "Potassium (Zzyzx Wonderly)",
        "Vitamin B12 Zzyzx Wonderly",
        "Zzyzx Wonderly B12",
    ]
    lines = [f"{WHO.partition(',')[0]},{name},{at},pg/mL,2021-03-05,S{at}" for at, name in enumerate(names)]
    others = [f"N{at:02},Frobnicase,{at},U/L,2021-03-05,F{at}" for at in range(5)]
    return "\n".join(["patient_id,test,result,unit,collected,accession", *lines, *others]) + "\n"


def write_exports(folder: Path) -> None:
    """Write an export in every format, each under a telling name."""
    (folder / "Quillfeather_labs.csv").write_text(text())
    (folder / "Quillfeather_utf16.tsv").write_text(text("U").replace(",", "\t"), "utf-16")
    (folder / "Quillfeather_shifted.csv").write_text(shifted())
    # Without its header line a file's first patient stands where the names of the columns should be.
    (folder / "Quillfeather_headless.csv").write_text(f"{WHO},Vitamin B12,300,pg/mL\nN01,Frobnicase,U\n")
    (folder / "Quillfeather.csv.gz").write_bytes(gzip.compress(text("G").encode()))
    _archives(folder)
    _workbook(folder / "Quillfeather.xlsx")
    _columnar(folder)
    _statistical(folder)
    _json(folder)
    _messages(folder / "Quillfeather.hl7")
    _fhir(folder)
    (folder / "Quillfeather.xml").write_text(_odm())


def _archives(folder: Path) -> None:
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("Membrandt/labs.csv", text("Z"))
    with tarfile.open(folder / "archive.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("Membrandt/tape.csv")
        member.size = len(text("T").encode())
        archive.addfile(member, io.BytesIO(text("T").encode()))


def _workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = SHEET
    book.active.append(HEADER.split(","))
    for row in rows("X"):
        book.active.append(list(row.values()))
    book.save(path)


def _columnar(folder: Path) -> None:
    pl.DataFrame(rows("P")).write_parquet(folder / "Quillfeather.parquet")
    pl.DataFrame(rows("I")).write_ipc(folder / "Quillfeather.arrow")


def _statistical(folder: Path) -> None:
    pyreadstat.write_sav(pd.DataFrame(rows("S")), folder / "Quillfeather.sav", column_labels=["Nemo"] * 9)
    pyreadstat.write_dta(pd.DataFrame(rows("D")), folder / "Quillfeather.dta")
    short = pd.DataFrame(rows("C")).rename(
        columns={"patient_id": "USUBJID", "patient_name": "PNAME", "national_id": "NID"}
    )
    pyreadstat.write_xport(short, folder / "Quillfeather.xpt", table_name="QUILLFTH")


def _json(folder: Path) -> None:
    lines = [json.dumps(row) for row in rows("J")]
    broken = '{"patient_name": "Zzyzx Wonderly", "result" 98761.25'
    (folder / "Quillfeather.ndjson").write_text("\n".join([*lines, broken]) + "\n")
    (folder / "Quillfeather.json").write_text(json.dumps(rows("K")))


def _messages(path: Path) -> None:
    head = r"MSH|^~\&|LAB|H|||20210305||ORU^R01|1|P|2.5"
    person = "PID|1||ZZYZX-7731||Wonderly^Zzyzx||19491231|F|||||||||||110105194912310021"
    order = "OBR|1|A1||B12|||202103050812"
    results = [
        "OBX|1|NM|2132-9^Vitamin B12^LN||98761.25|pg/mL|||||F|||202103050812",
        "OBX|2|ST|2132-9^Vitamin B12^LN||7731x7731|pg/mL|||||F|||202103050812",
        "OBX|3|NM|2132-9^Vitamin B12^LN||98761.25|Zzyzx Wonderly|||||F|||202103050812",
        "OBX|4|Zzyzx Wonderly",
    ]
    path.write_text("\r".join([head, person, order, *results]) + "\r")


def _fhir(folder: Path) -> None:
    patient = {
        "resourceType": "Patient",
        "id": "ZZYZX-7731",
        "name": [{"text": "Zzyzx Wonderly"}],
        "gender": "female",
        "identifier": [{"value": "110105194912310021"}],
    }
    observed = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2132-9"}]},
        "subject": {"reference": "Patient/ZZYZX-7731", "display": "Zzyzx Wonderly"},
        "effectiveDateTime": "2021-03-05T08:12:00+01:00",
    }
    values = [
        {"id": "o1", "valueQuantity": {"value": 98761.25, "unit": "pg/mL"}},
        {"id": "o2", "valueString": "7731x7731"},
        {"id": "o3", "valueQuantity": {"value": 98761.25, "unit": "Zzyzx Wonderly"}},
    ]
    resources = [patient, *({**observed, **value} for value in values)]
    (folder / "Quillfeather_fhir.ndjson").write_text("\n".join(map(json.dumps, resources)) + "\n")
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in resources],
    }
    (folder / "Quillfeather_bundle.json").write_text(json.dumps(bundle))


def _odm() -> str:
    names = ("sex", "birth date", "Vitamin B12 (pg/mL)")
    defined = "".join(
        f'<ItemDef OID="I.{at}" Name="{name}" DataType="text"/>' for at, name in enumerate(names)
    )
    listed = "".join(f'<ItemRef ItemOID="I.{at}"/>' for at in range(len(names)))
    values = ("Zzyzx Wonderly", "7731x7731", "98761.25")
    given = "".join(f'<ItemData ItemOID="I.{at}" Value="{value}"/>' for at, value in enumerate(values))
    return (
        '<?xml version="1.0"?><ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" ODMVersion="1.3.2" FileType="Snapshot">'
        '<Study OID="S"><MetaDataVersion OID="M"><StudyEventDef OID="SE" Name="Baseline" Repeating="No"><FormRef FormOID="F"/>'
        '</StudyEventDef><FormDef OID="F" Name="Visit" Repeating="No"><ItemGroupRef ItemGroupOID="G"/></FormDef>'
        f'<ItemGroupDef OID="G" Name="Blood" Repeating="No">{listed}</ItemGroupDef>{defined}</MetaDataVersion></Study>'
        '<ClinicalData StudyOID="S" MetaDataVersionOID="M"><SubjectData SubjectKey="ZZYZX-7731"><StudyEventData'
        f' StudyEventOID="SE"><FormData FormOID="F"><ItemGroupData ItemGroupOID="G">{given}</ItemGroupData></FormData>'
        "</StudyEventData></SubjectData></ClinicalData></ODM>"
    )
