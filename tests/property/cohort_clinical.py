"""Writers of the formats that hospitals and studies exchange results in: FHIR, HL7 v2, CDISC, OMOP."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import hl7
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyreadstat

from tests.property.cohort import Cohort, Result, Writer

ZONE = "Europe/Berlin"
LOINC = "http://loinc.org"


def _numbers(value: float | None) -> float | None:
    """Return a number as JSON shows it: whole ones without a fraction."""
    return int(value) if value is not None and value.is_integer() else value


def _observation(made: Cohort, each: Result) -> dict:
    code: dict = {"coding": [{"system": LOINC, "code": each.test.code}]}
    said: dict = {
        "resourceType": "Observation", "id": each.sample, "status": "final", "code": code,
        "subject": {"reference": f"Patient/{each.subject.number}"}, "effectiveDateTime": made.drawn(each),
    }  # fmt: skip
    if each.number is not None:
        said["valueQuantity"] = {"value": _numbers(each.number), "unit": each.unit}
        if each.comparator:
            said["valueQuantity"]["comparator"] = each.comparator
    if made.is_full:
        code["text"] = each.test.name
        said["specimen"] = {"display": each.test.specimen}
        said["referenceRange"] = [{"low": {"value": each.test.low}, "high": {"value": each.test.high}}]
        said["effectiveDateTime"] = each.drawn.replace(
            tzinfo=ZoneInfo(ZONE)
        ).isoformat()  # FHIR asks for the zone
    return said


def resources(made: Cohort) -> list[dict]:
    patients = [
        {
            "resourceType": "Patient", "id": each.number, "gender": {"F": "female", "M": "male"}[each.sex],
            "birthDate": each.born.isoformat(),
        }
        for each in made.subjects
    ]  # fmt: skip
    return patients + [_observation(made, each) for each in made.results]


def _ndjson(made: Cohort, folder: Path) -> None:
    """As bulk export does: a file a type, gzipped."""
    for kind in ("Patient", "Observation"):
        lines = [json.dumps(each) + "\n" for each in resources(made) if each["resourceType"] == kind]
        (folder / f"{kind}.000.ndjson.gz").write_bytes(gzip.compress("".join(lines).encode()))


def _bundle(made: Cohort, folder: Path) -> None:
    entries = [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in resources(made)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (folder / "bundle.json").write_text(json.dumps(bundle), "utf-8")


def _segment(name: str, **fields: str | tuple[str, ...]) -> hl7.Segment:
    """Return a segment with some fields: f3=("12", "", "", "HOSP")."""
    numbered = {int(key[1:]): value for key, value in fields.items()}
    filled = [numbered.get(at, "") for at in range(1, max(numbered) + 1)]
    parts = [[each] if isinstance(each, str) else list(each) for each in filled]
    return hl7.Segment(
        "|", [hl7.Field("~", [name]), *(hl7.Field("~", [hl7.Repetition("^", part)]) for part in parts)]
    )


def _message(made: Cohort, number: int, results: list[Result]) -> str:
    subject = results[0].subject
    at = datetime(2022, 1, 1, 12, tzinfo=UTC).strftime("%Y%m%d%H%M%S")
    header = hl7.parse(
        f"MSH|^~\\&|LAB|HOSP|ETL|STUDY|{at}||ORU^R01^ORU_R01|{number}|P|2.5.1||||||UNICODE UTF-8\r"
    )[0]
    segments = [
        header,
        _segment("PID", f1="1", f3=(subject.number, "", "", "HOSP", "MR"), f7=subject.born.strftime("%Y%m%d"), f8=subject.sex),
    ]  # fmt: skip
    for place, each in enumerate(results, 1):
        drawn = each.drawn.strftime("%Y%m%d%H%M%S" if made.is_full else "%Y%m%d")
        name = each.test.name if made.is_full else ""
        specimen = each.test.specimen if made.is_full else ""
        limits = f"{each.test.low}-{each.test.high}" if made.is_full else ""
        segments += [
            _segment("OBR", f1=str(place), f3=f"F{number}", f4=("LAB", "Laboratory"), f7=drawn),
            *([_segment("SPM", f1="1", f4=("", specimen))] if made.is_full else []),
        ]
        value: str | tuple[str, ...] = (each.comparator, each.digits) if each.comparator else each.digits
        segments.append(
            _segment(
                "OBX", f1="1", f2="SN" if each.comparator else "NM", f3=(each.test.code, name, "LN"), f5=value,
                f6=each.unit, f7=limits, f11="F", f14=drawn, f21=each.sample,
            )
        )  # fmt: skip
    return str(hl7.Message("\r", segments))


def _hl7(made: Cohort, folder: Path) -> None:
    messages = [
        _message(made, number, [each for each in made.results if each.subject == subject])
        for number, subject in enumerate(made.subjects, 1)
    ]
    (folder / "oru.hl7").write_bytes("".join(messages).encode())


LB = {
    "STUDYID": ("string", "Study Identifier"), "DOMAIN": ("string", "Domain Abbreviation"),
    "USUBJID": ("string", "Unique Subject Identifier"), "LBSEQ": ("integer", "Sequence Number"),
    "LBREFID": ("string", "Specimen ID"), "LBTESTCD": ("string", "Lab Test or Examination Short Name"),
    "LBTEST": ("string", "Lab Test or Examination Name"), "LBLOINC": ("string", "LOINC Code"),
    "LBORRES": ("string", "Result or Finding in Original Units"), "LBORRESU": ("string", "Original Units"),
    "LBORNRLO": ("string", "Reference Range Lower Limit in Orig Unit"),
    "LBORNRHI": ("string", "Reference Range Upper Limit in Orig Unit"), "LBSPEC": ("string", "Specimen Type"),
    "LBDTC": ("string", "Date/Time of Specimen Collection"),
}  # fmt: skip
SHORT = {"Vitamin B12": "VITB12", "Creatinine": "CREAT", "Hemoglobin": "HGB", "Potassium": "K"}


def _lb(made: Cohort) -> list[dict[str, object]]:
    rows = []
    for at, each in enumerate(made.results, 1):
        full = (each.test.name, str(each.test.low), str(each.test.high), each.test.specimen)
        name, low, high, specimen = full if made.is_full else ("", "", "", "")
        short = SHORT.get(each.test.name, each.test.name.upper()[:8])
        values = (
            "B12RLS", "LB", each.subject.number, at, each.sample, short, name, each.test.code, each.printed, each.unit,
            low, high, specimen, made.drawn(each),
        )  # fmt: skip
        rows.append(dict(zip(LB, values, strict=True)))
    return rows


def _dm(made: Cohort) -> list[dict[str, object]]:
    return [
        {
            "STUDYID": "B12RLS", "DOMAIN": "DM", "USUBJID": each.number, "BRTHDTC": each.born.isoformat(), "SEX": each.sex,
        }
        for each in made.subjects
    ]  # fmt: skip


def _write_csv(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _sdtm_csv(made: Cohort, folder: Path) -> None:
    _write_csv(folder / "lb.csv", _lb(made))
    _write_csv(folder / "dm.csv", _dm(made))


def _sdtm_xpt(made: Cohort, folder: Path) -> None:
    for name, rows in (("LB", _lb(made)), ("DM", _dm(made))):
        pyreadstat.write_xport(
            pd.DataFrame(rows), str(folder / f"{name.lower()}.xpt"), table_name=name, file_format_version=5
        )


def _dataset(name: str, rows: list[dict[str, object]]) -> dict:
    columns = [
        {"itemOID": f"IT.{name}.{column}", "name": column, "label": label, "dataType": kind}
        for column in rows[0]
        for kind, label in [LB.get(column, ("string", column))]
    ]
    return {
        "datasetJSONCreationDateTime": "2022-01-01T12:00:00", "datasetJSONVersion": "1.1.0", "itemGroupOID": f"IG.{name}",
        "records": len(rows), "name": name, "label": name, "columns": columns,
    }  # fmt: skip


def _dataset_json(made: Cohort, folder: Path) -> None:
    for name, rows in (("LB", _lb(made)), ("DM", _dm(made))):
        whole = _dataset(name, rows) | {"rows": [list(row.values()) for row in rows]}
        (folder / f"{name.lower()}.json").write_text(json.dumps(whole), "utf-8")


def _dataset_ndjson(made: Cohort, folder: Path) -> None:
    for name, rows in (("LB", _lb(made)), ("DM", _dm(made))):
        lines = [_dataset(name, rows), *(list(row.values()) for row in rows)]
        (folder / f"{name.lower()}.ndjson").write_text(
            "".join(json.dumps(each) + "\n" for each in lines), "utf-8"
        )


OPERATORS = {"": 0, "<": 4171756, "<=": 4171754, ">": 4172704, ">=": 4171755}  # OMOP's concepts of the signs


def _measurement(made: Cohort) -> list[dict[str, object]]:
    """OMOP CDM 5.4; the columns of concepts that nobody filled are 0. It has no column for a test's name or specimen."""
    return [
        {
            "measurement_id": each.sample, "person_id": each.subject.number, "measurement_concept_id": 0,
            "measurement_date": each.drawn.date(), "measurement_type_concept_id": 32856,
            "operator_concept_id": OPERATORS[each.comparator], "value_as_number": each.number, "unit_concept_id": 0,
            "measurement_source_value": each.test.code, "unit_source_value": each.unit or None, "value_source_value": None,
        }
        for each in made.results
    ]  # fmt: skip


