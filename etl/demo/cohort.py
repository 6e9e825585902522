"""Make the cohort: 80 people with restless legs and 80 matched healthy controls in three hospitals.

The recipe makes the published figures come true: B12 of N(168, 50) pg/mL in cases and N(244, 50) in controls gives an
odds ratio of 0.97 (0.96-0.98) per pg/mL; among the cases B12 correlates with IRLS at -0.254 (the printed -0.025 is
impossible at n = 80) and with HAMD-24 at -0.295. It is a synthetic target, not the paper's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np

from etl.demo import scales
from etl.demo.panel import Panel, Printed
from etl.demo.sampling import Floats, arrange, stratified_normal, swap_to_correlation

PAIRS = {"yuhe": 40, "lindental": 20, "lakeside": 20}
SIZE = sum(PAIRS.values())
B12_MEAN = {"case": 168.0, "control": 244.0}
B12_SD = 50.0
R_IRLS = -0.254
R_HAMD = -0.295

_FIRST_VISIT = date(2020, 1, 13)
_VISIT_DAYS = 500
_MATCH_DAYS = (
    900  # birth dates of a pair; with at most 58 days between draws the ages differ by less than 3 years
)


@dataclass(frozen=True)
class Subject:
    """One person with the truth about the index visit; b12 in pg/mL as recovered from what the hospital prints."""

    site: str
    identifier: str
    group: str
    match_set: str
    sex: str
    birth_date: date
    collected_at: datetime
    administered_at: date
    b12: float
    answers: dict[str, scales.Answers]  # by instrument; no irls for controls

    def total(self, instrument: str) -> int:
        """Return the score of an instrument that the person answered."""
        answers = self.answers[instrument]
        return scales.score_psqi(answers) if instrument == "psqi" else scales.sum_items(answers)


@dataclass(frozen=True)
class _Visit:
    """Who comes when: what a matched pair shares."""

    site: str
    number: int
    sex: str
    birth_date: date
    administered_at: date


def make_cohort(rng: np.random.Generator, panel: Panel) -> list[Subject]:
    """Return the 160 subjects, case and control of a pair beside each other."""
    pairs = _pairs(rng)
    b12 = {group: _b12(rng, pairs, panel, group) for group in ("case", "control")}
    answers = {"case": _case_answers(rng, b12["case"]), "control": _control_answers(rng)}
    return [
        _subject(rng, visit, group, float(b12[group][place]), answers[group][place])
        for place, visit in enumerate(pairs)
        for group in ("case", "control")
    ]


def _pairs(rng: np.random.Generator) -> list[_Visit]:
    """Return one visit a pair, hospital by hospital; visits of a hospital cover the whole period."""
    visits = []
    for site, size in PAIRS.items():
        days = rng.permutation((np.arange(size) + rng.uniform(0, 1, size)) * _VISIT_DAYS / size)
        for number, day in enumerate(days.tolist()):
            age_days = int(rng.integers(30 * 365, 70 * 365))
            day_of_visit = _FIRST_VISIT + timedelta(days=int(day))
            sex = "female" if rng.random() < 0.65 else "male"
            visits.append(_Visit(site, number, sex, day_of_visit - timedelta(days=age_days), day_of_visit))
    return visits


def _b12(rng: np.random.Generator, pairs: Sequence[_Visit], panel: Panel, group: str) -> Floats:
    """Return one B12 a pair in pg/mL, each as its hospital prints it and above the hospital's lowest printed number."""
    printed = [panel.analytes["vitamin_b12"].printed[visit.site] for visit in pairs]
    lowest = np.array([one.lower_limit * one.factor + one.offset for one in printed])
    drawn = B12_MEAN[group] + B12_SD * stratified_normal(rng, SIZE)
    while (drawn < lowest + 1).any():
        drawn = rng.permutation(drawn)
    return np.array([recover(one, value) for one, value in zip(printed, drawn.tolist(), strict=True)])


