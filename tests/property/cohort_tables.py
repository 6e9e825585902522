"""Writers of plain tables, each by the format's own library or by hand."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import zipfile
from datetime import date, datetime
from html import escape
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pyreadstat
import xlwt

from tests.property.cohort import Cohort, Writer, flat, frame, printed


def csv_text(made: Cohort, delimiter: str = ",") -> str:
    rows = printed(made)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    for row, each in zip(rows, made.results, strict=True):
        writer.writerow(row | {"value": each.printed, "drawnat": made.drawn(each).replace("T", " ")})
    return text.getvalue()


def _csv(made: Cohort, folder: Path) -> None:
    (folder / "labs.csv").write_bytes(csv_text(made).encode())


def _tsv_in_utf_16(made: Cohort, folder: Path) -> None:
    (folder / "labs.txt").write_bytes(csv_text(made, "\t").encode("utf-16"))


def _gz(made: Cohort, folder: Path) -> None:
    (folder / "labs.csv.gz").write_bytes(gzip.compress(csv_text(made).encode()))


def _zip(made: Cohort, folder: Path) -> None:
    with zipfile.ZipFile(folder / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2021/labs.csv", csv_text(made))
        archive.writestr("__MACOSX/2021/._labs.csv", b"\0\5\26\7")


def _tar_gz(made: Cohort, folder: Path) -> None:
    data = csv_text(made).encode()
    with tarfile.open(folder / "export.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("2021/labs.csv")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))


def _xlsx(made: Cohort, folder: Path) -> None:
    rows = printed(made)
    book = openpyxl.Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    book.save(folder / "labs.xlsx")


def _xls(made: Cohort, folder: Path) -> None:
    rows = printed(made)
    book = xlwt.Workbook()
    sheet = book.add_sheet("labs")
    day, moment = xlwt.easyxf(num_format_str="YYYY-MM-DD"), xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM")
    for at, name in enumerate(rows[0]):
        sheet.write(0, at, name)
    for line, row in enumerate(rows, 1):
        for at, cell in enumerate(row.values()):
            styles = {datetime: (moment,), date: (day,)}
            sheet.write(line, at, cell, *styles.get(type(cell), ()))
    book.save(str(folder / "labs.xls"))


def _ods(made: Cohort, folder: Path) -> None:
    """OpenDocument 1.2, part 1, sections 9.1 (tables) and 19.385 (office:value-type)."""

    def cell(value: object) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, float | int):
            return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
        if isinstance(value, date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
        text = f"<text:p>{escape(str(value))}</text:p>"
        return f'<table:table-cell office:value-type="string">{text}</table:table-cell>'

    rows = printed(made)
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    table = "".join(f"<table:table-row>{''.join(map(cell, line))}</table:table-row>" for line in lines)
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="labs">{table}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    with zipfile.ZipFile(folder / "labs.ods", "w") as package:
        package.writestr("mimetype", kind)
        package.writestr("META-INF/manifest.xml", manifest)
        package.writestr("content.xml", content)


def _html(made: Cohort, folder: Path) -> None:
    rows = pd.read_csv(io.StringIO(csv_text(made)), dtype=str, keep_default_na=False)
    rows.to_html(folder / "labs.xls", index=False)


def _table(made: Cohort) -> pa.Table:
    rows = flat(made)
    return pa.table({name: [row[name] for row in rows] for name in rows[0]})


def _parquet(made: Cohort, folder: Path) -> None:
    pa.parquet.write_table(_table(made), folder / "labs.parquet")


def _arrow(made: Cohort, folder: Path) -> None:
    table = _table(made)
    with pa.OSFile(str(folder / "labs.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def _feather(made: Cohort, folder: Path) -> None:
    pa.feather.write_feather(_table(made), str(folder / "labs.feather"))


def _sas(version: int) -> Writer:
    def write(made: Cohort, folder: Path) -> None:
        path = str(folder / "labs.xpt")
        pyreadstat.write_xport(frame(made), path, table_name="LABS", file_format_version=version)

    return write


def _sav(made: Cohort, folder: Path) -> None:
    pyreadstat.write_sav(frame(made), str(folder / "labs.sav"))


def _zsav(made: Cohort, folder: Path) -> None:
    pyreadstat.write_sav(frame(made), str(folder / "labs.zsav"), compress=True)


def _por(made: Cohort, folder: Path) -> None:
    pyreadstat.write_por(frame(made), str(folder / "labs.por"))


def _dta(made: Cohort, folder: Path) -> None:
    pyreadstat.write_dta(frame(made), str(folder / "labs.dta"))


def _objects(made: Cohort) -> list[dict[str, object]]:
    return [
        row | {"drawnat": made.drawn(each), "dob": each.subject.born.isoformat()}
        for row, each in zip(flat(made), made.results, strict=True)
    ]


def _json(made: Cohort, folder: Path) -> None:
    (folder / "labs.json").write_text(json.dumps(_objects(made), indent=1), "utf-8")


def _ndjson(made: Cohort, folder: Path) -> None:
    (folder / "labs.ndjson").write_text("".join(json.dumps(row) + "\n" for row in _objects(made)), "utf-8")


# sas7bdat and xlsb have no free writer; their readers are tested on public files.
TABLES: dict[str, Writer] = {
    "csv": _csv,
    "tsv in UTF-16": _tsv_in_utf_16,
    "csv.gz": _gz,
    "zip": _zip,
    "tar.gz": _tar_gz,
    "xlsx": _xlsx,
    "xls": _xls,
    "ods": _ods,
    "html named xls": _html,
    "parquet": _parquet,
    "arrow": _arrow,
    "feather": _feather,
    "xpt 5": _sas(5),
    "xpt 8": _sas(8),
    "sav": _sav,
    "zsav": _zsav,
    "por": _por,
    "dta": _dta,
    "json": _json,
    "ndjson": _ndjson,
}
