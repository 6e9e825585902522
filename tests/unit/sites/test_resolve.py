"""What a file is and what its columns mean. Expected roles are read by hand from the headers."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from etl.sites.resolve import Measure, Resolution, default_feed

REAL = Path(__file__).parents[4] / "shared" / "data"
needs_real_data = pytest.mark.skipif(not REAL.exists(), reason="the real data are not here")

# Headers, shape, roles and attributes by column.
FILES = [
    (
        "病案号|姓名|性别|出生日期|标本号|检验项目|结果|提示|单位|参考范围|采样时间|报告时间",
        "lab_long",
        "subject name sex birth_date source_id analyte value flag unit ref_text collected_at resulted_at",
    ),
    (
        "患者ID|项目名称|英文缩写|检测结果|异常标志|单位|参考区间|标本类型|采样日期|采样时间|检测方法|仪器",
        "lab_long",
        "subject analyte code value flag unit ref_text specimen collected_date collected_time method platform",
    ),
    (
        "Patientennummer|Auftragsnummer|Analyt|Ergebnis|Einheit|Normbereich|Entnahmedatum|Material|Geschlecht (m/w/d)|Alter (Jahre)",
        "lab_long",
        "subject source_id analyte value unit ref_text collected_at specimen sex age",
    ),
    (
        "Patient ID|Accession #|Test Name|LOINC Code|Result|Units|Reference Range|Abnormal Flag|Collection Date/Time|Result Status",
        "lab_long",
        "subject source_id analyte code value unit ref_text flag collected_at status",
    ),
    ("患者番号|検査項目|結果値|単位|基準値|採取日時|性別|生年月日", "lab_long", "subject analyte value unit ref_text collected_at sex birth_date"),
    ("brid|jydh|jyrq|jyff|xmbh|xmmc|xmz|dw|ckfw", "lab_long", "subject source_id collected_at method code analyte value unit ref_text"),
    ("Patientnummer|Analysenavn|Svar|Enhed|Referenceinterval|Prøvetidspunkt", "lab_long", "subject analyte value unit ref_text collected_at"),
    ("ID paciente|Prueba|Resultado|Unidades|Valores de referencia|Sexo", "lab_long", "subject analyte value unit ref_text sex"),
    ("Codice paziente|Esame|Risultato|Unità di misura|Valori di riferimento|Sesso", "lab_long", "subject analyte value unit ref_text sex"),
    ("PATIENT_ID|instrument|item|score|assessment date|rater", "item_long", "subject instrument item value administered_at rater"),
    ("病案号|量表名称|题号|得分|评估日期", "item_long", "subject instrument item value administered_at"),
    ("patient_id|item|answer", "item_long", "subject item value"),
    ("病案号|性别|出生日期|组别|配对号", "subjects", "subject sex birth_date cohort_group match_set"),
    ("MRN|Sex|DOB|Height (cm)|Weight (kg)", "subjects", "subject sex birth_date height weight"),
    ("PAT_MRN_ID|test name|result|unit", "lab_long", "subject analyte value unit"),
    ("Prontuário|test name|result|unit", "lab_long", "subject analyte value unit"),
    ("Hasta No|test name|result|unit", "lab_long", "subject analyte value unit"),
    ("등록번호|test name|result|unit", "lab_long", "subject analyte value unit"),
    ("환자번호|test name|result|unit", "lab_long", "subject analyte value unit"),
    ("old_id|new_id", "crosswalk", "link_from link_to"),
    ("file|rows|sha256", "manifest", "file rows sha256"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "shape", "names"), FILES)
def test_headers_settle_a_file(
    found: Callable[..., Resolution], headers: str, shape: str, names: str
) -> None:
    resolution = found(headers)
    meaning = resolution.roles | resolution.attributes
    assert (resolution.shape, resolution.explanation) == (shape, "")
    assert {column: name for name, column in meaning.items()} == dict(
        zip(headers.split("|"), names.split(), strict=True)
    )
    assert (resolution.unmapped, resolution.findings) == ((), ())


def test_a_wide_file(found: Callable[..., Resolution]) -> None:
    resolution = found(
        "MRN|Sex|Collection Date|B12 (pg/mL)|Ferritin|irls1|irls2|Rater|Weird B12 thing|Shoe size"
    )
    assert resolution.shape == "wide"
    assert resolution.measures == (
        Measure("B12 (pg/mL)", "lab", "vitamin_b12", "pg/mL"),
        Measure("Ferritin", "lab", "ferritin"),
        Measure("irls1", "item", instrument="irls", item="1"),
        Measure("irls2", "item", instrument="irls", item="2"),
    )
    assert resolution.roles == {"subject": "MRN", "collected_at": "Collection Date", "rater": "Rater"}
    assert resolution.attributes == {"sex": "Sex"}
    assert resolution.unmapped == ("Weird B12 thing", "Shoe size")
    assert resolution.resembling == {"Weird B12 thing": "vitamin_b12"}
    assert resolution.used_columns() == (
        "MRN",
        "Collection Date",
        "Rater",
        "Sex",
        "B12 (pg/mL)",
        "Ferritin",
        "irls1",
        "irls2",
    )
    assert resolution.basis == {
        "MRN": "synonym", "Collection Date": "synonym", "Rater": "synonym", "Sex": "synonym",
        "B12 (pg/mL)": "name", "Ferritin": "name", "irls1": "name", "irls2": "name",
    }  # fmt: skip


def test_one_date_serves_the_kinds_that_a_wide_file_measures(found: Callable[..., Resolution]) -> None:
    assert found("MRN|date|B12").roles == {"subject": "MRN", "collected_at": "date"}
    assert found("MRN|date|irls1").roles == {"subject": "MRN", "administered_at": "date"}
    assert found("MRN|date|irls1|B12").roles == {
        "subject": "MRN",
        "administered_at": "date",
        "collected_at": "date",
    }


def test_a_column_that_two_registries_claim_is_nobody_s(found: Callable[..., Resolution]) -> None:
    resolution = found("MRN|B12|Both")
    assert [measure.column for measure in resolution.measures] == ["B12"]
    assert resolution.unmapped == ("Both",)


def test_the_columns_of_a_long_file_are_never_measures(found: Callable[..., Resolution]) -> None:
    resolution = found("MRN|Test Name|Result|Unit|B12|Ferritin")
    assert (resolution.shape, resolution.measures) == ("lab_long", ())
    assert resolution.unmapped == ("B12", "Ferritin")
    assert resolution.resembling == {"B12": "vitamin_b12"}


def test_roles_of_a_row_mean_nothing_in_a_wide_file(found: Callable[..., Resolution]) -> None:
    resolution = found("MRN|B12|Unit|Result|Comment")
    assert resolution.roles == {"subject": "MRN", "comment": "Comment"}
    assert resolution.unmapped == ("Unit", "Result")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ("Test Name|Result|Unit", "no column names the subject"),
        ("Protokol No|Test Name|Result|Unit", "no column names the subject"),
        ("foo|bar", "no column names the subject"),
        ("MRN|foo", "no column holds a result"),
        ("患者ID|patient_id|性别", "'患者ID', 'patient_id'"),
        ("Patient ID|patient_id|Sex", "'Patient ID', 'patient_id'"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    found: Callable[..., Resolution], headers: str, said: str
) -> None:
    resolution = found(headers)
    assert (resolution.shape, resolution.roles, resolution.measures) == ("unmapped", {}, ())
    assert said in resolution.explanation
    assert sorted(resolution.unmapped) == sorted(headers.split("|"))
    assert all((finding.what, finding.why, finding.fix) for finding in resolution.findings)


def test_the_earlier_name_of_a_list_wins(found: Callable[..., Resolution]) -> None:
    assert found("住院号|病案号|性别").roles == {"subject": "病案号"}
    assert found("检验项目|项目名称|病案号|结果").roles["analyte"] == "项目名称"
    assert found("id|病案号|性别").roles == {"subject": "病案号"}


# The result of the component TIBC of a test IRON is no iron, whatever the language of the two headers.
@pytest.mark.parametrize(
    ("ordered", "measured"),
    [
        ("Test Name", "Component"),
        ("Test", "Parameter"),
        ("Investigation", "Parameter Name"),
        ("Testname", "Component Name"),
        ("Untersuchung", "Parameter"),
        ("项目名称", "明细项目名称"),
        ("检验项目", "指标名称"),
        ("prueba", "determinación"),
        ("esame", "analita"),
    ],
)
def test_what_was_measured_goes_before_what_was_ordered(
    found: Callable[..., Resolution], ordered: str, measured: str
) -> None:
    for pair in ((ordered, measured), (measured, ordered)):
        resolution = found("|".join(("Patient ID", *pair, "Result", "Unit")))
        assert (resolution.shape, resolution.roles["analyte"]) == ("lab_long", measured)


def test_two_analytes_of_equal_right_are_named(found: Callable[..., Resolution]) -> None:
    explanation = found("Patient ID|Test|Esame|Result|Unit").explanation
    assert explanation.startswith("analyte may be any of the columns 'Esame', 'Test'.")


def test_two_columns_of_equal_right_leave_an_optional_role_open(found: Callable[..., Resolution]) -> None:
    resolution = found("MRN|Test Name|Result|Unit|Einheit")
    assert "unit" not in resolution.roles
    assert resolution.unmapped == ("Unit", "Einheit")
    [finding] = resolution.findings
    assert "'Unit'" in finding.what
    assert "'Einheit'" in finding.what
    assert "columns: {unit: " in finding.fix


@pytest.mark.parametrize("header", ["PATIENT-ID", "patient id", "Ｐatient＿ID", " Patient_Id ", "patient.id"])
def test_case_width_and_punctuation_do_not_matter(found: Callable[..., Resolution], header: str) -> None:
    assert found([header, "sex"]).roles == {"subject": header}


@pytest.mark.parametrize("header", ["Height (in)", "Weight (lb)", "Sex partner count", "Result (other lab)"])
def test_brackets_that_say_something_else_are_another_column(
    found: Callable[..., Resolution], header: str
) -> None:
    assert header in found(["MRN", "DOB", header]).unmapped


def test_date_and_time_beside_a_moment(found: Callable[..., Resolution]) -> None:
    resolution = found("病案号|项目名称|结果|采样日期时间|采样日期|采样时间")
    assert resolution.roles["collected_at"] == "采样日期时间"
    assert resolution.unmapped == ("采样日期", "采样时间")


def test_a_resolution_survives_json(found: Callable[..., Resolution]) -> None:
    resolution = found("MRN|Sex|B12 (pg/mL)|Unit|foo|Einheit")
    text = json.dumps(asdict(resolution))
    assert TypeAdapter(Resolution).validate_json(text) == resolution


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ("MRN|Test|Result", "labs"),
        ("MRN|B12|irls1", "labs"),
        ("MRN|irls1", "scales"),
        ("MRN|item|answer", "scales"),
        ("MRN|sex", "subjects"),
        ("old_id|new_id", "crosswalk"),
    ],
)
def test_a_feed_without_a_mapping_is_named_by_its_content(
    found: Callable[..., Resolution], headers: str, name: str
) -> None:
    assert default_feed(found(headers)) == name


@needs_real_data
@pytest.mark.parametrize(
    ("path", "shape", "roles"),
    [
        (
            "cdisc/pilot/lb_original.csv.gz",
            "lab_long",
            {"subject": "USUBJID", "analyte": "LBTEST", "code": "LBTESTCD", "category": "LBCAT", "value": "LBORRES",
             "unit": "LBORRESU", "ref_low": "LBORNRLO", "ref_high": "LBORNRHI", "collected_at": "LBDTC", "visit": "VISIT"},
        ),
        (
            "scales/admiral/example_qs.csv",
            "item_long",
            {"subject": "USUBJID", "instrument": "QSCAT", "item": "QSTESTCD", "value": "QSORRES",
             "value_number": "QSSTRESN", "administered_at": "QSDTC", "visit": "VISIT"},
        ),
        ("cdisc/pilot/dm.csv", "subjects", {"subject": "USUBJID"}),
    ],
)  # fmt: skip
def test_a_trial_s_files(
    found: Callable[..., Resolution], path: str, shape: str, roles: dict[str, str]
) -> None:
    data = (REAL / path).read_bytes()
    text = (gzip.decompress(data) if path.endswith(".gz") else data).decode()
    resolution = found(next(csv.reader(text.splitlines())))
    assert (resolution.shape, resolution.roles, resolution.findings) == (shape, roles, ())
    assert {resolution.basis[column] for column in roles.values()} == {"sdtm"}