def recover(printed: Printed, value: float) -> float:
    """Return what a reader makes of a value after the hospital rounded and printed it."""
    return float(printed.text(value)) * printed.factor + printed.offset


def _case_answers(rng: np.random.Generator, b12: Floats) -> list[dict[str, scales.Answers]]:
    """Answer all four scales for the cases; IRLS and HAMD totals hit their correlations with B12."""
    severity = R_IRLS * _standard(b12) + np.sqrt(1 - R_IRLS**2) * rng.normal(size=SIZE)
    irls_totals = np.clip(np.round(22 + 6 * stratified_normal(rng, SIZE)), 11, 36)
    irls = swap_to_correlation(b12, arrange(irls_totals, severity), R_IRLS)
    drive = _standard(irls)
    mood = -0.2 * _standard(b12) + 0.4 * drive + 0.85 * rng.normal(size=SIZE)
    hamd_totals = np.clip(np.round(13 + 5 * stratified_normal(rng, SIZE)), 2, 30)
    hamd = swap_to_correlation(b12, arrange(hamd_totals, mood), R_HAMD)
    hama = np.clip(np.round(11 + 2.5 * drive + 3 * rng.normal(size=SIZE)), 1, 30)
    sleep = np.clip(0.55 + 0.12 * drive + 0.1 * rng.normal(size=SIZE), 0.15, 0.95)
    return [
        {
            "irls": scales.spread(rng, int(irls[place]), scales.IRLS_MAXIMA, scales.IRLS_LEAST),
            **_other_answers(rng, float(sleep[place]), int(hama[place]), int(hamd[place])),
        }
        for place in range(SIZE)
    ]


def _control_answers(rng: np.random.Generator) -> list[dict[str, scales.Answers]]:
    """Answer PSQI, HAMA and HAMD for the controls; IRLS is undefined for them."""
    totals = rng.integers(0, 7, size=(SIZE, 2)).tolist()
    return [_other_answers(rng, float(rng.uniform(0.05, 0.2)), hama, hamd) for hama, hamd in totals]


def _other_answers(rng: np.random.Generator, sleep: float, hama: int, hamd: int) -> dict[str, scales.Answers]:
    return {
        "psqi": scales.answer_psqi(rng, sleep),
        "hama": scales.spread(rng, hama, scales.HAMA_MAXIMA, (0,) * 14),
        "hamd": scales.spread(rng, hamd, scales.HAMD_MAXIMA, (0,) * 24),
    }


def _subject(
    rng: np.random.Generator, visit: _Visit, group: str, b12: float, answers: dict[str, scales.Answers]
) -> Subject:
    """Place one member of a pair in time: scales within 20 days of the pair's date, blood within 7 days of them."""
    is_control = group == "control"
    older = int(rng.integers(-_MATCH_DAYS, _MATCH_DAYS + 1)) if is_control else 0
    later = int(rng.integers(-20, 21)) if is_control else 0
    administered_at = _clinic_day(visit.site, visit.administered_at + timedelta(days=later))
    drawn_on = administered_at + timedelta(days=int(rng.integers(-7, 8)))
    minute = int(rng.integers(7 * 60, 10 * 60))
    number = 1001 + 2 * visit.number + is_control
    return Subject(
        site=visit.site,
        identifier=f"{number:08d}" if visit.site == "yuhe" else str(number),
        group=group,
        match_set=f"{visit.site[:2].upper()}{visit.number + 1:02d}",
        sex=visit.sex,
        birth_date=visit.birth_date + timedelta(days=older),
        collected_at=datetime.combine(drawn_on, time(minute // 60, minute % 60)),
        administered_at=administered_at,
        b12=b12,
        answers=answers,
    )


def _clinic_day(site: str, day: date) -> date:
    """Lindental sees study patients in the first twelve days of a month: its dates alone never show their order."""
    return day.replace(day=1 + (day.day - 1) % 12) if site == "lindental" else day


def _standard(values: Floats) -> Floats:
    centred: Floats = values - values.mean()
    return centred / float(values.std())
