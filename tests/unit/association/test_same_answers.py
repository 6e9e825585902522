"""The same cohort in other units and formats gives the same answers; the truth is computed by numpy and statsmodels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from etl.demo import DemoTruth, generate

MOLAR_MASS = 1355.37  # g/mol, cyanocobalamin

# unit -> how many of it are one pg/mL
PER_PG_ML = {"pg/mL": 1.0, "ng/L": 1.0, "pmol/L": 1000 / MOLAR_MASS, "nmol/L": 1 / MOLAR_MASS, "ng/dL": 0.1}
LAB = ("Patient ID", "Collected", "Test", "Result", "Unit")

Rows = list[tuple[str, datetime, str]]  # subject, time of the draw, the number as printed


def write_csv(folder: Path, rows: Rows, unit: str) -> None:
    with (folder / "labs.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [LAB, *((s, f"{t:%Y-%m-%d %H:%M}", "Vitamin B12", v, unit) for s, t, v in rows)]
        )


def write_german(folder: Path, rows: Rows, unit: str) -> None:
    text = io.StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerow(("Patientennummer", "Entnahmedatum", "Analyt", "Ergebnis", "Einheit"))
    for subject, at, value in rows:
        table.writerow((subject, f"{at:%d.%m.%Y %H:%M}", "Vitamin B12", value.replace(".", ","), unit))
    (folder / "labor.csv").write_bytes(text.getvalue().encode("cp1252"))


def write_workbook(folder: Path, rows: Rows, unit: str) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(LAB)
    for subject, at, value in rows:
        book.active.append((subject, at, "Vitamin B12", float(value), unit))
    book.save(folder / "labs.xlsx")


def write_parquet(folder: Path, rows: Rows, unit: str) -> None:
    cells = [(s, t, "Vitamin B12", float(v), unit) for s, t, v in rows]
    pl.DataFrame(cells, schema=list(LAB), orient="row").write_parquet(folder / "labs.parquet")


def write_json(folder: Path, rows: Rows, unit: str) -> None:
    found = [
        dict(zip(LAB, (s, f"{t:%Y-%m-%d %H:%M}", "Vitamin B12", v, unit), strict=True)) for s, t, v in rows
    ]
    (folder / "labs.ndjson").write_text("\n".join(json.dumps(each) for each in found), "utf-8")


def write_hl7(folder: Path, rows: Rows, unit: str) -> None:
    messages = [
        "\r".join(
            (
                rf"MSH|^~\&|LIS|NORTH|||{at:%Y%m%d%H%M}||ORU^R01|{number}|P|2.5",
                f"PID|1||{subject}^^^NORTH",
                f"OBR|1||A{number}|B12^Vitamin B12|||{at:%Y%m%d%H%M}",
                f"OBX|1|NM|B12^Vitamin B12||{value}|{unit}|||||F|||{at:%Y%m%d%H%M}",
            )
        )
        for number, (subject, at, value) in enumerate(rows)
    ]
    (folder / "labs.hl7").write_text("\r\r".join(messages) + "\r", "utf-8")


def write_rest(folder: Path, truth: DemoTruth) -> None:
    """Write who the subjects are, and their totals of IRLS and HAMD-24 by item."""
    with (folder / "subjects.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("Patient ID", "Sex", "Birth Date", "Group"))
        for one in truth.subjects:
            table.writerow((name(one), one.sex, one.birth_date.isoformat(), one.group))
    with (folder / "scales.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("Patient ID", "Instrument", "Item", "Score", "Date"))
        for one in truth.subjects:
            for instrument in ("irls", "hamd"):
                for item, answer in one.answers.get(instrument, {}).items():
                    table.writerow((name(one), instrument, item, answer, one.administered_at.isoformat()))


def name(one) -> str:
    return f"{one.site[:2].upper()}{one.identifier}"


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> DemoTruth:
    return generate(tmp_path_factory.mktemp("made"), 7, defects=False)


@pytest.fixture(scope="module")
def expected(truth) -> dict[str, float]:
    from statsmodels.discrete.discrete_model import Logit

    b12 = np.array([one.b12 for one in truth.subjects])
    is_case = np.array([one.group == "case" for one in truth.subjects])
    cases = [one for one in truth.subjects if one.group == "case"]
    fit = Logit(is_case.astype(float), np.column_stack([np.ones(len(b12)), b12])).fit(disp=False)
    scores = {scale: [one.total(scale) for one in cases] for scale in ("irls", "hamd")}
    return {scale: np.corrcoef(b12[is_case], score)[0, 1] for scale, score in scores.items()} | {
        "or": float(np.exp(fit.params[1]))
    }


@pytest.mark.parametrize(
    ("write", "unit", "decimals"),
    [
        (write_csv, "pg/mL", 1),
        (write_german, "pmol/L", 1),
        (write_workbook, "ng/L", 0),
        (write_parquet, "nmol/L", 4),
        (write_json, "ng/dL", 1),
        (write_hl7, "pmol/L", 0),
    ],
)
def test_other_units_and_formats_give_the_same_answers(
    place, truth, expected, write: Callable[[Path, Rows, str], None], unit: str, decimals: int
):
    from etl.associate.describe import correlate
    from etl.associate.marts import read_frames, study_protocol
    from etl.associate.models import fit_models
    from etl.associate.prepare import prepare
    from etl.study import ensure_views
    from schemas.study import load_study

    folder = place.folder / "in"
    folder.mkdir()
    rows = [
        (name(one), one.collected_at, f"{one.b12 * PER_PG_ML[unit]:.{decimals}f}") for one in truth.subjects
    ]
    write(folder, rows, unit)
    write_rest(folder, truth)
    place.map("site: north\ntimezone: Asia/Shanghai\nfeeds: {scales: {files: ['scales.csv'], "
              "instruments: {hamd: {version: hamd_24}}}}\n")  # fmt: skip
    report = place.ingest(folder)
    assert report.totals()["held"] == 0, report.document()
    with place.connection(read_only=False) as connection:
        ensure_views(connection)
        protocol = study_protocol(load_study())
        subjects, _ = prepare(read_frames(connection, protocol), protocol)
    found = {e.id: e for part in (correlate, fit_models) for e in part(subjects, protocol).estimates}
    for scale in ("irls", "hamd"):
        r = found[f"correlation/pearson/case/b12~{scale}"]
        assert r.n == 80
        assert r.value == pytest.approx(expected[scale], abs=0.002)
    crude = found["model/crude/b12/1 pg/mL"]
    assert (crude.n_case, crude.n_control) == (80, 80)
    assert crude.value == pytest.approx(expected["or"], abs=0.0005)
