"""Export the hospital Lindental: German, cp1252, semicolons, decimal commas, B12 in pg/ml and later in ng/L."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from etl.demo.export import Dialect, Export, in_order
from etl.demo.hospital import Hospital, ScaleHeaders
from etl.demo.panel import Draw, Result

DIALECT = Dialect(encoding="cp1252", delimiter=";")
LAB_HEADER = (
    *("Patientennummer", "Auftragsnummer", "Analyt", "Ergebnis", "Einheit", "Normbereich"),
    *("Entnahmedatum", "Befunddatum", "Material", "Bemerkung"),
)
SUBJECT_HEADER = ("Patientennummer", "Patientenname", "Geschlecht", "Geburtsdatum", "Gruppe", "Paarnummer")
SCALES = ScaleHeaders(
    item={"irls": "IRLS Frage {}", "psqi": "PSQI Frage {}", "hama": "HAMA Item {}", "hamd": "HAMD Item {}"},
    total={"irls": "IRLS Summe", "psqi": "PSQI Summe", "hama": "HAMA Summe", "hamd": "HAMD Summe"},
)
SCALE_HEADER = ("Patientennummer", "Erhebungsdatum", *SCALES.all())

_UNIT_RENAMED_IN = 2021
_FIRST_NAMES = ("Jürgen", "Käthe", "Björn", "Änne", "Günter", "Zoë", "Rüdiger", "Grit Weiß")
_SEX = {"male": "m", "female": "w"}
_GROUP = {"case": "Fall", "control": "Kontrolle"}


def lindental_exports(hospital: Hospital) -> list[Export]:
    """Return laboratory results (long, with preamble and total line), scales (wide) and the list of patients."""
    records = [record for draw in hospital.draws for record in _lab_records(hospital, draw)]
    history = (record for draw in hospital.follow_ups() for record in _lab_records(hospital, draw))
    scales = [in_order(SCALE_HEADER, _scale_cells(draw)) for draw in hospital.draws]
    subjects = [in_order(SUBJECT_HEADER, _subject_cells(draw)) for draw in hospital.draws]
    preamble = (
        "Klinikum Lindental (erfunden), Zentrallabor",
        "Export für die Studie",
        "Stand: 03.07.2023 09:15",
    )
    return [
        Export("lindental/labor.csv", DIALECT, LAB_HEADER, records, history, preamble, "Gesamt: {} Befunde"),
        Export("lindental/skalen.csv", DIALECT, SCALE_HEADER, scales, measures=frozenset(SCALES.all())),
        Export("lindental/patienten.csv", DIALECT, SUBJECT_HEADER, subjects, measures=frozenset()),
    ]


def _subject_cells(draw: Draw) -> dict[str, str]:
    subject = draw.subject
    first_name = _FIRST_NAMES[int(subject.identifier) % len(_FIRST_NAMES)]
    return {
        "Patientennummer": subject.identifier,
        "Patientenname": f"Beispiel-{subject.identifier}, {first_name}",
        "Geschlecht": _SEX[subject.sex],
        "Geburtsdatum": f"{subject.birth_date:%d.%m.%Y}",
        "Gruppe": _GROUP[subject.group],
        "Paarnummer": subject.match_set,
    }


def _scale_cells(draw: Draw) -> dict[str, str]:
    subject = draw.subject
    cells = {header: text.replace(".", ",") for header, text in SCALES.cells(subject).items()}
    shared = {
        "Patientennummer": subject.identifier,
        "Erhebungsdatum": f"{subject.administered_at:%d.%m.%Y}",
    }
    return shared | cells


def _lab_records(hospital: Hospital, draw: Draw) -> Iterator[list[str]]:
    shared = {
        "Patientennummer": draw.subject.identifier,
        "Auftragsnummer": f"A{draw.number:08d}",
        "Entnahmedatum": f"{draw.at:%d.%m.%Y %H:%M}",
        "Befunddatum": f"{draw.at + timedelta(hours=5):%d.%m.%Y %H:%M}",
    }
    for result in draw.results(hospital.panel):
        yield in_order(LAB_HEADER, shared | _result_cells(result, draw.at))


def _result_cells(result: Result, at: datetime) -> dict[str, str]:
    printed = result.printed
    is_old_unit = printed.unit == "ng/L" and at.year < _UNIT_RENAMED_IN
    return {
        "Analyt": printed.name,
        "Ergebnis": result.text.replace(".", ","),
        "Einheit": "pg/ml" if is_old_unit else printed.unit,
        "Normbereich": f"{printed.low}-{printed.high}".replace(".", ","),
        "Material": printed.specimen,
        "Bemerkung": "nüchtern" if "nüchtern" in printed.name else "",
    }
