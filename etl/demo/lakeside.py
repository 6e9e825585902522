"""Export the hospital Lakeside: US, UTF-8 with byte order mark, quoted; a wide report to 2020, LOINC from 2021 on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from etl.demo.cohort import Subject
from etl.demo.export import Dialect, Export, in_order
from etl.demo.hospital import Hospital
from etl.demo.panel import Draw, Panel, Printed, Result

DIALECT = Dialect(encoding="utf-8", line_end="\n", quote='"', byte_order_mark=b"\xef\xbb\xbf")
LONG_HEADER = (
    *("MRN", "Accession", "Test Name", "LOINC", "Result", "Units", "Reference Range", "Specimen"),
    *("Collected", "Result Date/Time", "Result Status"),
)
SCALE_HEADER = ("MRN", "Visit Date", "Instrument", "Item", "Score")
SUBJECT_HEADER = ("MRN", "Sex", "DOB", "Group", "Pair ID")

_LONG_FROM = 2021
_SEX = {"male": "M", "female": "F"}
_GROUP = {"case": "1", "control": "0"}
_INSTRUMENT = {"irls": "IRLS", "psqi": "PSQI", "hama": "HAM-A", "hamd": "HAMD-24"}


def lakeside_exports(hospital: Hospital) -> list[Export]:
    """Return the wide and the long laboratory export, scales (long) and the list of subjects."""
    return [
        _wide_labs(hospital),
        _long_labs(hospital),
        Export(
            "lakeside/scales.csv",
            DIALECT,
            SCALE_HEADER,
            [record for subject in hospital.subjects for record in _scale_records(subject)],
        ),
        Export(
            "lakeside/subjects.csv",
            DIALECT,
            SUBJECT_HEADER,
            [_subject_record(subject) for subject in hospital.subjects],
            measures=frozenset(),
        ),
    ]


def _wide_labs(hospital: Hospital) -> Export:
    panel = hospital.panel
    analytes = panel.analytes.values()
    header = ("MRN", "Collected", *(_wide_header(analyte.printed["lakeside"]) for analyte in analytes))
    measures = frozenset(_wide_header(analyte.printed["lakeside"]) for analyte in analytes if analyte.study)
    records = [_wide_record(panel, draw) for draw in hospital.draws if draw.at.year < _LONG_FROM]
    history = (_wide_record(panel, draw) for draw in hospital.follow_ups() if draw.at.year < _LONG_FROM)
    return Export("lakeside/labs_2020.csv", DIALECT, header, records, history, measures=measures)


def _long_labs(hospital: Hospital) -> Export:
    panel = hospital.panel
    index = [draw for draw in hospital.draws if draw.at.year >= _LONG_FROM]
    records = [record for draw in index for record in _long_records(panel, draw)]
    later = (draw for draw in hospital.follow_ups() if draw.at.year >= _LONG_FROM)
    history = (record for draw in later for record in _long_records(panel, draw))
    return Export("lakeside/labs_2021.csv.gz", DIALECT, LONG_HEADER, records, history)


def _wide_header(printed: Printed) -> str:
    return f"{printed.name.removeprefix('Vitamin ')} ({printed.unit})"


def _wide_record(panel: Panel, draw: Draw) -> list[str]:
    return [draw.subject.identifier, _minute(draw.at), *(result.text for result in draw.results(panel))]


def _long_records(panel: Panel, draw: Draw) -> Iterator[list[str]]:
    shared = {
        "MRN": draw.subject.identifier,
        "Accession": f"{draw.at:%y}-{draw.number:07d}",
        "Collected": _minute(draw.at),
        "Result Date/Time": _minute(draw.at + timedelta(hours=4)),
        "Result Status": "F",
    }
    for result in draw.results(panel):
        yield in_order(LONG_HEADER, shared | _result_cells(result))


def _result_cells(result: Result) -> dict[str, str]:
    printed = result.printed
    return {
        "Test Name": printed.name,
        "LOINC": printed.loinc,
        "Result": f"{result.text} {result.flag}".rstrip(),
        "Units": printed.unit,
        "Reference Range": f"{printed.low}-{printed.high}",
        "Specimen": printed.specimen,
    }


def _scale_records(subject: Subject) -> Iterator[list[str]]:
    shared = (subject.identifier, f"{subject.administered_at:%m/%d/%Y}")
    for instrument, answers in subject.answers.items():
        for item, answer in answers.items():
            yield [*shared, _INSTRUMENT[instrument], item, answer]
        yield [*shared, _INSTRUMENT[instrument], "Total", str(subject.total(instrument))]


def _subject_record(subject: Subject) -> list[str]:
    birth_date = f"{subject.birth_date:%m/%d/%Y}"
    return [subject.identifier, _SEX[subject.sex], birth_date, _GROUP[subject.group], subject.match_set]


def _minute(at: datetime) -> str:
    return f"{at:%m/%d/%Y %H:%M}"
