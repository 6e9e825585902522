"""Read the demo's exports with nothing but the standard library, so that the tests do not rest on the program."""

from __future__ import annotations

import csv
import gzip
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl.demo import DemoTruth, generate

SEED = 20221

# Cyanocobalamin weighs 1355.37 g/mol, so 1 pmol/L is 1.35537 pg/mL; ng/L and pg/mL are the same.
TO_PG_ML = {"pmol/L": 1.35537, "pg/mL": 1.0, "pg/ml": 1.0, "ng/L": 1.0}
DIALECTS = {"yuhe": ("gb18030", ","), "lindental": ("cp1252", ";"), "lakeside": ("utf-8-sig", ",")}
TIMES = {"yuhe": "%Y/%m/%d %H:%M", "lindental": "%d.%m.%Y %H:%M", "lakeside": "%m/%d/%Y %H:%M"}
NARROW = str.maketrans("０１２３４５６７８９．／", "0123456789./")
GROUPS = {
    "病例": "case",
    "对照": "control",
    "Fall": "case",
    "Kontrolle": "control",
    "1": "case",
    "0": "control",
}
# file: columns of subject, test name, result, unit, time; the wide file has its unit in the header
LABS = {
    "yuhe/lab_results.csv": ("病案号", "检验项目", "结果", "单位", "采样时间"),
    "lindental/labor.csv": ("Patientennummer", "Analyt", "Ergebnis", "Einheit", "Entnahmedatum"),
    "lakeside/labs_2021.csv.gz": ("MRN", "Test Name", "Result", "Units", "Collected"),
}
SUBJECTS = {
    "yuhe/subjects.csv": ("病案号", "组别", "配对号", "性别"),
    "lindental/patienten.csv": ("Patientennummer", "Gruppe", "Paarnummer", "Geschlecht"),
    "lakeside/subjects.csv": ("MRN", "Group", "Pair ID", "Sex"),
}
SCALES = {"yuhe/scales.csv": "病案号", "lindental/skalen.csv": "Patientennummer"}

Key = tuple[str, str]  # site, subject


class Exports:
    """The exports of one demo, read back."""

    def __init__(self, out: Path) -> None:
        self.folder = out / "exports"

    def data(self, path: str) -> bytes:
        data = (self.folder / path).read_bytes()
        return gzip.decompress(data) if path.endswith(".gz") else data

    def lines(self, path: str) -> list[bytes]:
        end = b"\n" if path.startswith("lakeside") else b"\r\n"
        assert self.data(path).endswith(end)
        return self.data(path).removesuffix(end).split(end)

    def records(self, path: str) -> list[dict[str, str]]:
        """Return the records of a clean export as text by header."""
        encoding, delimiter = DIALECTS[path.partition("/")[0]]
        lines = self.data(path).decode(encoding).splitlines()
        if path == "lindental/labor.csv":
            lines = lines[3:-1]  # preamble and total
        records = list(csv.DictReader(lines, delimiter=delimiter))
        assert all(None not in record and None not in record.values() for record in records)
        return records

    def results(self, *names: str) -> dict[Key, list[tuple[datetime, str, str]]]:
        """Return time, printed result and unit of the tests so named, by subject in order of time."""
        found = defaultdict(list)
        for path, (subject, name, value, unit, at) in LABS.items():
            site = path.split("/")[0]
            for record in self.records(path):
                if record[name] in names:
                    found[site, record[subject]].append((record[at], record[value], record[unit]))
        for record in self.records("lakeside/labs_2020.csv"):
            for header, value in record.items():
                name, _, unit = header.removesuffix(")").partition(" (")
                if name in names:
                    found["lakeside", record["MRN"]].append((record["Collected"], value, unit))
        return {key: sorted(_timed(key[0], one) for one in results) for key, results in found.items()}

    @staticmethod
    def number(text: str) -> float:
        """Return the number in a printed result, without its flag."""
        found = re.fullmatch(r"([0-9]+(?:[.,][0-9]+)?)(?: [HL↑↓])?", text.translate(NARROW))
        assert found, "not a plain number"
        return float(found[1].replace(",", "."))

    def first_b12(self) -> dict[Key, float]:
        """Return each subject's first vitamin B12 in pg/mL."""
        results = self.results("★维生素B12(VitB12)", "Vitamin B12", "B12")
        return {key: self.number(text) * TO_PG_ML[unit] for key, [(_, text, unit), *_] in results.items()}

    def subjects(self) -> dict[Key, tuple[str, str, str]]:
        """Return group, match set and sex (as printed) of every listed subject."""
        return {
            (path.split("/")[0], record[subject]): (GROUPS[record[group]], record[match_set], record[sex])
            for path, (subject, group, match_set, sex) in SUBJECTS.items()
            for record in self.records(path)
        }

    def item_sums(self, instrument: str) -> dict[Key, int]:
        """Return the sum of each subject's printed items; who answered none is not there."""
        sums: dict[Key, int] = defaultdict(int)
        item = re.compile(rf"{instrument} (第\d+[题项]|(Frage|Item) \d+)")
        for path, subject in SCALES.items():
            for record in self.records(path):
                for header, text in record.items():
                    if item.fullmatch(header) and text:
                        sums[path.split("/")[0], record[subject]] += int(text)
        for record in self.records("lakeside/scales.csv"):
            if (
                record["Instrument"].replace("-24", "").replace("-", "") == instrument
                and record["Item"] != "Total"
            ):
                sums["lakeside", record["MRN"]] += int(record["Score"])
        return dict(sums)


def _timed(site: str, result: tuple[str, str, str]) -> tuple[datetime, str, str]:
    at, text, unit = result
    # An export carries no zone; any one will do to put a subject's draws in order.
    return datetime.strptime(at, TIMES[site]).replace(tzinfo=UTC), text, unit.translate(NARROW)


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exports, DemoTruth]:
    out = tmp_path_factory.mktemp("planted")
    truth = generate(out, SEED)
    return Exports(out), truth


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exports, DemoTruth]:
    out = tmp_path_factory.mktemp("clean")
    truth = generate(out, SEED, defects=False)
    return Exports(out), truth


@pytest.fixture(scope="session")
def read_exports() -> type[Exports]:
    return Exports
