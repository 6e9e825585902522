"""Scores against hand-worked vectors: from the texts of the answers to totals, components, status and band."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
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
    for scale in case.get("scores", {}).keys() - case.get("status", {}).keys():
        is_verified = INSTRUMENTS[case["instrument"]].versions[case["version"]].scales[scale].is_verified
        assert statuses[scale] == ("complete" if is_verified else "unverified"), scale
    expected_bands = case.get("bands") or (
        {case.get("band_scale", "total"): case["band"]} if "band" in case else {}
    )
    if expected_bands:
        banded = add_bands(scores, case["profile"])
        found = dict(zip(banded["scale"], banded["band"], strict=True))
        assert {scale: found[scale] for scale in expected_bands} == expected_bands


def test_only_what_ten_vectors_hold_is_verified():
    """Versions of one form (variants, the two PSQI orders, the two GDS) share their vectors."""
    counts = Counter(_family(case.values[0]["version"]) for case in _cases())
    verified = {
        _family(version.id)
        for instrument in INSTRUMENTS.values()
        for version in instrument.versions.values()
        for scale in version.scales.values()
        if scale.is_verified and not scale.is_hidden
    }
    named = {"irls", "psqi", "hama", "hamd_17", "hamd_24", "hads", "phq", "gad", "sds", "gds", "bdi_ia"}
    assert verified - {"hamd_21"} == named  # of HAMD-21 only the score of its first seventeen items
    assert {name for name in named if counts[name] < 10} == set()


def test_the_total_of_hamd_21_is_unverified_and_its_first_seventeen_items_are_not():
    scales = INSTRUMENTS["hamd"].versions["hamd_21"].scales
    assert {name: scale.is_verified for name, scale in scales.items()} == {"hamd_17": True, "total": False}


def _family(version: str) -> str:
    if version.startswith("order_"):
        return "psqi"
    return (
        "_".join(version.split("_")[:2])
        if version.startswith(("hamd", "bdi"))
        else version.split("_", maxsplit=1)[0]
    )


def test_every_defined_scale_has_a_vector():
    covered = {(case.values[0]["instrument"], case.values[0]["version"]) for case in _cases()}
    defined = {(i.id, v.id) for i in INSTRUMENTS.values() for v in i.versions.values()}
    assert defined == covered
