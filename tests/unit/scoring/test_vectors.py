"""Scores against hand-worked vectors: from the texts of the answers to totals, components, status and band."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from etl.scoring.answers import parse_responses
from etl.scoring.bands import add_bands
from etl.scoring.score import score
from schemas.instruments import INSTRUMENTS

FOLDER = Path(__file__).with_name("vectors")


def _cases():
    for path in sorted(FOLDER.glob("*.toml")):
        shared = tomllib.loads(path.read_text(encoding="utf-8"))
        for number, vector in enumerate(shared.pop("vectors")):
            yield pytest.param(shared | vector, id=f"{path.stem}-{number}")


def _answers(text: str) -> list[str | None]:
    """Split at commas (or bars, where a comma is part of an answer) and repeat "1x3" three times."""
    found: list[str | None] = []
    for token in text.split("|" if "|" in text else ", "):
        match = re.fullmatch(r"(.+?) ?x(\d+)", token)
        answer, times = (match[1], int(match[2])) if match else (token, 1)
        found += [None if answer == "." else answer] * times
    return found


def _score(case: dict) -> pl.DataFrame:
    version = INSTRUMENTS[case["instrument"]].versions[case["version"]]
    given = dict(zip(version.scored_items, _answers(case["answers"]), strict=True)) | case.get("extra", {})
    rows = pl.DataFrame({"item": list(given), "value_source": list(given.values())}).with_columns(
        administration_id=pl.lit("a"),
        subject_id=pl.lit("s"),
        instrument=pl.lit(case["instrument"]),
        version=pl.lit(case["version"]),
    )
    parsed = parse_responses(rows)
    return score(parsed.filter(pl.col("reason").is_null()))


@pytest.mark.parametrize("case", list(_cases()))
def test_score_equals_the_hand_worked_vector(case):
    scores = _score(case)
    values = dict(zip(scores["scale"], scores["value"], strict=True))
    statuses = dict(zip(scores["scale"], scores["score_status"], strict=True))
    for scale, expected in case.get("scores", {}).items():
        assert values[scale] == pytest.approx(expected), scale
    for scale, expected in case.get("status", {}).items():
        assert statuses[scale] == expected, scale
        if expected in {"incomplete", "invalid", "not_applicable"}:
            assert values[scale] is None, scale
    for scale in case.get("scores", {}):
        if scale not in case.get("status", {}) and case["instrument"] != "irls":
            assert statuses[scale] == "complete", scale
    expected_bands = case.get("bands") or (
        {case.get("band_scale", "total"): case["band"]} if "band" in case else {}
    )
    if expected_bands:
        banded = add_bands(scores, case["profile"])
        found = dict(zip(banded["scale"], banded["band"], strict=True))
        assert {scale: found[scale] for scale in expected_bands} == expected_bands


def test_every_named_instrument_has_ten_vectors():
    counts = {
        path.stem: len(tomllib.loads(path.read_text(encoding="utf-8"))["vectors"])
        for path in FOLDER.glob("*.toml")
    }
    named = {"irls", "psqi", "hama", "hamd_17", "hamd_24", "hads", "phq9", "gad7", "sds", "gds", "bdi_ia"}
    assert {name for name in named if counts.get(name, 0) < 10} == set()


def test_every_defined_scale_has_a_vector():
    covered = {(case.values[0]["instrument"], case.values[0]["version"]) for case in _cases()}
    defined = {(i.id, v.id) for i in INSTRUMENTS.values() for v in i.versions.values()}
    assert defined == covered
