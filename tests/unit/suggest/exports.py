"""Tables for scoring: hand-made exports of hospitals, and tables whose cells follow the NHANES codebooks."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import polars as pl
import pyreadstat

RECORDS = 60

# Header: what its cells are. The numbers are spread over what adults usually have; `|` separates cells that repeat.
_ID = "id"
_TESTS = "维生素B12|铁蛋白|叶酸|同型半胱氨酸|白细胞计数(WBC)|肌酐"
_TESTS_EN = "Vitamin B12|Ferritin|Folate|Homocysteine|Leukocytes|Creatinine"
_TESTS_DE = "Vitamin B12|Ferritin|Folsäure|Homocystein|Leukozyten|Kreatinin"
_TESTS_JA = "ビタミンB12|フェリチン|葉酸|ホモシステイン|白血球数|クレアチニン"
_TESTS_IT = "Vitamina B12|Ferritina|Folati|Omocisteina|Leucociti|Creatinina"
_UNITS = "pg/mL|ng/mL|ng/mL|umol/L|10^9/L|umol/L"
_VALUES = "312|45.2|8.1|11.3|6.2|71"
_RANGES = "180-914|13-150|3.1-19.9|5-15|3.5-9.5|41-73"
_LOWS, _HIGHS = "180|13|3.1|5|3.5|41", "914|150|19.9|15|9.5|73"
_MOMENT, _DAY = "2021-03-{day} 08:12:00", "2021-03-{day}"

HOSPITALS: dict[str, dict[str, str]] = {
    "chinese_his": {
        "患者ID": _ID, "姓名": "王伟|李娜|张敏", "性别": "男|女", "年龄": "45岁|52岁|38岁|61岁", "出生日期": "19{two}-04-{day}",
        "科室": "神经内科|体检中心", "床号": "12|7|31", "标本号": "2021{n}", "标本类型": "血清|血浆", "采样时间": _MOMENT,
        "接收时间": "2021-03-{day} 08:40:00", "报告时间": "2021-03-{day} 15:02:00", "检验项目": _TESTS,
        "英文缩写": "VB12|FER|FOL|HCY|WBC|Cr", "结果": _VALUES, "提示": "↑||↓|", "单位": _UNITS, "参考范围": _RANGES,
        "检测方法": "化学发光法|酶法", "仪器": "Cobas e801|AU5800",
    },
    "chinese_ward": {
        "病案号": _ID, "性别": "男|女", "年龄": "45|52|38|61", "条码号": "9900{n}", "采样时间": _MOMENT,
        "审核时间": "2021-03-{day} 15:02:00", "项目名称": _TESTS, "结果值": _VALUES, "异常标志": "偏高|正常|偏低|正常",
        "单位": _UNITS, "参考区间": _RANGES, "检测方法": "化学发光法|酶法",
    },
    "chinese_checkup": {
        "体检号": _ID, "姓名": "王伟|李娜|张敏", "性别": "男|女", "出生日期": "19{two}-04-{day}", "检验单号": "7{n}",
        "项目名称": _TESTS, "检测结果": _VALUES, "单位": _UNITS, "参考值": _RANGES, "采样时间": _DAY,
    },
    "chinese_pinyin": {
        "brid": _ID, "jydh": "J{n}", "jyrq": _DAY, "jyff": "化学发光法|酶法", "xmbh": "1001|1002|1003|1004|1005|1006",
        "xmmc": _TESTS, "xmz": _VALUES, "dw": _UNITS, "ckfw": _RANGES, "xb": "男|女", "cysj": _MOMENT,
    },
    "chinese_api": {
        "PatientNo": _ID, "ProjectName": "*谷丙转氨酶|维生素B12|铁蛋白|叶酸|肌酐", "ReusltValue": "23|312|45.2|8.1|71",
        "ReferenceNormal": "7 ~ 40|180 ~ 914|13 ~ 150|3.1 ~ 19.9|41 ~ 73", "Unit": "U/L|pg/mL|ng/mL|ng/mL|umol/L",
        "Result": "低|正常|高", "SamplingTime": _MOMENT,
    },
    "varied_chinese": {
        "受检者编号": _ID, "患者性别代码": "男|女", "检验指标名称": _TESTS, "检测结果数值": _VALUES, "结果的单位": _UNITS,
        "参考值区间": _RANGES, "标本采样日期时间": _MOMENT, "标本的类型": "血清|血浆", "报告发布时间": "2021-03-{day} 15:02:00",
        "样本条码编号": "9900{n}", "检测的方法": "化学发光法|酶法", "患者联系电话": "1380000{n}", "开单医生": "赵医生|钱医生",
    },
    "varied_english": {
        "PatientIdentifierNumber": _ID, "PatientSurname": "Smith|Jones|Brown", "Lab_Test_Label": _TESTS_EN,
        "LabTestResultVal": _VALUES, "Unit Of Results": _UNITS, "NormalRangeLow": _LOWS, "NormalRangeHigh": _HIGHS,
        "SpecimenCollectionDttm": _MOMENT, "ResultReleasedTimestamp": "2021-03-{day} 15:02:00", "PtGender": "M|F",
        "PtBirthDt": "19{two}-04-{day}", "Specimen Kind": "Serum|Plasma", "TubeBarcodeNo": "B{n}", "AbnormalityFlag": "H||L|",
        "Date of last meal": "2021-03-{day}", "WardPhone": "555-{n}",
    },
    "varied_german": {
        "Probanden-Kennung": _ID, "Nachname": "Meier|Schulz", "Bezeichnung der Analyse": _TESTS_DE, "Laborwert Ergebnis": _VALUES,
        "Einheit des Ergebnisses": _UNITS, "Referenzbereich untere Grenze": _LOWS, "Referenzbereich obere Grenze": _HIGHS,
        "Datum Blutentnahme": "{day}.03.2021", "Geschlecht der Person": "m|w", "Befund-Freigabedatum": "{day}.03.2021",
        "Art der Probe": "Serum|Plasma", "Station": "3A|4B", "Aufnahmedatum": "{day}.02.2021",
    },
    "varied_wide": {
        "respondent key": _ID, "pt_gender": "F|M", "age_yr": "45|52|38|61", "sampling_day": _DAY, "lab_b12_value": "210|312|188|451",
        "test ferritin result": "45.2|13|88|120", "Vit-B12 test (pmol/L)": "155|230|139|333", "IRLS sum": "12|24|31|18",
        "shoe size": "38|42|44", "bed no": "1|2|3", "time to sleep": "22|30|45",
    },
    "varied_scales": {
        "subject nr": _ID, "survey_name": "IRLS|PSQI|HADS", "quest_no": "1|2|3|4|5", "points": "0|1|2|3", "date_answered": _DAY,
        "entered by": "MK|TS",
    },
    "varied_us": {
        "Patient MRN Number": _ID, "Lab Component Name": _TESTS_EN, "Numeric Result": _VALUES, "Result Unit Of Measure": _UNITS, "Ref Lower Bound": _LOWS, "Ref Upper Bound": _HIGHS, "Specimen Collected Date": "{day}/03/2021", "Result Verified Date": "{day}/03/2021", "Pat Birth Date": "{day}/04/19{two}", "Encounter Class": "IN|OUT", "Attending": "a|b",
    },
    "varied_uk": {
        "Hosp No": _ID, "Investigation Title": _TESTS_EN, "Reported Result": _VALUES, "Units of measurement": _UNITS, "Normal Limits": _RANGES, "Date Sample Taken": "{day}/03/2021", "Gender of Patient": "Male|Female", "GP Practice": "a|b", "Clinical details": "a|b",
    },
    "varied_german_2": {
        "Pat-Kennnummer": _ID, "Laboruntersuchung": _TESTS_EN, "Ergebniswert Labor": _VALUES, "Maßeinheit Ergebnis": _UNITS, "Norm untere": _LOWS, "Norm obere": _HIGHS, "Tag der Probenahme": "{day}.03.2021", "Patient Geschlecht": "w|m", "Geb. Datum Patient": "{day}.03.2021", "Einsender Station": "a|b",
    },
    "varied_japanese": {
        "患者識別番号": _ID, "検査項目名称": _TESTS_JA, "検査結果数値": _VALUES, "結果単位": _UNITS, "基準範囲値": _RANGES, "患者性別": "男|女", "患者年齢": "45|52", "診療科": "内科|外科",
    },
    "varied_italian": {
        "Numero Identificativo Paziente": _ID, "Nome Analita": _TESTS_IT, "Valore Risultato": _VALUES, "Unità Misura": _UNITS, "Range Riferimento": _RANGES, "Data Prelievo Campione": "{day}/03/2021", "Sesso Paziente": "M|F", "Reparto": "a|b",
    },
    "varied_spanish": {
        "Id del Paciente": _ID, "Nombre Prueba": _TESTS_IT, "Valor Resultado": _VALUES, "Unidad del Resultado": _UNITS, "Rango Referencia": _RANGES, "Fecha Toma Muestra": "{day}/03/2021", "Sexo Paciente": "M|F", "Servicio": "a|b",
    },
    "varied_chinese_2": {
        "就诊患者编号": _ID, "化验项目名称": "维生素B12|铁蛋白|叶酸|同型半胱氨酸|白细胞计数(WBC)|肌酐", "化验结果值": _VALUES, "结果计量单位": _UNITS, "正常参考区间": _RANGES, "血样采集时间": _MOMENT, "报告审核时间": _MOMENT, "病人性别": "男|女", "病人年龄岁": "45|52", "病区": "一|二",
    },
    "varied_camel": {
        "patientId2": _ID, "subjectUid": _ID, "analyteLabel": _TESTS_EN, "resultNumericValue": _VALUES, "refRangeLo": _LOWS, "refRangeHi": _HIGHS, "collectionTs": _MOMENT, "verifiedTs": _MOMENT,
    },
    "varied_meaningless": {
        "F01": _ID, "F02": _TESTS_EN, "F03": _VALUES, "F04": _UNITS, "F05": _RANGES, "F06": _DAY, "F07": "1|2|3",
    },
}  # fmt: skip


def write_hospital(folder: Path, name: str) -> Path:
    """Write one of the hand-made exports."""
    columns = HOSPITALS[name]
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([_cell(cells, row) for cells in columns.values()] for row in range(RECORDS))
    return path


def _cell(cells: str, row: int) -> str:
    if cells == _ID:
        return f"P{1000 + row // 5}"
    choices = cells.split("|")
    return choices[row % len(choices)].format(day=f"{13 + row % 15:02d}", n=f"{row:04d}", two=40 + row % 45)


_VARIABLE = re.compile(r"^### (\w+) - (.+?)\n(.*?)(?=^### |\Z)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"^(\S[^|]*?) \| ([^|]*) \| (\d+) \|", re.MULTILINE)


def read_codebook(path: Path) -> dict[str, tuple[str, list[float | None]]]:
    """Return the variables of an NHANES codebook: label, and cells that follow its table of frequencies."""
    text = path.read_text("utf-8")
    text = text[text.index("## Codebook") :]
    found = {}
    for name, label, body in _VARIABLE.findall(text):
        found[name] = (label.strip(), _cells(_CODE.findall(body)))
    return found


def _cells(rows: list[tuple[str, str, str]]) -> list[float | None]:
    """Return cells in the shares of the table; a range is filled from its low tenth upward, as measurements are."""
    if not rows:
        return [31131.0 + row for row in range(RECORDS)]  # SEQN has no table: a running number
    total = sum(int(count) for *_, count in rows) or 1
    cells: list[float | None] = []
    for code, _, count in rows:
        number = round(RECORDS * int(count) / total)
        span = re.fullmatch(r"([\d.]+) to ([\d.]+)", code.strip())
        if span:
            low, high = float(span[1]), float(span[2])
            width = min(
                high - low, 12 * low if low else high
            )  # the highest of thousands says nothing of the others
            cells += [round(low + width * (at + 1) / (number + 1), 1) for at in range(number)]
        elif re.fullmatch(r"[\d.]*\d", code.strip()):
            cells += [float(code)] * number
        else:
            cells += [None] * number
    return (cells + [None] * RECORDS)[:RECORDS]


def write_nhanes(folder: Path, codebook: Path, *, by_label: bool = False) -> Path:
    """Write a SAS transport file with the variables and labels of a codebook, or a CSV with the labels as headers."""
    variables = read_codebook(codebook)
    frame = pl.DataFrame({name: pl.Series(cells, dtype=pl.Float64) for name, (_, cells) in variables.items()})
    if by_label:
        path = folder / f"{codebook.stem}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([label for label, _ in variables.values()])
            writer.writerows(frame.iter_rows())
        return path
    path = folder / f"{codebook.stem}.xpt"
    labels = [label for label, _ in variables.values()]
    pyreadstat.write_xport(frame.to_pandas(), path, column_labels=labels, table_name=codebook.stem[:8])
    return path
