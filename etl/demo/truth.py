"""What is true about the demo: the subjects, the files as written and the planted defects."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etl.demo.cohort import R_HAMD, R_IRLS, Subject


@dataclass(frozen=True)
class FileTruth:
    """Counts of one written file, taken while writing; lines = records + sum(structural.values())."""

    path: str  # below the exports folder
    encoding: str
    delimiter: str
    lines: int
    records: int
    candidates: int  # one a long row or damaged line; a wide row's filled cells that the study measures
    structural: dict[str, int]


@dataclass(frozen=True)
class Defect:
    """One planted line and what a careful reader makes of it."""

    id: str
    kind: str
    file: str
    line: int  # physical line, from 1
    bucket: str  # held, duplicate, superseded, out_of_scope, accepted
    reason: str | None  # why it is held
    absent_reason: str | None  # why an accepted row has no value
    finding: str | None  # what a check over several rows must say
    note: str


@dataclass(frozen=True)
class DemoTruth:
    """The answer key."""

    seed: int
    scale: int
    subjects: tuple[Subject, ...]
    files: tuple[FileTruth, ...]
    defects: tuple[Defect, ...]

    def write(self, path: Path) -> None:
        """Write the answer key as JSON."""
        document = {
            "seed": self.seed,
            "scale": self.scale,
            "targets": {
                "odds_ratio_per_pg_ml": "0.97 (0.96-0.98)",
                "r_b12_irls": R_IRLS,
                "r_b12_hamd24": R_HAMD,
                "n_cases": sum(subject.group == "case" for subject in self.subjects),
                "n_controls": sum(subject.group == "control" for subject in self.subjects),
            },
            "subjects": [_describe(subject) for subject in self.subjects],
            "files": [asdict(file) for file in self.files],
            "defects": [asdict(defect) for defect in self.defects],
        }
        path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _describe(subject: Subject) -> dict[str, Any]:
    """Return a subject as JSON types; answers are text as printed, with a decimal dot."""
    return {
        "site": subject.site,
        "identifier": subject.identifier,
        "cohort_group": subject.group,
        "match_set": subject.match_set,
        "sex": subject.sex,
        "birth_date": subject.birth_date.isoformat(),
        "collected_at": subject.collected_at.isoformat(timespec="minutes"),
        "administered_at": subject.administered_at.isoformat(),
        "b12_pg_ml": subject.b12,
        "answers": subject.answers,
        "totals": {instrument: subject.total(instrument) for instrument in subject.answers},
    }
