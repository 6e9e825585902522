"""Write one table of laboratory results in a format, for bench_readers.py: a process of its own, so that the memory
that writing takes is not counted as reading's.

    .venv/bin/python benchmarks/export_formats.py FORMAT PATH ROWS
"""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pyreadstat
import xlsxwriter

Row = dict[str, object]


def results(rows: int) -> Iterator[Row]:
    """Yield laboratory results; the same number of rows makes the same file."""
    for at in range(rows):
        yield {
            "sampleid": f"S{at:08d}", "subjid": f"{at // 10:06d}", "sex": "FM"[at // 10 % 2],
            "dob": f"{1930 + at // 10 % 60}-{at % 12 + 1:02d}-{at % 28 + 1:02d}", "loinc": "2132-9",
            "test": "Vitamin B12", "value": float(150 + at * 7 % 900), "unit": "pg/mL",
            "drawnat": f"2021-{at % 12 + 1:02d}-{at % 28 + 1:02d}", "status": "final",
        }  # fmt: skip


def write_csv(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_xlsx(path: Path, rows: list[Row]) -> None:
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("labs")
        for line, row in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
            sheet.write_row(line, 0, row)


def write_ods(path: Path, rows: list[Row]) -> None:
    def cell(value: object) -> str:
        if isinstance(value, float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    table = "".join(f"<table:table-row>{''.join(map(cell, line))}</table:table-row>" for line in lines)
    names = ("office", "table", "text")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        package.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{manifest}" m:version="1.2"/>')
        package.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name='labs'>{table}"
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        )


def write_parquet(path: Path, rows: list[Row]) -> None:
    pa.parquet.write_table(pa.Table.from_pylist(rows), path)


def write_arrow(path: Path, rows: list[Row]) -> None:
    pa.feather.write_feather(pa.Table.from_pylist(rows), str(path), compression="lz4")


def statistical(write: Callable[..., None], **options: object) -> Callable[[Path, list[Row]], None]:
    def writer(path: Path, rows: list[Row]) -> None:
        frame = pd.DataFrame(rows)
        write(frame.astype({name: object for name in frame if name != "value"}), str(path), **options)

    return writer


def write_json(path: Path, rows: list[Row]) -> None:
    path.write_text(json.dumps(rows), "utf-8")


def write_lines(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def write_dataset(path: Path, rows: list[Row]) -> None:
    kinds = {name: "double" if isinstance(cell, float) else "string" for name, cell in rows[0].items()}
    columns = [
        {"itemOID": name, "name": name, "label": name, "dataType": kind} for name, kind in kinds.items()
    ]
    about = {
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": "IG.LB",
        "records": len(rows),
        "name": "LB",
        "label": "LB",
    }
    path.write_text(
        json.dumps({**about, "columns": columns, "rows": [list(row.values()) for row in rows]}), "utf-8"
    )


def write_fhir(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            observation = {
                "resourceType": "Observation", "id": row["sampleid"], "status": row["status"],
                "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": row["loinc"], "display": row["test"]}]},
                "subject": {"reference": f"Patient/{row['subjid']}"}, "effectiveDateTime": f"{row['drawnat']}T08:00:00+01:00",
                "valueQuantity": {"value": row["value"], "unit": row["unit"], "system": "http://unitsofmeasure.org", "code": row["unit"]},
                "referenceRange": [{"low": {"value": 197, "unit": "pg/mL"}, "high": {"value": 771, "unit": "pg/mL"}}],
            }  # fmt: skip
            file.write(json.dumps(observation) + "\n")


def write_odm(path: Path, rows: list[Row]) -> None:
    """Write clinical data as typed by nobody: one form of nine items for each row, as REDCap does."""
    items = [name for name in rows[0] if name != "subjid"]
    with path.open("w", encoding="utf-8") as file:
        defined = "".join(f'<ItemDef OID="{name}" Name="{name}" DataType="text"/>' for name in items)
        group = "".join(f'<ItemRef ItemOID="{name}" Mandatory="No"/>' for name in items)
        file.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" ODMVersion="1.3.1" '
            'FileType="Snapshot" FileOID="1" CreationDateTime="2022-01-01T12:00:00"><Study OID="S"><GlobalVariables>'
            "<StudyName>S</StudyName><StudyDescription>S</StudyDescription><ProtocolName>S</ProtocolName></GlobalVariables>"
            '<MetaDataVersion OID="M" Name="M"><FormDef OID="F" Name="F" Repeating="Yes"><ItemGroupRef ItemGroupOID="G" '
            f'Mandatory="No"/></FormDef><ItemGroupDef OID="G" Name="G" Repeating="No">{group}</ItemGroupDef>{defined}'
            '</MetaDataVersion></Study>\n<ClinicalData StudyOID="S" MetaDataVersionOID="M">\n'
        )
        for at, row in enumerate(rows):
            data = "".join(f'<ItemData ItemOID="{name}" Value="{row[name]}"/>' for name in items)
            file.write(
                f'<SubjectData SubjectKey="{row["subjid"]}"><StudyEventData StudyEventOID="E"><FormData FormOID="F" '
                f'FormRepeatKey="{at + 1}"><ItemGroupData ItemGroupOID="G">{data}</ItemGroupData></FormData>'
                "</StudyEventData></SubjectData>\n"
            )
        file.write("</ClinicalData></ODM>\n")


def write_hl7(path: Path, rows: list[Row]) -> None:
    """Write a message of seven results for each row, as a laboratory's panel comes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for at, row in enumerate(rows):
            drawn = f"{str(row['drawnat']).replace('-', '')}0800"
            file.write(
                f"MSH|^~\\&|LAB|HOSP|ETL|STUDY|{drawn}||ORU^R01|{at}|P|2.5\r"
                f"PID|1||{row['subjid']}^^^HOSP^MR||||{str(row['dob']).replace('-', '')}|{row['sex']}\r"
                f"OBR|1|O{at}|F{at}|PANEL^Panel|||{drawn}|||||||||||||||{drawn}\r"
            )
            file.writelines(
                f"OBX|{n}|NM|{row['loinc']}^{row['test']}^LN||{row['value']}|{row['unit']}|197-771|N|||F|||{drawn}\r"
                for n in range(1, 8)
            )


WRITERS: dict[str, Callable[[Path, list[Row]], None]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
    "ods": write_ods,
    "parquet": write_parquet,
    "arrow": write_arrow,
    "xpt": statistical(pyreadstat.write_xport, file_format_version=5),
    "sav": statistical(pyreadstat.write_sav),
    "zsav": statistical(pyreadstat.write_sav, compress=True),
    "por": statistical(pyreadstat.write_por),
    "dta": statistical(pyreadstat.write_dta),
    "json": write_json,
    "ndjson": write_lines,
    "dataset-json": write_dataset,
    "fhir": write_fhir,
    "hl7": write_hl7,
    "odm": write_odm,
}


if __name__ == "__main__":
    WRITERS[sys.argv[1]](Path(sys.argv[2]), list(results(int(sys.argv[3]))))