def _person(made: Cohort) -> list[dict[str, object]]:
    return [
        {
            "person_id": each.number, "gender_concept_id": {"F": 8532, "M": 8507}[each.sex], "year_of_birth": each.born.year,
            "month_of_birth": each.born.month, "day_of_birth": each.born.day,
            "birth_datetime": datetime(each.born.year, each.born.month, each.born.day), "gender_source_value": each.sex,
        }
        for each in made.subjects
    ]  # fmt: skip


def _omop_csv(made: Cohort, folder: Path) -> None:
    for name, rows in (("MEASUREMENT", _measurement(made)), ("PERSON", _person(made))):
        shouted = [{column.upper(): cell for column, cell in row.items()} for row in rows]
        _write_csv(folder / f"{name}.csv", shouted)


def _omop_parquet(made: Cohort, folder: Path) -> None:
    for name, rows in (("measurement", _measurement(made)), ("person", _person(made))):
        columns = {column: pa.array([row[column] for row in rows]) for column in rows[0]}
        columns |= {
            column: each.cast(pa.string()) for column, each in columns.items() if pa.types.is_null(each.type)
        }
        pa.parquet.write_table(pa.table(columns), folder / f"{name}.parquet")


FULL: dict[str, Writer] = {
    "FHIR NDJSON": _ndjson,
    "FHIR bundle": _bundle,
    "HL7 v2": _hl7,
    "SDTM csv": _sdtm_csv,
    "SDTM xpt": _sdtm_xpt,
    "Dataset-JSON": _dataset_json,
    "Dataset-NDJSON": _dataset_ndjson,
}
CODED: dict[str, Writer] = {"OMOP csv": _omop_csv, "OMOP parquet": _omop_parquet}
# SDTM and OMOP have no column for final or preliminary, OMOP none for the system of its source codes: a site declares it.
DECLARED = tuple(name for name in (*FULL, *CODED) if name.startswith(("SDTM", "Dataset", "OMOP")))
