"""Export the hospital Yuhe: Chinese, GB18030, commas, B12 in pmol/L, flags and full-width forms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from etl.demo.export import Dialect, Export, in_order
from etl.demo.hospital import Hospital, ScaleHeaders
from etl.demo.panel import Draw, Result

DIALECT = Dialect(encoding="gb18030")
LAB_HEADER = (
    *("病案号", "姓名", "性别", "出生日期", "标本号", "标本类型", "检验项目", "结果", "提示"),
    *("单位", "参考范围", "检测方法", "采样时间", "报告时间"),
)
SUBJECT_HEADER = ("病案号", "姓名", "性别", "出生日期", "组别", "配对号")
SCALES = ScaleHeaders(
    item={"irls": "IRLS 第{}题", "psqi": "PSQI 第{}题", "hama": "HAMA 第{}项", "hamd": "HAMD 第{}项"},
    total={"irls": "IRLS总分", "psqi": "PSQI总分", "hama": "HAMA总分", "hamd": "HAMD总分"},
)
SCALE_HEADER = ("病案号", "评估日期", *SCALES.all())

_SEX = {"male": "男", "female": "女"}
_GROUP = {"case": "病例", "control": "对照"}
_ARROW = {"L": "↓", "H": "↑", "": ""}
_FULL_WIDTH = str.maketrans("0123456789.", "０１２３４５６７８９．")


def yuhe_exports(hospital: Hospital) -> list[Export]:
    """Return laboratory results (long), scales (wide, items and totals) and the list of subjects."""
    records = [record for draw in hospital.draws for record in _lab_records(hospital, draw)]
    history = (record for draw in hospital.follow_ups() for record in _lab_records(hospital, draw))
    scales = [in_order(SCALE_HEADER, _scale_cells(draw)) for draw in hospital.draws]
    subjects = [in_order(SUBJECT_HEADER, _subject_cells(draw)) for draw in hospital.draws]
    return [
        Export("yuhe/lab_results.csv", DIALECT, LAB_HEADER, records, history),
        Export("yuhe/scales.csv", DIALECT, SCALE_HEADER, scales, measures=frozenset(SCALES.all())),
        Export("yuhe/subjects.csv", DIALECT, SUBJECT_HEADER, subjects, measures=frozenset()),
    ]


def _subject_cells(draw: Draw) -> dict[str, str]:
    subject = draw.subject
    return {
        "病案号": subject.identifier,
        "姓名": f"虚构{subject.identifier[-4:]}",
        "性别": _SEX[subject.sex],
        "出生日期": _day(subject.birth_date),
        "组别": _GROUP[subject.group],
        "配对号": subject.match_set,
    }


def _scale_cells(draw: Draw) -> dict[str, str]:
    subject = draw.subject
    return {"病案号": subject.identifier, "评估日期": _day(subject.administered_at), **SCALES.cells(subject)}


def _lab_records(hospital: Hospital, draw: Draw) -> Iterator[list[str]]:
    shared = {
        **_subject_cells(draw),
        "标本号": f"{draw.at:%Y%m%d}{draw.number:07d}",
        "采样时间": _minute(draw.at),
        "报告时间": _minute(draw.at + timedelta(hours=6)),
    }
    for place, result in enumerate(draw.results(hospital.panel)):
        yield in_order(LAB_HEADER, shared | _result_cells(result, 20 * draw.number + place))


def _result_cells(result: Result, count: int) -> dict[str, str]:
    """Return a result's cells; now and then the flag sticks to the value, or forms and range marks change."""
    printed, arrow = result.printed, _ARROW[result.flag]
    has_glued_flag = arrow != "" and count % 3 == 0
    text = result.text.translate(_FULL_WIDTH) if count % 31 == 0 else result.text
    dash = "～" if count % 13 == 0 else "--" if count % 19 == 0 else "-"
    return {
        "标本类型": printed.specimen,
        "检验项目": printed.name,
        "结果": f"{text} {arrow}" if has_glued_flag else text,
        "提示": "" if has_glued_flag else arrow,
        "单位": printed.unit.replace("/", "／") if count % 17 == 0 else printed.unit,
        "参考范围": f"{printed.low}{dash}{printed.high}",
        "检测方法": "化学发光法" if printed.name.startswith("★") else "",
    }


def _day(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _minute(at: datetime) -> str:
    return f"{_day(at)} {at.hour}:{at.minute:02d}"
