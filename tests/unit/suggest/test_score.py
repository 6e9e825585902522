"""`map suggest` on headers that are in no list: at least 95 % of the needed fields right, the rest open, none wrong."""

from __future__ import annotations

import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from etl.suggest.model import TableDraft
from etl.suggest.suggest import suggest
from schemas.columns import COLUMNS
from tests.unit.suggest.exports import HOSPITALS, write_hospital, write_nhanes

ANSWERS = tomllib.loads(Path(__file__).with_name("answers.toml").read_text("utf-8"))
LEAST = 0.95
NHANES = {
    "nhanes_b12": "B12_D", "nhanes_ferritin": "FERTIN_D", "nhanes_folate": "FOLATE_D", "nhanes_phq9": "DPQ_D",
    "nhanes_demo": "DEMO_D", "nhanes_sleep": "SLQ_D", "nhanes_biochemistry_2003": "L06NB_C",
}  # fmt: skip
REAL = {
    "sdtm_lb_pilot": "cdisc/pilot/lb_original.csv.gz",
    "sdtm_lb_metabolic": "cdisc/pharmaversesdtm/lb_metabolic.csv",
    "sdtm_vs": "cdisc/msg2/vs.xpt",
    "sdtm_qs": "cdisc/pharmaversesdtm/qs_metabolic.csv",
    "sdtm_qs_gad": "scales/admiral/example_qs.csv",
    "sdtm_dm": "cdisc/pilot/dm.csv",
    "redcap_trial": "redcap/REDCapR/clinical-trial-1/data.csv",
    "redcap_longitudinal": "redcap/REDCapR/longitudinal/data.csv",
    "redcap_survey": "redcap/REDCapR/survey/data.csv",
    "redcap_decimal": "redcap/REDCapR/decimal-dot/data.csv",
}
OMOP = {
    "omop_measurement": "MEASUREMENT.csv", "omop_person": "PERSON.csv", "omop_condition": "CONDITION_OCCURRENCE.csv",
    "omop_drug": "DRUG_EXPOSURE.csv",
}  # fmt: skip


@pytest.fixture
def no_synonyms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide every list of headers: a column is known by none of them, nor an analyte by a variable's name."""
    hidden = replace(COLUMNS, by_key={}, no_headers=frozenset((*COLUMNS.roles, *COLUMNS.attributes)))
    for module in list(sys.modules.values()):
        if getattr(module, "COLUMNS", None) is COLUMNS and module.__name__ != __name__:
            monkeypatch.setattr(module, "COLUMNS", hidden)
    monkeypatch.setattr("etl.harmonize.headers._listed", lambda _: None)


def suggested(table: TableDraft) -> dict[str, str]:
    found = {choice.column: choice.field for choice in table.choices}
    for each in table.measures:
        measure = each.measure
        found[measure.column] = measure.analyte or f"{measure.instrument} {measure.item}"
    return found


def _score(name: str, path: Path) -> tuple[int, int, list[str]]:
    """Return how many needed fields are right, how many there are, and what is wrong."""
    (table,) = suggest([str(path)], "north").tables
    key, found = ANSWERS[name], suggested(table)
    right = {**key.get("also", {}), **key["needed"]}
    wrong = [
        f"{name}: {column} is no {field}"
        for column, field in found.items()
        if field
        not in (right.get(column, ()) if isinstance(right.get(column), list) else [right.get(column)])
    ]
    hits = sum(column in found for column in key["needed"])
    missed = [column for column in key["needed"] if column not in found]
    if missed:
        print(f"  {name}: open are {', '.join(missed)}")  # noqa: T201 - the score is there to be read
    return (
        hits - sum(message.split(": ")[1].split(" is no ")[0] in key["needed"] for message in wrong),
        len(key["needed"]),
        wrong,
    )


def _paths(shared: Path, folder: Path) -> dict[str, Path]:
    """Return every table of the answer key as a file."""
    paths = {name: shared / place for name, place in REAL.items()}
    for name, codebook in NHANES.items():
        source = shared / "nhanes_codebooks" / f"{codebook}.md"
        paths[name] = write_nhanes(folder, source)
        if f"{name}_labels" in ANSWERS:
            paths[f"{name}_labels"] = write_nhanes(folder, source, by_label=True)
    with zipfile.ZipFile(next((shared / "omop").rglob("*.zip"))) as archive:
        for name, member in OMOP.items():
            paths[name] = Path(archive.extract(member, folder))
    return paths | {name: write_hospital(folder, name) for name in HOSPITALS}


def test_headers_in_no_list(
    shared: Path, tmp_path: Path, no_synonyms: None, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = _paths(shared, tmp_path)
    assert paths.keys() == ANSWERS.keys()
    total = right = 0
    wrong: list[str] = []
    with capsys.disabled():
        for name, path in paths.items():
            hits, needed, errors = _score(name, path)
            right, total, wrong = right + hits, total + needed, wrong + errors
        print(  # noqa: T201
            f"\n  map suggest: {right} of {total} needed fields right ({right / total:.1%}), {len(wrong)} wrong"
        )
    assert wrong == []
    assert right >= LEAST * total


@pytest.mark.parametrize("name", [name for name in HOSPITALS if name.startswith("varied")])
def test_varied_headers_stand_in_no_list(name: str) -> None:
    """Spelt as here, no header of these tables is known to the lists; with the lists in place, the answers are as good."""
    assert [header for header in HOSPITALS[name] if COLUMNS.find(header)] == []


@pytest.mark.parametrize("name", [name for name in HOSPITALS if name.startswith("varied")])
def test_with_the_lists_in_place_nothing_is_wrong(name: str, tmp_path: Path) -> None:
    hits, needed, wrong = _score(name, write_hospital(tmp_path, name))
    assert wrong == []
    assert hits >= LEAST * needed
